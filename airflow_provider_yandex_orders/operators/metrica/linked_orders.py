# SPDX-License-Identifier: Apache-2.0
"""How many of the orders that were sent have found a visit: only reports tell."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator, Context

from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    PassingError,
    PermanentError,
    UploadFailedError,
)
from airflow_provider_yandex_orders.hooks.base import place_of
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.log_lines import failure_told
from airflow_provider_yandex_orders.retry import with_retry_policy

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.journal.records import Destination

log = logging.getLogger(__name__)

METRICS = {
    "IN_PROGRESS": "ym:s:cdpOrdersInProgress",
    "PAID": "ym:s:cdpOrdersPayed",
    "CANCELLED": "ym:s:cdpOrdersCancelled",
    "SPAM": "ym:s:cdpOrdersSpam",
    "OTHER": "ym:s:cdpOrdersOther",
}
EARLIEST = date(2020, 10, 26)
MOST_DAYS = 366


class MetricaLinkedOrdersOperator(BaseOperator):
    """Asks the reporting API how many CRM orders are linked to visits, by day and status.

    Run it a day or two after the upload. Days are those of the visits, not of the orders: an order is linked to a visit
    up to 21 days before it, so let the days begin that much earlier. One run is one request, of the 200 the API takes
    in five minutes. What was found is kept in the journal of deliveries, in its view ``linked_by_day``.

    .. seealso:: https://yandex.com/dev/metrika/ru/stat/metrics/visits/cdp_orders

    :param date_from: first day of visits, ``YYYY-MM-DD`` in the counter's zone. (templated)
    :param date_to: last day of visits, likewise. (templated)
    :param sent: how many orders were sent: a number, a delivery, or a list of deliveries. Without it nothing is
        compared. (templated)
    :param min_linked: least share of ``sent`` that must be linked, from 0 to 1.
    :param fail_below: fail below that share; ``False`` only warns.
    :param metrica_conn_id: connection of type ``yandex_metrica``. (templated)
    :param counter_id: the counter; by default the connection's. (templated)
    :param journal_conn_id: connection of the journal of deliveries; by default ``[yandex_orders] journal_conn_id`` of
        Airflow's configuration, else a file under ``AIRFLOW_HOME``. (templated)
    :return: ``{"linked", "sent", "share", "by_status": {...}, "by_day": {day: {...}}}``
    """

    template_fields: Sequence[str] = (
        "date_from",
        "date_to",
        "sent",
        "metrica_conn_id",
        "counter_id",
        "journal_conn_id",
    )

    def __init__(
        self,
        *,
        date_from: str,
        date_to: str,
        sent: Any = None,
        min_linked: float = 0,
        fail_below: bool = True,
        metrica_conn_id: str = MetricaHook.default_conn_name,
        counter_id: int | str | None = None,
        journal_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**with_retry_policy(kwargs))
        self.date_from = date_from
        self.date_to = date_to
        self.sent = sent
        self.min_linked = min_linked
        self.fail_below = fail_below
        self.metrica_conn_id = metrica_conn_id
        self.counter_id = counter_id
        self.journal_conn_id = journal_conn_id

    @failure_told()
    def execute(self, context: Context) -> dict[str, Any]:
        """Ask, compare, report."""
        from airflow_provider_yandex_orders.journal.records import Destination

        first, last = self._days()
        sent = _count(self.sent)
        hook = MetricaHook(self.metrica_conn_id)
        counter = hook.counter_id(self.counter_id)
        report = hook.report(
            counter,
            metrics=",".join(METRICS.values()),
            dimensions="ym:s:date",
            date1=first.isoformat(),
            date2=last.isoformat(),
            limit=MOST_DAYS,
            accuracy="full",
        )
        by_day = {
            str(row["dimensions"][0]["name"]): dict(zip(METRICS, map(int, row["metrics"]), strict=True))
            for row in report["data"]
        }
        by_status = {status: sum(day[status] for day in by_day.values()) for status in METRICS}
        linked = sum(by_status.values())
        shown = ", ".join(f"{count} {status}" for status, count in by_status.items() if count) or "none"
        log.info("Orders linked to visits from %s to %s: %d (%s).", first, last, linked, shown)
        entity = next(_entities(self.sent), "orders")
        self._write_down(Destination("metrica", place_of(hook.base_url), str(counter), entity), last, linked, sent)
        share = self._judged(linked, sent) if sent else None
        self._reported = {"linked": linked, "sent": sent, "share": share, "by_status": by_status, "by_day": by_day}
        return self._reported

    def _write_down(self, destination: Destination, day: date, linked: int, sent: int | None) -> None:
        """Write down what was found."""
        from airflow_provider_yandex_orders.journal.store import open_journal

        try:
            with open_journal(self.journal_conn_id) as journal:
                journal.linked(destination, day, linked_orders=linked, sent_orders=sent)
        except (PassingError, PermanentError) as error:
            log.warning("The linked orders are not written down: %s", error)

    def _judged(self, linked: int, sent: int) -> float:
        """The share that is linked.

        :raises UploadFailedError: it is too small.
        """
        share = linked / sent
        log.info("That is %.1f %% of the %d orders sent.", 100 * share, sent)
        if share < self.min_linked:
            told = (
                f"Linked orders: {linked} of {sent} sent ({share:.1%}), min_linked is {self.min_linked:g}. Look at the "
                "identifiers that are sent (a ClientID matches best), at the orders' age (21 days at most), and ask "
                "again a day later: reports lag."
            )
            if self.fail_below:
                raise UploadFailedError(told)
            log.warning("%s", told)
        return share

    def _days(self) -> tuple[date, date]:
        if not 0 <= self.min_linked <= 1:
            raise ConfigurationError("min_linked must be a share from 0 to 1.")
        try:
            first, last = (date.fromisoformat(str(day)[:10]) for day in (self.date_from, self.date_to))
        except ValueError:
            raise ConfigurationError("date_from and date_to are written YYYY-MM-DD.") from None
        if not EARLIEST <= first <= last or (last - first).days >= MOST_DAYS:
            raise ConfigurationError(
                f"date_from {first} and date_to {last}: reports of orders begin on {EARLIEST}, end is not before "
                f"start, and one answer holds {MOST_DAYS} days."
            )
        return first, last


def _entities(sent: Any) -> Iterator[str]:
    """Kinds of rows of the deliveries: the report tells none apart."""
    if isinstance(sent, Mapping) and "entity" in sent:
        yield str(sent["entity"])
    elif isinstance(sent, (list, tuple)):
        for each in sent:
            yield from _entities(each)


def _count(sent: Any) -> int | None:
    """Orders that were sent."""
    if sent is None or sent == "":
        return None
    if isinstance(sent, Mapping):
        return int(sent["rows_sent"])
    if isinstance(sent, (list, tuple)):
        return sum(_count(each) or 0 for each in sent)
    try:
        return int(str(sent))
    except ValueError:
        raise ConfigurationError("sent must be a number, or what upload tasks returned.") from None
