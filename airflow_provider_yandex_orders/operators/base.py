# SPDX-License-Identifier: Apache-2.0
"""What every upload operator does: prepare, send each part once, wait if asked, report."""

from __future__ import annotations

import copy
import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow.providers.common.compat.sdk import AirflowSkipException, BaseOperator, Context, conf

from airflow_provider_yandex_orders.delivery.prepare import Limits
from airflow_provider_yandex_orders.delivery.result import Delivery
from airflow_provider_yandex_orders.exceptions import ConfigurationError, PassingError
from airflow_provider_yandex_orders.retry import with_retry_policy
from airflow_provider_yandex_orders.rows.convert import status
from airflow_provider_yandex_orders.rows.faults import BadValue
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.sources.base import Source
from airflow_provider_yandex_orders.sources.parts import PartsSource
from airflow_provider_yandex_orders.sources.rows import as_source
from airflow_provider_yandex_orders.waiting import UploadState, Wait, read_event

if TYPE_CHECKING:
    import jinja2

    from airflow_provider_yandex_orders.triggers.base import WaitTrigger


class UploadOperator(BaseOperator):
    """Arguments all uploads share.

    :param source: where the rows come from: a ``SqlSource``, a ``FileSource``, a list of dicts, or the output of a
        task that returns one. (templated)
    :param status_map: the CRM's order statuses to the service's. A status that is in neither is rejected. (templated)
    :param source_timezone: zone of date-times without one, such as ``Europe/Moscow``; by default the zone of the
        service's counter. (templated)
    :param max_rejected: rejected rows that are put up with: a number, or a share below 1. With more of them nothing is
        sent and the task fails.
    :param max_part_rows: rows of one uploaded file.
    :param max_part_bytes: bytes of one uploaded file; by default 100 MB of CSV or 2 MB of JSON.
    :param skip_empty: skip the task when the source has no rows; by default it succeeds without an upload.
    :param staging_path: folder or object storage URL for parts and rejects; by default ``[yandex_orders] staging_path``
        of Airflow's configuration, else a folder under ``AIRFLOW_HOME``. (templated)
    :param poll_interval: seconds between two questions, where the task waits for what the service does.
    :param wait_timeout: seconds after which that wait gives up.
    :param deferrable: wait in the triggerer, without a worker slot.
    """

    template_fields: Sequence[str] = ("source", "status_map", "source_timezone", "staging_path")
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers = {"source": "json", "status_map": "json"}  # noqa: RUF012 - as Airflow declares it
    ui_color = "#fff4cc"
    source_fields: ClassVar[tuple[str, ...]] = ("source",)

    def __init__(
        self,
        *,
        source: Any,
        status_map: Mapping[str, str] | None = None,
        source_timezone: str | None = None,
        max_rejected: float = 0,
        max_part_rows: int = 50_000,
        max_part_bytes: int | None = None,
        skip_empty: bool = False,
        staging_path: str | None = None,
        poll_interval: float = 30,
        wait_timeout: float = 2 * 60 * 60,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**with_retry_policy(kwargs))
        self.source = hidden(source)
        self.status_map = status_map
        self.source_timezone = source_timezone
        self.max_rejected = max_rejected
        self.max_part_rows = max_part_rows
        self.max_part_bytes = max_part_bytes
        self.skip_empty = skip_empty
        self.staging_path = staging_path
        self.poll_interval = poll_interval
        self.wait_timeout = wait_timeout
        self.deferrable = deferrable

    def render_template_fields(self, context: Context, jinja_env: jinja2.Environment | None = None) -> None:
        """Render a copy of each source (two tasks may share one), and hide rows that came by XCom."""
        for name in self.source_fields:
            source = getattr(self, name)
            setattr(self, name, copy.copy(source) if isinstance(source, Source) else source)
        super().render_template_fields(context, jinja_env)
        for name in self.source_fields:
            setattr(self, name, hidden(getattr(self, name)))

    def rows_source(self) -> Source:
        """The source, with all columns mapped that this task maps.

        :raises SourceError: ``source`` came out as something else.
        """
        source = copy.copy(as_source(self.source))
        source.columns = {**(source.columns or {}), **self.mapped_columns()} or None
        return source

    def mapped_columns(self) -> Mapping[str, str]:
        """Columns this task maps besides those of the source."""
        return {}

    def limits(self, default_part_bytes: int, window_days: int | None = None) -> Limits:
        """The sizes and the tolerance, checked.

        :param default_part_bytes: bytes of a part where the user names none.
        :param window_days: of :class:`Limits`.
        :raises ConfigurationError: one of them cannot work.
        """
        part_bytes = default_part_bytes if self.max_part_bytes is None else self.max_part_bytes
        if self.max_part_rows < 1 or part_bytes < 1:
            raise ConfigurationError("max_part_rows and max_part_bytes must be at least 1.")
        if self.max_rejected < 0:
            raise ConfigurationError("max_rejected must be 0 or more: a number of rows, or a share below 1.")
        return Limits(self.max_rejected, self.max_part_rows, part_bytes, window_days)

    def source_zone(self) -> ZoneInfo | None:
        """Zone of date-times without one.

        :raises ConfigurationError: there is no such zone.
        """
        if not self.source_timezone or isinstance(self.rows_source(), PartsSource):
            return None  # prepared parts are in the counter's zone already
        return zone(self.source_timezone, "source_timezone")

    def check_status_map(self, kind: RowKind, status_map: Mapping[str, str] | None, said_by: str) -> None:
        """Make sure that statuses are mapped to such as a kind of row takes.

        :param said_by: the argument, for the message.
        :raises ConfigurationError: one is not.
        """
        convert = status(kind, {})
        for word, mapped in (status_map or {}).items():
            try:
                convert(mapped)
            except BadValue as bad:
                raise ConfigurationError(f"{said_by}[{word!r}] {bad.reason}: {bad.fix}.") from None

    def wait_until_final(self, wait: Wait, delivery: Delivery) -> Delivery:
        """Ask until every state is final; a deferrable task asks once and leaves the rest to a trigger."""
        end_time = time.time() + self.wait_timeout
        while True:
            try:
                wait.hear(self.states(wait.open))
            except PassingError as error:
                self.log.warning("%s", error)
            if not wait.open:
                return self.judged(delivery, wait)
            self.log.info("Not final yet: %s.", wait.describe_open())
            if self.deferrable:
                self.defer(
                    trigger=self.trigger(wait, end_time),
                    method_name="execute_complete",
                    kwargs={"delivery": delivery},
                )
            if time.time() >= end_time:
                raise PassingError(self.late(wait))
            time.sleep(self.poll_interval)

    def execute_complete(self, context: Context, event: Any, delivery: Delivery) -> Delivery:
        """Judge what the trigger heard."""
        wait, timed_out = read_event(event)
        if timed_out:
            raise PassingError(self.late(wait))
        return self.judged(delivery, wait)

    @abstractmethod
    def states(self, ids: Sequence[str]) -> dict[str, UploadState]:
        """What the service says of some ids now."""

    @abstractmethod
    def trigger(self, wait: Wait, end_time: float) -> WaitTrigger:
        """The trigger that waits in this task's place."""

    @abstractmethod
    def judged(self, delivery: Delivery, wait: Wait) -> Delivery:
        """The delivery, when all is final."""

    @abstractmethod
    def late(self, wait: Wait) -> str:
        """Message for a wait that took too long."""

    def skip_if_empty(self, rows_read: int) -> None:
        """End the task as skipped when there was nothing to read and the user wants that."""
        if rows_read == 0:
            if self.skip_empty:
                raise AirflowSkipException("The source gave no rows: skipped, as skip_empty asks.")
            self.log.info("The source gave no rows: nothing is sent, and that is fine.")


def hidden(source: Any) -> Any:
    """Literal rows as a source, which shows only their number; anything else as it is."""
    return as_source(source) if isinstance(source, (list, tuple, Mapping)) else source


def zone(name: str, said_by: str) -> ZoneInfo:
    """The time zone of a name.

    :param name: name in the tz database.
    :param said_by: where the name stands, for the message.
    :raises ConfigurationError: there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigurationError(
            f"{said_by} names the time zone {name!r}, which is not in the tz database of this machine. "
            "Write it as Europe/Moscow; if it is right, install the tzdata package."
        ) from None
