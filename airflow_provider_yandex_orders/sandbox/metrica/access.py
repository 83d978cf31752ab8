# SPDX-License-Identifier: Apache-2.0
"""Who may do what: the OAuth header, then the counter.

Sources: https://yandex.ru/dev/metrika/ru/intro/authorization , https://yandex.ru/dev/metrika/ru/intro/errors .
A bad token is answered with 403 as the live service is reported to do, not with 401. A header of another scheme counts
as no authorisation at all; a token in the address does too.
"""

from typing import Final

from fastapi import Request

from airflow_provider_yandex_orders.sandbox.metrica import counters
from airflow_provider_yandex_orders.sandbox.metrica.counters import Counter
from airflow_provider_yandex_orders.sandbox.metrica.errors import MetricaError
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

_SCHEME: Final = "OAuth "


def authorise(request: Request, settings: SandboxSettings, *, write: bool) -> None:
    """Check the token and what it allows."""
    header = request.headers.get("authorization", "")
    if not header.startswith(_SCHEME):
        raise MetricaError("unauthorized")
    token = header.removeprefix(_SCHEME)
    if token in settings.write_tokens:
        return
    if token not in settings.read_tokens:
        raise MetricaError("invalid_token")
    if write:
        raise MetricaError("access_denied")


def open_counter(request: Request, settings: SandboxSettings, counter_id: str, *, write: bool) -> Counter:
    """Check the token, then the user's right to the counter."""
    authorise(request, settings, write=write)
    counter = counters.find(settings, counter_id)
    if write and not counter.writable:
        raise MetricaError("access_denied")
    return counter
