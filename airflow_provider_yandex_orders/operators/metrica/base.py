# SPDX-License-Identifier: Apache-2.0
"""The steps of every upload to Metrica: prepare, send each part once, wait if asked, report."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from airflow.providers.common.compat.sdk import Context

from airflow_provider_yandex_orders.delivery.parts import Part
from airflow_provider_yandex_orders.delivery.prepare import Plan, Prepared, prepare
from airflow_provider_yandex_orders.delivery.progress import part_key, progress_of
from airflow_provider_yandex_orders.delivery.result import DeliveredPart, Delivery, delivery_of, upload_ids_of
from airflow_provider_yandex_orders.delivery.send import Route, send_parts
from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.metrica import api
from airflow_provider_yandex_orders.operators.base import UploadOperator, zone
from airflow_provider_yandex_orders.rows.convert import Rules
from airflow_provider_yandex_orders.rows.formats import FileFormat
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.storage import staging_folder
from airflow_provider_yandex_orders.triggers.metrica import MetricaUploadsTrigger
from airflow_provider_yandex_orders.waiting import Demands, UploadState, Wait, judge, still_open


class MetricaUploadOperator(UploadOperator):
    """Uploads one kind of row to a counter of Metrica.

    All rows are checked before the first one is sent. The result is the *delivery*: counts, paths and upload ids.
    A retry sends only the parts the service does not have yet.

    :param metrica_conn_id: connection of type ``yandex_metrica``. (templated)
    :param counter_id: the counter; by default the connection's. (templated)
    :param hash_identifiers: send md5 sums in place of e-mail addresses and phone numbers.
    :param refuse_clear_identifiers: reject rows whose e-mail addresses or phone numbers are not hashed yet.
    :param send: ``False`` only prepares the parts: another upload task takes the result as its ``source``.
    :param wait_for_completion: wait in this task until the service is done with the files; a sensor does the same as
        a task of its own.
    """

    template_fields: Sequence[str] = (*UploadOperator.template_fields, "metrica_conn_id", "counter_id")
    kind: ClassVar[RowKind]
    family: ClassVar[str]

    def __init__(
        self,
        *,
        metrica_conn_id: str = MetricaHook.default_conn_name,
        counter_id: int | str | None = None,
        hash_identifiers: bool = False,
        refuse_clear_identifiers: bool = False,
        send: bool = True,
        wait_for_completion: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.metrica_conn_id = metrica_conn_id
        self.counter_id = counter_id
        self.hash_identifiers = hash_identifiers
        self.refuse_clear_identifiers = refuse_clear_identifiers
        self.send = send
        self.wait_for_completion = wait_for_completion

    def execute(self, context: Context) -> Delivery:
        """Prepare, send, wait if asked, report."""
        self.check_arguments()
        kind = self.row_kind()
        folder = staging_folder(self.staging_path, context)
        plan = Plan(
            kind=kind,
            rules=self.rules(),
            limits=self.limits(self.default_part_bytes, window_days=api.LINKING_WINDOW_DAYS),
            folder=folder,
            files=self.files(kind),
            is_known=self.is_known(),
        )
        prepared = prepare(self.rows_source(), plan)
        self.skip_if_empty(prepared.rows_read)
        if not self.send:
            return self._delivery(prepared, [_prepared_part(part) for part in prepared.parts])
        if prepared.parts:
            self._check_right()  # asked for before the first file is
        route = Route(
            upload=lambda part: self.upload(part, resend=not prepared.has_keyless),
            key_of=lambda part: part_key(*self.destination(), sha256=part.sha256),
            state_of=lambda upload_id: self.states([upload_id]).get(upload_id),
            find=self.find if self.must_not_repeat else None,
            may_repeat=not prepared.has_keyless,
        )
        parts = send_parts(prepared.parts, route, progress_of(context, folder))
        delivery = self._delivery(prepared, parts)
        self.log.info("Sent %d rows to counter %d in %d part(s).", delivery["rows_sent"], self.counter, len(parts))
        self.delivered(delivery)
        if self.wait_for_completion and parts:
            return self.wait_until_final(Wait(upload_ids_of(delivery)), delivery)
        return delivery

    # What kinds of uploads differ in.

    default_part_bytes: int = 100_000_000
    must_not_repeat: ClassVar[bool] = False
    """Whether a part that may have arrived is looked up before it is sent again."""

    @abstractmethod
    def upload(self, part: Part, *, resend: bool) -> UploadState:
        """Send one part and read the answer."""

    @abstractmethod
    def files(self, kind: RowKind) -> Mapping[str, FileFormat]:
        """Names of the upload's files and how each is written."""

    def row_kind(self) -> RowKind:
        """The rows as this task sends them."""
        return self.kind

    def rules(self) -> Rules:
        """How rows are checked."""
        return Rules(
            counter_zone=lambda: self._counter_zone,
            source_zone=self.source_zone(),
            hash_identifiers=self.hash_identifiers,
            refuse_clear=self.refuse_clear_identifiers,
            status_map=self.status_map or {},
        )

    def destination(self) -> tuple[object, ...]:
        """What besides its content tells whether a part was sent before."""
        return (self.hook.base_url, self.counter, self.kind.name)

    def check_arguments(self) -> None:
        """Make sure that the arguments can work.

        :raises ConfigurationError: one cannot.
        """
        self.check_status_map(self.kind, self.status_map, "status_map")

    def find(self, part: Part) -> UploadState | None:
        """Look up a part that was sent without an answer."""
        return None

    def is_known(self) -> Any:
        """Tells whether the service has a customer; ``None`` where that is not asked."""
        return None

    def delivered(self, delivery: Delivery) -> None:
        """Take note of what was accepted."""

    def demands(self) -> Demands:
        """What the end of the uploads must be like."""
        return Demands()

    # What they share.

    @cached_property
    def hook(self) -> MetricaHook:
        """The hook."""
        return MetricaHook(self.metrica_conn_id)

    @cached_property
    def counter(self) -> int:
        """The counter's number."""
        return self.hook.counter_id(self.counter_id)

    @cached_property
    def _settings(self) -> Mapping[str, Any]:
        return self.hook.counter(self.counter)

    @cached_property
    def _counter_zone(self) -> Any:
        return zone(str(self._settings.get("time_zone_name")), f"counter {self.counter}")

    def _check_right(self) -> None:
        permission = self._settings.get("permission")
        if permission not in api.CAN_UPLOAD:
            raise ConfigurationError(
                f"Upload to counter {self.counter}: the token of {self.metrica_conn_id!r} may only look (permission "
                f"{permission!r}). Give its account edit rights on the counter."
            )

    def _delivery(self, prepared: Prepared, parts: list[DeliveredPart]) -> Delivery:
        return delivery_of(prepared, parts, service="metrica", entity=self.kind.name, counter_id=self.counter)

    # The wait.

    def states(self, ids: Sequence[str]) -> dict[str, UploadState]:
        """The states of uploads."""
        return self.hook.upload_states(self.family, self.counter, ids)

    def trigger(self, wait: Wait, end_time: float) -> MetricaUploadsTrigger:
        """The trigger that waits in this task's place."""
        return MetricaUploadsTrigger(
            family=self.family,
            metrica_conn_id=self.metrica_conn_id,
            counter_id=self.counter,
            upload_ids=list(wait.states),
            poll_interval=self.poll_interval,
            end_time=end_time,
        )

    def judged(self, delivery: Delivery, wait: Wait) -> Delivery:
        """The delivery with the final state of every part."""
        judge(wait, self.demands())
        for part in delivery["parts"]:
            state = wait.states.get(part["upload_id"] or "")
            if state is not None:
                part["status"], part["rows_accepted"] = state.status, state.rows_accepted
        return delivery

    def late(self, wait: Wait) -> str:
        """Message for a wait that took too long."""
        return still_open(wait, self.wait_timeout)


def _prepared_part(part: Part) -> DeliveredPart:
    return DeliveredPart(
        path=part.path,
        rows=part.rows,
        bytes=part.bytes,
        sha256=part.sha256,
        upload_id=None,
        status="PREPARED",
        rows_accepted=None,
    )
