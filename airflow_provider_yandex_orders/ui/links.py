# SPDX-License-Identifier: Apache-2.0
"""Links on a task's page. One whose address is not known is empty, and never an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from airflow.providers.common.compat.sdk import BaseHook, BaseOperatorLink, XCom, conf

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator, TaskInstanceKey

_METRICA = "https://metrika.yandex.ru/dashboard?"
_MARKET = "https://partner.market.yandex.ru/"
_GOOGLE = "https://console.cloud.google.com/storage/browser/_details/"


def page_address(dag_id: str, **task: Any) -> str:
    """The page of a task's last delivery, or of all deliveries of a DAG; empty in an Airflow without such pages.

    :param task: ``run_id``, ``task_id`` and ``map_index`` of the task.
    """
    from airflow.plugins_manager import AirflowPlugin

    if not hasattr(AirflowPlugin, "fastapi_apps") or not conf.getboolean(
        "yandex_orders", "delivery_page", fallback=True
    ):
        return ""
    base = (conf.get("api", "base_url", fallback="") or "").rstrip("/")
    return f"{base}/yandex-orders/{'delivery' if task else ''}?{urlencode({'dag_id': dag_id, **task})}"


class DeliveryLink(BaseOperatorLink):
    """The page of this task's last delivery, in an Airflow that has such pages."""

    name = "Delivery"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The address of the page."""
        return page_address(**{name: getattr(ti_key, name) for name in ("dag_id", "run_id", "task_id", "map_index")})


class RejectsLink(BaseOperatorLink):
    """The rows that were rejected, where their file is at a place that a browser can open."""

    name = "Rejected rows"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The address of the file."""
        path = str(_delivery(ti_key).get("rejected_path") or "")
        scheme, _, place = path.partition("://")
        if scheme == "gs":
            return _GOOGLE + quote(place.rpartition("@")[2])
        return path if scheme in ("http", "https") else ""


class CounterLink(BaseOperatorLink):
    """The counter in Metrica."""

    name = "Counter in Metrica"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The address of its first page, or of the sandbox: of pages about uploads and goals no address is promised."""
        sandbox = _sandbox(getattr(operator, "metrica_conn_id", None))
        if sandbox:  # which numbers its counters as it likes: in Metrica that is somebody else's
            return sandbox
        counter = str(_delivery(ti_key).get("counter_id") or getattr(operator, "counter_id", None) or "")
        return _METRICA + urlencode({"id": counter}) if counter.isdecimal() else ""


class CabinetLink(BaseOperatorLink):
    """The seller's cabinet at Market."""

    name = "Cabinet at Market"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The address, which leads on to the user's own stores, or that of the sandbox."""
        return _sandbox(getattr(operator, "market_conn_id", None)) or _MARKET


def _delivery(ti_key: TaskInstanceKey) -> Mapping[str, Any]:
    """What the task told so far; empty where nothing is known."""
    try:
        told = XCom.get_value(ti_key=ti_key, key="delivery")
    except Exception:  # noqa: BLE001 - a link is a convenience, whatever Airflow raises
        return {}
    return told if isinstance(told, Mapping) else {}


def _sandbox(conn_id: str | None) -> str:
    """The page of the sandbox that the connection leads to; empty where it leads to the service, or nobody knows."""
    try:
        host = urlsplit(BaseHook.get_connection(conn_id or "").host or "")
    except Exception:  # noqa: BLE001 - as above
        return ""
    return f"http://{host.netloc.rpartition('@')[2]}/" if host.scheme == "http" else ""
