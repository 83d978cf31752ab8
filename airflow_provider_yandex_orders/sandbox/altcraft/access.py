# SPDX-License-Identifier: Apache-2.0
"""Who may do what: the token, in the body or as a Bearer header.

Source: https://guides.altcraft.com/en/developer-guide/api-interaction . The page allows a token in the address too and
calls it unsafe; here it is no token at all.
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request

from airflow_provider_yandex_orders.sandbox.altcraft.errors import NO_TOKEN, REFUSED, AltcraftError
from airflow_provider_yandex_orders.sandbox.settings import SandboxSettings

_SCHEME: Final = "Bearer "


def authorise(request: Request, document: Mapping[str, Any], settings: SandboxSettings, *, write: bool) -> None:
    """Check the token and what it allows."""
    header = request.headers.get("authorization", "")
    token = document.get("token") or header.removeprefix(_SCHEME)
    if token in settings.write_tokens:
        return
    if token not in settings.read_tokens:
        raise AltcraftError(NO_TOKEN, "API token required")
    if write:
        raise AltcraftError(REFUSED, "The token has no role that allows this")
