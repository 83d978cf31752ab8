# SPDX-License-Identifier: Apache-2.0
"""Hook for Yandex Market: the stores of a key, and order statistics page by page."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    JournalUnavailable,
    PassingError,
    PermanentError,
    ServiceRefused,
)
from airflow_provider_yandex_orders.hooks.base import ServiceHook, place_of
from airflow_provider_yandex_orders.market.access import closed_store, missing_scope, unknown_words

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

    from airflow_provider_yandex_orders.http.paced import PacedClient
    from airflow_provider_yandex_orders.journal.lease import Lease
    from airflow_provider_yandex_orders.market.api import ApiKey, StoresPage
    from airflow_provider_yandex_orders.market.pages import OrdersPage, PagesBroken

log = logging.getLogger(__name__)

PATIENCE = 3600.0
"""Seconds a fetch waits for others with the same key: each of them may have hundreds of pages."""


class MarketHook(ServiceHook):
    """Calls Yandex Market with the key of a connection.

    At most two requests of one key run at once in a process (:meth:`places` sees to several), and none is sent that the
    service has said it would refuse: a short wait for the next window is spent here, a long one is handed to Airflow.

    Facts of the API: https://yandex.ru/dev/market/partner-api/doc/ru/concepts/

    :param market_conn_id: connection of type ``yandex_market``: password = Api-Key (or an OAuth token with extra
        ``auth_type: oauth``), host only for another address than ``https://api.partner.market.yandex.ru``, login
        (or extra ``campaign_id``) for the store to use by default.
    :param connection: the connection itself, where it was already read.
    """

    conn_name_attr: ClassVar[str] = "market_conn_id"
    default_conn_name = "yandex_market_default"
    conn_type: ClassVar[str] = "yandex_market"
    hook_name: ClassVar[str] = "Yandex Market"

    service: ClassVar[str] = "Yandex Market"
    default_host: ClassVar[str | None] = "https://api.partner.market.yandex.ru"
    id_field: ClassVar[str] = "campaign_id"
    api_path: ClassVar[str] = "/v2"
    auth_types = ("api_key", "oauth")

    def __init__(self, market_conn_id: str = default_conn_name, *, connection: Connection | None = None) -> None:
        super().__init__(market_conn_id, connection=connection)
        self.market_conn_id = market_conn_id

    def _new_client(self, **arguments: Any) -> PacedClient:
        from airflow_provider_yandex_orders.http.paced import PacedClient, lane_of
        from airflow_provider_yandex_orders.market import api

        lane = lane_of(self.base_url, self._token(), api.PARALLEL)
        return PacedClient(
            lane=lane, read_failure=api.read_failure, read_budget=api.read_budget, timeout=api.TIMEOUT, **arguments
        )

    def campaign_id(self, campaign_id: int | str | None = None) -> int:
        """The store to work with: the one given, else the connection's.

        :raises ConfigurationError: neither names one, or it is no whole number above 0.
        """
        return self._chosen_id(campaign_id, "store", "as the list of stores shows it")

    def campaigns(self) -> list[dict[str, Any]]:
        """The stores of the key's cabinet, each with ``id``, ``placementType`` and ``apiAvailability``.

        Source: https://yandex.ru/dev/market/partner-api/doc/ru/reference/campaigns/getCampaigns
        """
        from airflow_provider_yandex_orders.market.api import MOST_CAMPAIGNS, decode_stores
        from airflow_provider_yandex_orders.market.pages import PagesBroken

        found: list[dict[str, Any]] = []
        following: Mapping[str, str | int] = {}
        told: set[object] = set()
        while True:
            query = {"limit": MOST_CAMPAIGNS, **following}
            page: StoresPage = self.client.call(
                "GET", "/v2/campaigns", doing="List the stores", params=query, decode=decode_stores
            )
            found += page.stores
            following = page.following
            if not following:
                return found
            (next_page,) = following.values()
            if next_page in told:
                raise PagesBroken("List the stores: the pages go round in circles. The next try may pass.")
            told.add(next_page)

    def open_stores(self) -> list[int]:
        """Ids of the stores of :meth:`campaigns` whose order statistics can be read; of the others the log says why.

        :raises ConfigurationError: there is none.
        """
        stores = self.campaigns()
        troubles = {each["id"]: closed_store(each["id"], stores) for each in stores if each.get("id")}
        for trouble in filter(None, troubles.values()):
            log.warning("Left out. %s", trouble)
        found = [number for number, trouble in troubles.items() if trouble is None]
        if not found:
            raise ConfigurationError(
                f"List the stores: none of the {len(stores)} that the key of {self.conn_id!r} sees has order "
                "statistics to read. Take a key of the cabinet that has such stores."
            )
        log.info("Stores whose order statistics can be read: %s.", ", ".join(map(str, found)))
        return found

    def token_info(self) -> dict[str, Any]:
        """``name`` and ``authScopes`` of the connection's Api-Key; the service has no such answer for OAuth tokens.

        Source: https://yandex.ru/dev/market/partner-api/doc/en/reference/auth/getAuthTokenInfo
        """
        from airflow_provider_yandex_orders.market.api import decode_key

        doing = "Read the scopes of the Api-Key"
        key: ApiKey = self.client.call("POST", "/v2/auth/token", doing=doing, decode=decode_key)
        return {"name": key.name, "authScopes": key.scopes or []}

    @contextmanager
    def places(self, most: int, journal_conn_id: str | None = None) -> Iterator[list[Lease]]:
        """Hold places among the requests the service takes at once, over all processes that share a journal.

        For the first one an hour is waited, as a task handed back to Airflow would lose a try for nothing; the others
        are taken where they are free. There is none where the journal does not answer or cannot be used: then the limit
        is kept within this process, and by the service's own refusals.

        :param most: places to hold, 1 or 2.
        :param journal_conn_id: connection of the journal; ``None`` for that of the configuration.
        :raises PassingError: others hold them all.
        :raises ConfigurationError: ``journal_conn_id`` is given and names no journal that can be used.
        """
        from airflow_provider_yandex_orders.journal.records import Destination
        from airflow_provider_yandex_orders.journal.store import open_journal
        from airflow_provider_yandex_orders.market.api import PARALLEL

        account, token = Destination("market", place_of(self.base_url), "", "requests"), self._token()
        held: list[Lease] = []
        with ExitStack() as stack:
            try:
                journal = stack.enter_context(open_journal(journal_conn_id))
                for number in range(most):
                    doing, patience = "Read order statistics", 0.0 if number else PATIENCE
                    place = journal.place(account, token, PARALLEL, doing=doing, patience=patience)
                    held.append(stack.enter_context(place))
            except JournalUnavailable:
                log.warning("The journal does not answer: requests at once are counted within this process only.")
            except ConfigurationError as error:
                if journal_conn_id:
                    raise
                log.warning("%s Until then requests at once are counted within this process only.", error)
            except PassingError:
                if not held:
                    raise
                log.info("Other tasks read with this token: %d stream(s) at once.", len(held))
            yield held

    def order_stats_page(
        self,
        campaign_id: int | str | None,
        body: Mapping[str, Any],
        *,
        page_token: str | None = None,
        page_size: int = 200,
    ) -> OrdersPage:
        """One page of order statistics.

        Source: https://yandex.ru/dev/market/partner-api/doc/ru/reference/orders-stats/getOrdersStats

        :param campaign_id: the store; ``None`` for the connection's.
        :param body: the filters, as the service names them; the same for all pages.
        :param page_token: ``next_page_token`` of the page before; ``None`` for the first one.
        :param page_size: orders of a page, from 1 to 200; the same for all pages.
        """
        from airflow_provider_yandex_orders.market.pages import OrdersPage, decode_page

        number = self.campaign_id(campaign_id)
        before = self.client.sent
        try:
            page: OrdersPage = self.client.call(
                "POST",
                f"/v2/campaigns/{number}/stats/orders",
                doing=f"Read order statistics of store {number}",
                params={"limit": page_size, "pageToken": page_token},
                json=dict(body),
                decode=decode_page,
            )
        except ServiceRefused as error:
            raise self._explained(error, number, body, page_token) from None
        return OrdersPage(page.lines, page.next_page_token, self.client.sent - before)

    def iter_order_stats(
        self,
        campaign_id: int | str | None = None,
        *,
        date_from: object = None,
        date_to: object = None,
        update_from: object = None,
        update_to: object = None,
        order_ids: object = None,
        statuses: object = None,
        has_cis: bool | None = None,
        page_size: int = 200,
    ) -> Iterator[OrdersPage]:
        """Order statistics page by page, one page in memory at a time.

        Iterating over a page gives its orders as dicts with exact decimals; ``page.lines`` are the service's bytes. An
        order that changes while one reads may come twice: of one id the later ``statusUpdateDate`` counts, and of equal
        ones the later page. The filters are checked at the call, before the first request.

        :param campaign_id: the store; ``None`` for the connection's.
        :param date_from: first day the orders were made on (``YYYY-MM-DD`` or a date, Moscow time); with ``date_to``.
        :param date_to: last such day.
        :param update_from: first day the orders changed on; with ``update_to``, instead of the pair above.
        :param update_to: last such day.
        :param order_ids: ids of the orders, instead of both pairs.
        :param statuses: only orders of these statuses; one this package does not know is sent all the same.
        :param has_cis: only orders with marked goods, or only the others.
        :param page_size: orders of a page, from 1 to 200.
        """
        from airflow_provider_yandex_orders.market.filters import check_page_size, order_filter
        from airflow_provider_yandex_orders.market.pages import PageGuard, follow

        chosen = order_filter(
            date_from=date_from,
            date_to=date_to,
            update_from=update_from,
            update_to=update_to,
            order_ids=order_ids,
            statuses=statuses,
            has_cis=has_cis,
        )
        size, number = check_page_size(page_size), self.campaign_id(campaign_id)
        fetch_page = partial(self.order_stats_page, number, page_size=size)
        return (step.page for step in follow(fetch_page, chosen, PageGuard()))

    def _headers(self, token: str) -> Mapping[str, str]:
        oauth = self.auth_type == "oauth"
        if oauth and token.startswith("ACMA:"):
            raise ConfigurationError(
                f"The connection {self.conn_id!r} has an Api-Key and auth_type oauth: take auth_type out of the extra."
            )
        if not oauth and token.startswith("y0_"):
            raise ConfigurationError(
                f"The connection {self.conn_id!r} has an OAuth token: put "
                '{"auth_type": "oauth"} into the extra, or an Api-Key into the password field.'
            )
        return {"Authorization": f"Bearer {token}"} if oauth else {"Api-Key": token}

    def _probe(self) -> tuple[bool, str]:
        named = "The token" if self.auth_type == "oauth" else f"The key {str(self.token_info()['name'])!r}"
        number = None if self._own_id is None else self.campaign_id()
        trouble = self._missing_scope()
        if trouble is not None:
            return False, trouble
        stores = self.campaigns()
        if number is None:
            told = f"{len(stores)} store(s). No campaign_id in the connection: each task must name its store."
            return True, f"{named} works and sees {told}"
        trouble = closed_store(number, stores)
        told = f"{named} works and may read order statistics of store {number}.{unknown_words(number, stores)}"
        return trouble is None, trouble or told

    def _explained(
        self, error: ServiceRefused, campaign_id: int, body: Mapping[str, Any], page_token: str | None
    ) -> ServiceRefused | PagesBroken:
        """A refusal with what can be found out about it."""
        from airflow_provider_yandex_orders.market import api
        from airflow_provider_yandex_orders.market.filters import doubtful_statuses
        from airflow_provider_yandex_orders.market.pages import PagesBroken, PeriodTooLong

        status = error.answer.http_status if error.answer else None
        if status == 400:
            if page_token is not None and api.BAD_PAGE_TOKEN in str(error).lower():
                return PagesBroken(str(error), answer=error.answer)
            if api.TOO_LONG_PERIOD in str(error).lower():
                return PeriodTooLong(str(error), answer=error.answer, most=api.most_days(str(error)))
            doubt = doubtful_statuses(map(str, body.get("statuses") or ()))
            return ServiceRefused(f"{error} {doubt}", answer=error.answer) if doubt else error
        if status not in (403, 404):  # what else is refused says enough itself
            return error
        try:
            trouble = self._trouble(campaign_id)
        except (PermanentError, PassingError):
            return error
        if trouble is None:
            return error
        return ServiceRefused(f"{str(error).removesuffix(api.ADVICE[status])}{trouble}", answer=error.answer)

    def _trouble(self, campaign_id: int) -> str | None:
        """Why a store's order statistics cannot be read, where its key and the list of stores tell."""
        return self._missing_scope() or closed_store(campaign_id, self.campaigns())

    def _missing_scope(self) -> str | None:
        if self.auth_type == "oauth":  # such tokens have no scopes by method
            return None
        return missing_scope(self.token_info()["authScopes"])
