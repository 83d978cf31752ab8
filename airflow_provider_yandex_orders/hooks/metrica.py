# SPDX-License-Identifier: Apache-2.0
"""Hook for Yandex Metrica: counters and CRM data uploads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.hooks.base import ServiceHook
from airflow_provider_yandex_orders.http.multipart import FileBody
from airflow_provider_yandex_orders.privacy import scrub
from airflow_provider_yandex_orders.services import metrica
from airflow_provider_yandex_orders.states import UploadState

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection, ObjectStoragePath

LIST_LIMIT = 1000
"""Most uploads ``last_uploadings`` gives in one answer."""
LIST_PAGES = 20
"""How far back a wait looks for its uploads, in answers of that size."""


class MetricaHook(ServiceHook):
    """Calls Yandex Metrica with the OAuth token of a connection.

    Facts of the API: https://yandex.ru/dev/metrika/ru/intro/quick-start

    :param metrica_conn_id: connection of type ``yandex_metrica``: password = OAuth token, host only for another
        address than ``https://api-metrika.yandex.net``, extra ``counter_id`` for the counter to use by default.
    :param connection: the connection itself, where it was already read.
    """

    conn_name_attr: ClassVar[str] = "metrica_conn_id"
    default_conn_name = "yandex_metrica_default"
    conn_type: ClassVar[str] = "yandex_metrica"
    hook_name: ClassVar[str] = "Yandex Metrica"

    service: ClassVar[str] = "Yandex Metrica"
    default_host: ClassVar[str | None] = metrica.DEFAULT_HOST
    read_fault = staticmethod(metrica.read_fault)

    def __init__(self, metrica_conn_id: str = default_conn_name, *, connection: Connection | None = None) -> None:
        super().__init__(metrica_conn_id, connection=connection)
        self.metrica_conn_id = metrica_conn_id

    def counter_id(self, counter_id: int | str | None = None) -> int:
        """The counter to work with: the one given, else the connection's.

        :raises ConfigurationError: neither names one, or it is no whole number.
        """
        chosen = self.extra("counter_id") if counter_id in (None, "") else counter_id
        if chosen is None:
            raise ConfigurationError(
                f"No counter: give counter_id to the task, or put it into the extra of {self.conn_id!r}."
            )
        if isinstance(chosen, bool) or not str(chosen).strip().isdecimal():
            raise ConfigurationError("counter_id must be a whole number, as Metrica shows it beside the counter.")
        return int(str(chosen))

    def counter(self, counter_id: int | str | None = None) -> dict[str, Any]:
        """The counter's settings, among them ``time_zone_name`` and ``permission``.

        Source: https://yandex.ru/dev/metrika/ru/management/openapi/counter/counter
        """
        number = self.counter_id(counter_id)
        answer = self.client.call(
            "GET", f"/management/v1/counter/{number}", doing=f"Read the settings of counter {number}"
        )
        counter: dict[str, Any] = answer["counter"]
        return counter

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
        number = self.counter_id(counter_id)
        params = {"merge_mode": merge_mode, "delimiter_type": delimiter_type}
        return self._upload(f"/cdp/api/v1/counter/{number}/data/simple_orders", path, params, resend=resend)

    def last_uploadings(
        self, counter_id: int | str | None = None, *, limit: int = LIST_LIMIT, before: str | None = None
    ) -> list[dict[str, Any]]:
        """The newest CRM uploads of a counter, newest first.

        Source: https://yandex.ru/dev/metrika/ru/management/openapi/schema/getLastUploadings

        :param counter_id: the counter; ``None`` for the connection's.
        :param limit: how many, from 1 to 1000.
        :param before: only uploads strictly earlier, ``yyyy-MM-dd HH:mm:ss`` in the counter's time zone.
        """
        number = self.counter_id(counter_id)
        answer = self.client.call(
            "GET",
            f"/cdp/api/v1/counter/{number}/last_uploadings",
            doing=f"List the uploads of counter {number}",
            params={"limit": limit, "datetime_offset": before},
        )
        return list(answer.get("uploadings") or [])

    def crm_upload_states(self, counter_id: int | str | None, upload_ids: Collection[str]) -> dict[str, UploadState]:
        """State of CRM uploads, by as few list requests as will do. An upload not listed yet is left out."""
        wanted, found = set(upload_ids), {}
        before: str | None = None
        for _ in range(LIST_PAGES):
            page = self.last_uploadings(counter_id, before=before)
            for uploading in page:
                if uploading.get("uploading_id") in wanted:
                    state = crm_upload_state(uploading)
                    found[state.upload_id] = state
            oldest = min((str(u["datetime"]) for u in page if u.get("datetime")), default=None)
            if len(found) == len(wanted) or len(page) < LIST_LIMIT or oldest in (None, before):
                break
            before = oldest
        return found

    def _upload(
        self, endpoint: str, path: str | ObjectStoragePath, params: Mapping[str, Any], *, resend: bool
    ) -> dict[str, Any]:
        from airflow.providers.common.compat.sdk import ObjectStoragePath

        file = ObjectStoragePath(path) if isinstance(path, str) else path
        if not file.is_file():
            raise ConfigurationError(f"There is no file {file} to upload.")
        body = FileBody(
            lambda: file.open("rb"),
            size=file.stat().st_size,
            filename=file.name,
            content_type="text/csv",
        )
        answer = self.client.call(
            "POST", endpoint, doing=f"Upload {file.name}", params=params, file=body, resend=resend
        )
        uploading: dict[str, Any] = answer["uploading"]
        return uploading

    def _headers(self, token: str) -> Mapping[str, str]:
        return {"Authorization": f"OAuth {token}"}

    def _probe(self) -> tuple[bool, str]:
        if self.extra("counter_id") is None:
            answer = self.client.call(
                "GET", "/management/v1/counters", doing="List the counters", params={"per_page": 1}
            )
            return True, (
                f"The token works and sees {answer.get('rows', 0)} counter(s). No counter_id in the extra: "
                "each task must name its counter."
            )
        counter = self.counter()
        permission = counter.get("permission")
        named = f"Counter {counter.get('id')} ({counter.get('name')}, {counter.get('time_zone_name')})"
        if permission not in metrica.CAN_UPLOAD:
            return (
                False,
                f"{named}: the token may only look (permission {permission!r}). Uploads need edit rights.",
            )
        return True, f"{named}: the token may upload (permission {permission!r})."


def crm_upload_state(uploading: Mapping[str, Any]) -> UploadState:
    """Read one ``uploading`` object of a CRM upload. Words other than PASSED and FAILED count as not final."""
    status = str(uploading.get("api_validation_status") or "UNKNOWN")
    errors = uploading.get("api_validation_errors") or []
    return UploadState(
        upload_id=str(uploading.get("uploading_id")),
        status=status,
        final=status in ("PASSED", "FAILED"),
        good=status == "PASSED",
        rows_accepted=uploading.get("elements_count"),
        detail=scrub("; ".join(str(error) for error in errors[:5])),
    )
