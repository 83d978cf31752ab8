# SPDX-License-Identifier: Apache-2.0
"""What every upload operator holds: the arguments. Its steps are imported by the worker alone."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, cast

from airflow.providers.common.compat.sdk import BaseOperator, BaseOperatorLink

from airflow_provider_yandex_orders.assets import DELIVERED, with_alias
from airflow_provider_yandex_orders.exceptions import QuotaExceeded
from airflow_provider_yandex_orders.log_lines import failure_told
from airflow_provider_yandex_orders.operators.arguments import SourceArgument
from airflow_provider_yandex_orders.retry import HAS_POLICIES, with_retry_policy
from airflow_provider_yandex_orders.ui.links import DeliveryLink, RejectsLink
from airflow_provider_yandex_orders.waiting import DEFERRABLE

if TYPE_CHECKING:
    import jinja2
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_yandex_orders.delivery.result import Delivery
    from airflow_provider_yandex_orders.operators.steps import UploadSteps


class UploadOperator(BaseOperator):
    """Every upload. What its arguments mean is said by each operator, which spells them all and names its steps."""

    template_fields: Sequence[str] = (
        "source",
        "source_timezone",
        "staging_path",
        "max_rejected",
        "max_dropped",
        "phone_region",
        "defaults",
        "same_key",
        "max_part_rows",
        "max_part_bytes",
        "workers",
        "skip_empty",
        "resend",
        "journal_conn_id",
        "_dry_run",  # `dry_run` is a method of Airflow's operators
        "keep_parts",
        "poke_interval",
        "timeout",
    )
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers = {"source": "json", "source.sql": "sql", "status_map": "json"}  # noqa: RUF012 - as Airflow declares it
    operator_extra_links: tuple[BaseOperatorLink, ...] = (DeliveryLink(), RejectsLink())
    ui_color = "#fff4cc"

    source = SourceArgument()
    source_timezone: str | None
    max_rejected: float | str
    max_dropped: float | str
    phone_region: str
    defaults: Mapping[str, Any] | str | None
    same_key: str | Mapping[str, str] | None
    max_part_rows: int | str
    max_part_bytes: int | str | None
    workers: int | str
    skip_empty: bool | str
    resend: bool | str
    journal_conn_id: str | None
    _dry_run: bool | str
    staging_path: str | None
    keep_parts: bool | str
    poke_interval: float | timedelta | str | None
    timeout: float | timedelta | str
    deferrable: bool
    emit_asset: bool
    _emitted: Mapping[str, str] | None = None
    _reported: Delivery | None = None
    _wait_argument: ClassVar[str] = "wait_for_completion"
    _steps_class: ClassVar[str]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**with_retry_policy(kwargs))

    def _keep(self, given: Mapping[str, Any]) -> None:
        """Keep the arguments an ``__init__`` spells, each as the attribute of its name.

        :param given: its ``locals()``, before anything else stands in them.
        """
        for name, value in given.items():
            if name not in ("self", "kwargs", "__class__"):
                setattr(self, "_dry_run" if name == "dry_run" else name, value)
        self.outlets = with_alias(self.outlets, DELIVERED, given["emit_asset"])
        whole = given["__class__"].__init__ is type(self).__init__  # else a class above keeps what it knows of
        if whole and self.deferrable and not DEFERRABLE and not given[self._wait_argument]:
            warnings.warn(
                f"Task {self.task_id!r}: deferrable=True does nothing, as the task does not wait. Add "
                f"{self._wait_argument}=True, or leave deferrable to the sensor that waits.",
                UserWarning,
                stacklevel=2,
            )

    def render_template_fields(self, context: Context, jinja_env: jinja2.Environment | None = None) -> None:
        """A source asks its task to render it, outside of Airflow too."""
        if "task" not in context:
            context = cast("Context", {**context, "task": self})
        super().render_template_fields(context, jinja_env)

    def _steps(self) -> UploadSteps:
        """What this task does, by its arguments: imported where a task runs."""
        module, _, name = self._steps_class.rpartition(".")
        steps: type[UploadSteps] = getattr(import_module(module), name)
        return steps(self)

    def execute(self, context: Context) -> Delivery:
        """Prepare, subtract what is there, send, report, wait if asked."""
        return self._try(context)

    @failure_told()
    def _try(self, context: Context, event: Any = None) -> Delivery:
        """One try. An Airflow that cannot be told when to try again waits in the triggerer for a quota's next day."""
        try:
            return self._steps().deliver(context)
        except QuotaExceeded as error:
            if HAS_POLICIES or not self.deferrable or not error.retry_after:
                raise
            self.log.warning("%s The task waits for that in the triggerer.", error)
            pause = timedelta(seconds=error.retry_after)
        from airflow.triggers.temporal import TimeDeltaTrigger

        self.defer(trigger=TimeDeltaTrigger(pause), method_name="_try")
        raise AssertionError("unreachable: a task that defers is left by an exception")

    @failure_told()
    def execute_complete(self, context: Context, event: Any, delivery: Delivery) -> Delivery:
        """Judge what the trigger heard."""
        return self._steps().resume(context, event, delivery)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """What went where, for OpenLineage: its provider asks, where it is installed."""
        if not self._emitted or not self._reported:
            return None
        from airflow_provider_yandex_orders.lineage import upload_lineage

        (uri,) = self._emitted.values()
        return upload_lineage(self.source, uri, self._reported)
