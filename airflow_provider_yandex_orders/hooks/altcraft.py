# SPDX-License-Identifier: Apache-2.0
"""Hook for the Altcraft Platform: orders of its Market."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_yandex_orders.exceptions import ConfigurationError, ServiceRefused
from airflow_provider_yandex_orders.hooks.base import ServiceHook
from airflow_provider_yandex_orders.waiting import UploadState

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

    from airflow_provider_yandex_orders.http.client import ServiceClient

LIST_PAGES = 10_000
"""Answers after which a list that never ends is given up."""


class AltcraftHook(ServiceHook):
    """Calls an Altcraft Platform with the API token of a connection.

    Facts of the API: https://guides.altcraft.com/en/developer-guide/api-interaction

    :param altcraft_conn_id: connection of type ``altcraft``: host = the platform's own (there is no default one),
        password = API token, extra ``auth_type``: ``body`` (default) sends the token in the body as the platform's
        pages have it, ``bearer`` as a header instead.
    :param connection: the connection itself, where it was already read.
    """

    conn_name_attr: ClassVar[str] = "altcraft_conn_id"
    default_conn_name = "altcraft_default"
    conn_type: ClassVar[str] = "altcraft"
    hook_name: ClassVar[str] = "Altcraft Platform"

    service: ClassVar[str] = "Altcraft"
    api_path: ClassVar[str] = r"/api/v\d[\d.]*"
    auth_types = ("body", "bearer")

    def __init__(self, altcraft_conn_id: str = default_conn_name, *, connection: Connection | None = None) -> None:
        super().__init__(altcraft_conn_id, connection=connection)
        self.altcraft_conn_id = altcraft_conn_id

    def _new_client(self, **arguments: Any) -> ServiceClient:
        from airflow_provider_yandex_orders.altcraft.api import read_failure
        from airflow_provider_yandex_orders.http.client import ServiceClient

        return ServiceClient(read_failure=partial(read_failure, secret=self._token()), **arguments)

    def import_orders(
        self,
        orders: Sequence[Any],
        *,
        skip_triggers: bool,
        custom_fields: Sequence[Mapping[str, Any]] = (),
        custom_line_statuses: Sequence[Mapping[str, Any]] = (),
        body_format: str = "json",
        xml_data: str = "rows",
    ) -> dict[str, Any]:
        """Import orders in one request. A good answer says that the platform took it, not what became of each order.

        A request without an answer is sent again, then without triggers: it may have started them already.

        Source: https://guides.altcraft.com/en/developer-guide/market/orders/56249746

        :param orders: orders as the platform has them: money as text, times in RFC 3339.
        :param skip_triggers: do not start the platform's triggers, which may write to customers.
        :param custom_fields: definitions of custom fields, not their values.
        :param custom_line_statuses: definitions of line statuses.
        :param body_format: ``json`` or ``xml``.
        :param xml_data: ``rows`` or ``repeated``: how XML holds the orders.
        :return: the answer. What it has besides ``error`` and ``error_text`` is not documented.
        """
        from airflow_provider_yandex_orders.altcraft import api
        from airflow_provider_yandex_orders.altcraft.body import BODIES, CONTENT_TYPES, XML_DATA
        from airflow_provider_yandex_orders.http.body import Content

        if body_format not in BODIES or xml_data not in XML_DATA:
            raise ConfigurationError(f"body_format must be json or xml, and xml_data one of {', '.join(XML_DATA)}.")
        request = {
            **self._credentials(),
            **({"custom_fields": list(custom_fields)} if custom_fields else {}),
            **({"custom_line_statuses": list(custom_line_statuses)} if custom_line_statuses else {}),
        }
        first, again = (
            BODIES[body_format]({**request, "skip_triggers": skip}, orders, xml_data) for skip in (skip_triggers, True)
        )
        answer: dict[str, Any] = self.client.call(
            "POST",
            f"{api.API}/import",
            doing=f"Import {len(orders)} order(s)",
            body=Content(first, CONTENT_TYPES[body_format], again),
        )
        unread = sorted(set(answer) - api.ENVELOPE)
        if unread:
            self.log.info("The answer has more than is documented, passed on unread: %s.", ", ".join(unread))
        return answer

    def order_status(self, external_id: str) -> dict[str, Any] | None:
        """``endpoint`` and ``status`` of one order; ``None`` where the platform does not have it.

        Source: https://guides.altcraft.com/en/developer-guide/market/orders/get-status

        :param external_id: the order's id with the sender.
        """
        from airflow_provider_yandex_orders.altcraft.api import is_unknown_order

        try:
            answer = self._ask("get_status", "Ask for the status of an order", external_id=external_id)
        except ServiceRefused as error:
            if not is_unknown_order(error.answer):
                raise
            self.log.debug("%s", error)
            return None
        result = answer.get("result")
        if isinstance(result, list):  # the page's table says so, its sample shows an object
            result = result[0] if result else None
        return result if isinstance(result, dict) and result else None

    def order_states(self, expected: Mapping[str, str | None], order_ids: Collection[str]) -> dict[str, UploadState]:
        """State of orders, one request each. An order the platform does not have is left out.

        :param expected: the status each order must have to be final; ``None`` for any.
        :param order_ids: the orders to ask for.
        """
        states = {}
        for external_id in order_ids:
            found = self.order_status(external_id)
            if found is not None:
                status, wanted = str(found.get("status") or "UNKNOWN"), expected.get(external_id)
                there = wanted is None or status == wanted
                detail = "" if there else f"expected {wanted}"
                states[external_id] = UploadState(external_id, status, final=there, good=there, detail=detail)
        return states

    def iter_orders(
        self, *, endpoint: str | None = None, limit: int = 100, max_pages: int = LIST_PAGES
    ) -> Iterator[dict[str, Any]]:
        """All orders, page by page.

        Source: https://guides.altcraft.com/en/developer-guide/market/orders/56249749

        :param endpoint: only those of one point of sale.
        :param limit: orders of one answer; the platform's own limit is not documented.
        :param max_pages: answers after which the list is taken for endless.
        """
        pointer = ""
        for _ in range(max_pages):
            fields = {"from_id": pointer, "limit": limit, **({"endpoint": endpoint} if endpoint else {})}
            answer = self._ask("list", "List the orders", **fields)
            page = answer.get("result")
            if not isinstance(page, list) or not page:
                return
            yield from page
            following = str(answer.get("next_from_id") or "")
            if following in ("", pointer):
                return
            pointer = following
        raise ServiceRefused(
            f"List the orders: no end after {max_pages} answers. Raise max_pages if there are so many."
        )

    def _ask(self, method: str, doing: str, **fields: Any) -> dict[str, Any]:
        from airflow_provider_yandex_orders.altcraft.api import API

        body = {**self._credentials(), **fields}
        answer: dict[str, Any] = self.client.call("POST", f"{API}/{method}", doing=doing, json=body)
        return answer

    def _credentials(self) -> dict[str, str]:
        return {"token": self._token()} if self.auth_type == "body" else {}

    def _headers(self, token: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {token}"} if self.auth_type == "bearer" else {}

    def _probe(self) -> tuple[bool, str]:
        answer = self._ask("list", "List one order", from_id="", limit=1)
        found = "an order" if answer.get("result") else "no order yet"
        return True, (
            f"The token works and may list orders (there is {found}). Reading works; whether the token may import "
            "shows with the first import."
        )
