# SPDX-License-Identifier: Apache-2.0
"""Hook for Yandex Metrica: counters and CRM data uploads."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_yandex_orders.exceptions import (
    ConfigurationError,
    PassingError,
    QuotaExceeded,
    ServiceRefused,
    SourceUnavailable,
)
from airflow_provider_yandex_orders.hooks.base import ServiceHook
from airflow_provider_yandex_orders.metrica.answers import (
    AnswerPart,
    crm_upload_state,
    offline_upload_state,
    part_of,
    uploading_of,
)
from airflow_provider_yandex_orders.waiting import UploadState

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection, ObjectStoragePath

    from airflow_provider_yandex_orders.http.paced import PacedClient

LIST_LIMIT = 1000
"""Most uploads ``last_uploadings`` gives in one answer."""
LIST_PAGES = 20
"""How far back a wait looks for its uploads, in answers of that size."""
OFFLINE_LIMIT = 10_000
"""Uploads of offline conversions in one answer: what the service takes by itself."""
OFFLINE_TYPE = "BASIC"
"""Conversions, apart from calls and chats, which have lists of their own."""


_WRITING = "Reading works; whether the token may write shows with the first upload."


def _header(file: ObjectStoragePath, delimiter_type: str) -> list[str]:
    """The names of a CSV file's columns.

    :raises SourceUnavailable: its storage does not give it.
    """
    try:
        with TextIOWrapper(file.open("rb"), encoding="utf-8-sig", errors="replace", newline="") as text:
            return next(csv.reader(text, delimiter=";" if delimiter_type == "SEMICOLON" else ","), [])
    except Exception as error:  # noqa: BLE001 - whatever a storage raises
        raise SourceUnavailable(
            f"Upload {file.name}: its header cannot be read now ({type(error).__name__}). The next try may pass."
        ) from None


class MetricaHook(ServiceHook):
    """Calls Yandex Metrica with the OAuth token of a connection.

    Facts of the API: https://yandex.ru/dev/metrika/ru/intro/quick-start

    :param metrica_conn_id: connection of type ``yandex_metrica``: password = OAuth token, host only for another
        address than ``https://api-metrika.yandex.net``, login (or extra ``counter_id``) for the counter to use where a
        task names none.
    :param connection: the connection itself, where it was already read.
    """

    conn_name_attr: ClassVar[str] = "metrica_conn_id"
    default_conn_name = "yandex_metrica_default"
    conn_type: ClassVar[str] = "yandex_metrica"
    hook_name: ClassVar[str] = "Yandex Metrica"

    service: ClassVar[str] = "Yandex Metrica"
    default_host: ClassVar[str | None] = "https://api-metrika.yandex.net"
    id_field: ClassVar[str] = "counter_id"
    api_path: ClassVar[str] = "/(?:management|cdp|stat)"

    def __init__(self, metrica_conn_id: str = default_conn_name, *, connection: Connection | None = None) -> None:
        super().__init__(metrica_conn_id, connection=connection)
        self.metrica_conn_id = metrica_conn_id

    def _new_client(self, **arguments: Any) -> PacedClient:
        from airflow_provider_yandex_orders.http.paced import PacedClient, lane_of
        from airflow_provider_yandex_orders.metrica import api

        lane = lane_of(self.base_url, self._token(), api.PARALLEL, api.A_SECOND)
        return PacedClient(lane=lane, read_failure=api.read_failure, **arguments)

    def counter_id(self, counter_id: int | str | None = None) -> int:
        """The counter to work with: the one given, else the connection's.

        :raises ConfigurationError: neither names one, or it is no whole number.
        """
        return self._chosen_id(counter_id, "counter", "as Metrica shows it beside the counter")

    def counter(self, counter_id: int | str | None = None) -> dict[str, Any]:
        """The counter's settings, among them ``time_zone_name`` and ``permission``.

        Source: https://yandex.ru/dev/metrika/ru/management/openapi/counter/counter
        """
        number = self.counter_id(counter_id)
        return self._part("counter", dict, f"/management/v1/counter/{number}", f"Read the settings of counter {number}")

    def upload_simple_orders(
        self,
        counter_id: int | str | None,
        path: str | ObjectStoragePath,
        *,
        merge_mode: str = "SAVE",
        delimiter_type: str = "COMMA",
        resend: bool = True,
    ) -> dict[str, Any]:
        """Upload one CSV file of simplified orders.

        Source: https://yandex.ru/dev/metrika/ru/management/openapi/schema/uploadSimpleOrders

        :param counter_id: the counter; ``None`` for the connection's.
        :param path: local path or object storage URL of a UTF-8 CSV file with a header line, 1 GB at most.
        :param merge_mode: ``SAVE`` (replace the order), ``UPDATE`` (only what is sent) or ``APPEND``.
        :param delimiter_type: ``COMMA`` or ``SEMICOLON``.
        :param resend: whether the file may go out a second time when no answer tells if the first one arrived:
            ``False`` for orders without ``id``, which would double.
        :return: the service's ``uploading`` object.
        """
        params = {"merge_mode": merge_mode, "delimiter_type": delimiter_type}
        return self._upload(self._cdp(counter_id, "data/simple_orders"), path, params, resend=resend)

    def upload_contacts(
        self,
        counter_id: int | str | None,
        path: str | ObjectStoragePath,
        *,
        upload_format: str = "json",
        merge_mode: str = "SAVE",
        delimiter_type: str = "COMMA",
        columns_mapping: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Upload one file of customers.

        Sources: https://yandex.com/dev/metrika/en/management/openapi/schema/uploadContacts ,
        https://yandex.com/dev/metrika/en/management/openapi/schema/uploadContactJson_1

        :param counter_id: the counter; ``None`` for the connection's.
        :param path: local path or object storage URL: a JSON document ``{"contacts": [...]}`` or a CSV file.
        :param upload_format: ``json`` or ``csv``.
        :param merge_mode: ``SAVE``, ``UPDATE`` or ``APPEND``.
        :param delimiter_type: of a CSV file, ``COMMA`` or ``SEMICOLON``.
        :param columns_mapping: ``{"attribute": "column"}`` for a CSV file with column names of its own; by default its
            header names the attributes.
        :return: the service's ``uploading`` object.
        """
        return self._upload_entity(
            "contacts", counter_id, path, upload_format, merge_mode, delimiter_type, columns_mapping
        )

    def upload_orders(
        self,
        counter_id: int | str | None,
        path: str | ObjectStoragePath,
        *,
        upload_format: str = "json",
        merge_mode: str = "SAVE",
        delimiter_type: str = "SEMICOLON",
        columns_mapping: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Upload one file of orders whose customers were uploaded as contacts.

        Sources: https://yandex.ru/dev/metrika/en/management/openapi/schema/uploadOrders ,
        https://yandex.com/dev/metrika/en/management/openapi/schema/uploadOrdersJson_1

        :param counter_id: the counter; ``None`` for the connection's.
        :param path: local path or object storage URL: a JSON document ``{"orders": [...]}`` or a CSV file.
        :param upload_format: ``json`` or ``csv``.
        :param merge_mode: ``SAVE``, ``UPDATE`` or ``APPEND``.
        :param delimiter_type: of a CSV file; the service asks for ``SEMICOLON`` where an order has several goals.
        :param columns_mapping: ``{"attribute": "column"}`` for a CSV file with column names of its own; by default its
            header names the attributes.
        :return: the service's ``uploading`` object.
        """
        return self._upload_entity(
            "orders", counter_id, path, upload_format, merge_mode, delimiter_type, columns_mapping
        )

    def upload_offline_conversions(
        self, counter_id: int | str | None, path: str | ObjectStoragePath, *, comment: str | None = None
    ) -> dict[str, Any]:
        """Upload one CSV file of offline conversions. It goes out once: without an answer, look it up before a repeat.

        Source: https://yandex.ru/dev/metrika/ru/management/openapi/offline_conversions/upload_1

        :param counter_id: the counter; ``None`` for the connection's.
        :param path: local path or object storage URL of a UTF-8 CSV file with a header line, 1 GB at most.
        :param comment: kept with the upload, 255 signs at most.
        :return: the service's ``uploading`` object.
        """
        number = self.counter_id(counter_id)
        endpoint = f"/management/v1/counter/{number}/offline_conversions/upload"
        return self._upload(endpoint, path, {"comment": comment, "type": OFFLINE_TYPE}, resend=False)

    def last_uploadings(
        self, counter_id: int | str | None = None, *, limit: int = LIST_LIMIT, before: str | None = None
    ) -> list[dict[str, Any]]:
        """The newest CRM uploads of a counter, newest first.

        Source: https://yandex.ru/dev/metrika/ru/management/openapi/schema/getLastUploadings

        :param counter_id: the counter; ``None`` for the connection's.
        :param limit: how many, from 1 to 1000.
        :param before: only uploads strictly earlier, ``yyyy-MM-dd HH:mm:ss`` in the counter's time zone.
        """
        doing = f"List the uploads of counter {self.counter_id(counter_id)}"
        path = self._cdp(counter_id, "last_uploadings")
        return self._part("uploadings", list, path, doing, limit=limit, datetime_offset=before)

    def offline_uploadings(
        self, counter_id: int | str | None = None, *, page_size: int = OFFLINE_LIMIT
    ) -> list[dict[str, Any]]:
        """All uploads of offline conversions of a counter, without those of calls and chats.

        Source: https://yandex.ru/dev/metrika/ru/management/openapi/offline_conversions/findAll_1

        :param counter_id: the counter; ``None`` for the connection's.
        :param page_size: uploads of one answer.
        """
        return [each for page in self._offline_pages(self.counter_id(counter_id), page_size) for each in page]

    def upload_states(
        self,
        family: str,
        counter_id: int | str | None,
        upload_ids: Collection[str],
        *,
        newest_only: Collection[str] = (),
    ) -> dict[str, UploadState]:
        """State of uploads, by as few requests as will do. An upload not listed yet is left out.

        Where a further answer of the list does not come, what the first ones told is given.

        :param family: ``crm`` or ``offline``.
        :param counter_id: the counter; ``None`` for the connection's.
        :param upload_ids: ids of the uploads.
        :param newest_only: those of CRM uploads that are looked for among the newest 1000 and no further back.
        """
        wanted, spared = set(upload_ids), set(newest_only)
        if family == "crm":
            read, pages = crm_upload_state, self._crm_pages(counter_id)
        else:
            number = self.counter_id(counter_id)
            one = self._one_offline_uploading(number, *wanted) if len(wanted) == 1 else []
            # The list tells an upload not listed yet from a wrong counter.
            read, pages = offline_upload_state, iter([one]) if one else self._offline_pages(number)
            spared = set()  # nothing says in which order they are listed
        found: dict[str, UploadState] = {}
        try:
            for page in pages:
                found |= {state.upload_id: state for state in map(read, page) if state.upload_id in wanted}
                if wanted - found.keys() <= spared:
                    break
        except PassingError as error:
            if not found:
                raise
            self.log.warning("%s The rest of the list is asked for another time.", error)
        return found

    def goals(self, counter_id: int | str | None = None) -> list[dict[str, Any]]:
        """The goals of a counter.

        Source: https://yandex.ru/dev/metrika/ru/management/openapi/goal/goals
        """
        number = self.counter_id(counter_id)
        doing = f"List the goals of counter {number}"
        return self._part("goals", list, f"/management/v1/counter/{number}/goals", doing, useDeleted="false")

    def create_goal(self, counter_id: int | str | None, identifier: str, name: str) -> dict[str, Any]:
        """Create a JS-event goal that matches its identifier exactly. Each call makes another one: list first.

        Source: https://yandex.ru/dev/metrika/ru/management/openapi/goal/addGoal
        """
        number = self.counter_id(counter_id)
        doing = f"Create the goal {identifier!r}"
        goal = {"name": name, "type": "action", "conditions": [{"type": "exact", "url": identifier}]}
        answer = self.client.call(
            "POST", f"/management/v1/counter/{number}/goals", doing=doing, json={"goal": goal}, resend=False
        )
        return part_of(answer, "goal", dict, doing)

    def order_statuses(self, counter_id: int | str | None = None) -> list[dict[str, Any]]:
        """The mapping of order statuses of a counter.

        Source: https://yandex.com/dev/metrika/en/management/openapi/schema/getOrderStatuses
        """
        doing = f"Read the order statuses of counter {self.counter_id(counter_id)}"
        return self._part("order_statuses", list, self._cdp(counter_id, "schema/order_statuses"), doing)

    def map_order_statuses(self, counter_id: int | str | None, statuses: Sequence[Mapping[str, Any]]) -> None:
        """Set the mapping of order statuses.

        Source: https://yandex.ru/dev/metrika/en/management/openapi/schema/mapOrderStatuses
        """
        doing = f"Map the order statuses of counter {self.counter_id(counter_id)}"
        body = {"order_statuses": list(statuses)}
        answer = self.client.call("POST", self._cdp(counter_id, "schema/order_statuses"), doing=doing, json=body)
        if not (isinstance(answer, dict) and answer.get("success")):
            raise ServiceRefused(f"{doing}: Yandex Metrica did not say that it took the mapping. Look at it there.")

    def report(self, counter_id: int | str | None = None, **params: Any) -> dict[str, Any]:
        """One answer of the reporting API.

        Source: https://yandex.ru/dev/metrika/ru/stat/openapi/data

        :param counter_id: the counter; ``None`` for the connection's.
        :param params: ``metrics``, ``dimensions``, ``date1``, ``date2``, ``limit`` and the API's others.
        """
        from airflow_provider_yandex_orders.metrica.api import REPORTS_SECONDS

        number = self.counter_id(counter_id)
        doing = f"Read a report of counter {number}"
        try:
            answer = self.client.call("GET", "/stat/v1/data", doing=doing, params={"ids": number, **params})
        except QuotaExceeded as error:
            said = f"{error.answer.error_type}: {error.answer.said}" if error.answer else error
            raise QuotaExceeded(
                f"{doing}: {said} Reports have a quota of a day and one of 200 in five minutes, which the answer need "
                "not tell apart: next try in five minutes.",
                retry_after=REPORTS_SECONDS,
                answer=error.answer,
            ) from None
        part_of(answer, "data", list, doing)
        report: dict[str, Any] = answer
        return report

    def _part(self, name: str, kind: type[AnswerPart], path: str, doing: str, **params: Any) -> AnswerPart:
        """The part of an answer that is wanted."""
        return part_of(self.client.call("GET", path, doing=doing, params=params), name, kind, doing)

    def _cdp(self, counter_id: int | str | None, path: str) -> str:
        return f"/cdp/api/v1/counter/{self.counter_id(counter_id)}/{path}"

    def _crm_pages(self, counter_id: int | str | None) -> Iterator[list[dict[str, Any]]]:
        before: str | None = None
        for _ in range(LIST_PAGES):
            page = self.last_uploadings(counter_id, before=before)
            yield page
            oldest = min((str(each["datetime"]) for each in page if each.get("datetime")), default=None)
            if len(page) < LIST_LIMIT or oldest in (None, before):
                return
            before = oldest

    def _one_offline_uploading(self, number: int, upload_id: str) -> list[dict[str, Any]]:
        """One upload, by a small answer in place of the whole list; none where it is not known."""
        path = f"/management/v1/counter/{number}/offline_conversions/uploading/{upload_id}"
        try:
            return [self._part("uploading", dict, path, f"Ask for upload {upload_id}")]
        except ServiceRefused as error:
            if error.answer is None or error.answer.http_status not in (400, 404):
                raise
            return []

    def _offline_pages(self, number: int, page_size: int = OFFLINE_LIMIT) -> Iterator[list[dict[str, Any]]]:
        """The uploads of a counter, page by page, each once: one that comes in meanwhile moves the others on."""
        doing = f"List the offline conversions of counter {number}"
        path = f"/management/v1/counter/{number}/offline_conversions/uploadings"
        told: set[object] = set()
        offset = 0
        while True:
            page = self._part("uploadings", list, path, doing, type=OFFLINE_TYPE, limit=page_size, offset=offset)
            new = [each for each in page if str(each.get("id")) not in told]
            yield new
            told.update(str(each.get("id")) for each in new)
            offset += len(page)
            if len(page) < page_size or not new:
                return

    def _upload_entity(
        self,
        entity: str,
        counter_id: int | str | None,
        path: str | ObjectStoragePath,
        upload_format: str,
        merge_mode: str,
        delimiter_type: str,
        columns_mapping: Mapping[str, str] | None,
    ) -> dict[str, Any]:
        params: dict[str, Any] = {"merge_mode": merge_mode}
        if upload_format == "csv":
            params |= {"delimiter_type": delimiter_type, "columns_mapping": columns_mapping}
        return self._upload(self._cdp(counter_id, f"data/{entity}/{upload_format}"), path, params, resend=True)

    def _upload(
        self, endpoint: str, path: str | ObjectStoragePath, params: Mapping[str, Any], *, resend: bool
    ) -> dict[str, Any]:
        from airflow_provider_yandex_orders.http.body import FileBody, multipart
        from airflow_provider_yandex_orders.storage import is_staged, opened_path, size_of, unseen

        file = opened_path(path, "Upload", "Correct the path.") if isinstance(path, str) else path
        try:
            size = size_of(file)
        except FileNotFoundError:
            if is_staged(file):
                raise unseen(str(file)) from None
            size = None
        if size is None:
            raise ConfigurationError(f"There is no file {file} to upload. Correct the path.")

        if "columns_mapping" in params:  # the service calls it required
            pairs = params["columns_mapping"] or {name: name for name in _header(file, params["delimiter_type"])}
            params = {**params, "columns_mapping": ",".join(f'"{name}":"{pairs[name]}"' for name in pairs)}
        opened = partial(file.open, "rb")
        if endpoint.endswith("/json"):
            body = FileBody(opened, size=size, filename=file.name, content_type="application/json")
        else:
            body = multipart(opened, size=size, filename=file.name, part_type="text/csv")
        doing = f"Upload {file.name}"
        answer = self.client.call("POST", endpoint, doing=doing, params=params, body=body, resend=resend)
        return uploading_of(answer, doing)

    def _headers(self, token: str) -> Mapping[str, str]:
        return {"Authorization": f"OAuth {token}"}

    def _probe(self) -> tuple[bool, str]:
        if self._own_id is None:
            return True, (
                f"The token works and sees {self._counters_seen()} counter(s). No counter in the connection: each task "
                f"must name one. {_WRITING}"
            )
        number = self.counter_id()
        try:
            counter = self.counter(number)
        except ServiceRefused as error:
            return False, self._why(error, number)
        from airflow_provider_yandex_orders.metrica.api import CAN_UPLOAD

        permission = str(counter.get("permission"))
        named = f"Counter {number} ({counter.get('name')}, {counter.get('time_zone_name')})"
        if permission not in CAN_UPLOAD:
            rights = "Uploads need edit rights: the counter's owner gives them under Settings, Access."
            return False, f"{named}: its account may only look (permission {permission!r}). {rights}"
        return True, f"{named}: its account may edit (permission {permission!r}). {_WRITING}"

    def _why(self, error: ServiceRefused, number: int) -> str:
        """What is missing where a counter is denied: the right to it, or a scope of the token."""
        if error.answer is None or error.answer.error_type != "access_denied":
            return str(error)
        said = error.answer.said.rstrip(". ")
        try:
            seen = self._counters_seen()
        except ServiceRefused:
            return (
                f"The token may neither read counter {number} nor list counters ({said}): it lacks a scope. "
                "Get one with metrika:write, or with metrika:read and metrika:offline_data."
            )
        except PassingError:
            return str(error)
        return (
            f"The token works and sees {seen} counter(s), but not counter {number} ({said}): correct "
            "counter_id, or give the account of the token edit rights on the counter."
        )

    def _counters_seen(self) -> str:
        doing = "List the counters"
        answer = self.client.call("GET", "/management/v1/counters", doing=doing, params={"per_page": 1})
        found = part_of(answer, "counters", list, doing)
        return str(answer.get("rows", len(found)))
