# SPDX-License-Identifier: Apache-2.0
"""An auth manager for tests: Airflow's own simple one, whose user ``guest`` may read one DAG only."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

GUEST_DAG = "guests_orders"
USERS = {"admin": "admin", "viewer": "viewer", "guest": "viewer"}
"""Users and their roles; the password of each is its name, twice."""


class SomeDags(SimpleAuthManager):
    """Who may read which DAG."""

    def is_authorized_dag(self, *, method: Any, user: Any, access_entity: Any = None, details: Any = None) -> bool:
        """Whether a user may do that with a DAG, or with any where none is named."""
        if user.username == "guest" and details is not None and details.id not in (None, GUEST_DAG):
            return False
        return bool(super().is_authorized_dag(method=method, user=user, access_entity=access_entity, details=details))
