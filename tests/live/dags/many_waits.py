# SPDX-License-Identifier: Apache-2.0
"""Two hundred waits of one counter that begin in the triggerer, without a worker each."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import DAG, BaseOperator
from airflow.triggers.base import StartTriggerArgs

FAR = 4_102_444_800.0


class Waiting(BaseOperator):
    """A task that is nothing but a wait for an upload."""

    start_from_trigger = True

    def __init__(self, *, upload_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start_trigger_args = StartTriggerArgs(
            trigger_cls="airflow_provider_yandex_orders.triggers.metrica.MetricaUploadsTrigger",
            trigger_kwargs={
                "family": "crm",
                "metrica_conn_id": "yandex_metrica_default",
                "uploads": {upload_id: 101},
                "poke_interval": 10.0,
                "end_time": FAR,
            },
            next_method="execute_complete",
        )

    def execute_complete(self, context: Any, event: Any) -> None:
        """The upload is final."""


with DAG(dag_id="many_waits", schedule=None, tags=["test"]):
    for number in range(200):
        Waiting(task_id=f"wait_{number}", upload_id=f"u-{number}")

# What these wait for does end; the file is there before they are parsed for the run that counts.
UPLOADS = Path(os.environ["AIRFLOW_HOME"]) / "uploads.json"
with DAG(dag_id="waits_that_end", schedule=None, tags=["test"]):
    for number, upload_id in enumerate(json.loads(UPLOADS.read_text()) if UPLOADS.exists() else ()):
        Waiting(task_id=f"wait_{number}", upload_id=upload_id)
