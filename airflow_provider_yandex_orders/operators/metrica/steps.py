# SPDX-License-Identifier: Apache-2.0
"""The steps of the uploads to Metrica: all of them alike, and what each kind does otherwise."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_yandex_orders.delivery.memory import MARK, MARK_LENGTH, Repeats
from airflow_provider_yandex_orders.delivery.parts import Part
from airflow_provider_yandex_orders.delivery.plan import WAYS, Limits, Prepared, Windows
from airflow_provider_yandex_orders.delivery.result import Delivery
from airflow_provider_yandex_orders.exceptions import ConfigurationError, PermanentError
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.metrica import api
from airflow_provider_yandex_orders.metrica.answers import offline_demands, passed, upload_state
from airflow_provider_yandex_orders.metrica.kinds import (
    ATTRIBUTES,
    CONTACTS,
    OFFLINE_CONVERSIONS,
    ORDERS,
    PART_BYTES,
    SIMPLE_ORDERS,
    check_file,
    row_kind,
)
from airflow_provider_yandex_orders.operators.arguments import phone_region, statuses, zone
from airflow_provider_yandex_orders.operators.steps import UploadSteps
from airflow_provider_yandex_orders.rows.defaults import with_defaults
from airflow_provider_yandex_orders.rows.formats import FileFormat, csv_format, json_format
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.rows.options import CheckOptions
from airflow_provider_yandex_orders.sources.parts import parts_in
from airflow_provider_yandex_orders.sources.rows import as_source
from airflow_provider_yandex_orders.templated import mapping, switch
from airflow_provider_yandex_orders.triggers.metrica import MetricaUploadsWait
from airflow_provider_yandex_orders.waiting import Demands, UploadState, Wait

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.operators.metrica.base import MetricaUploadOperator
    from airflow_provider_yandex_orders.operators.metrica.offline_conversions import (
        MetricaUploadOfflineConversionsOperator,
    )
    from airflow_provider_yandex_orders.operators.metrica.simple_orders import MetricaUploadSimpleOrdersOperator

MERGE_MODES = ("SAVE", "UPDATE", "APPEND")
OTHER_ENTITIES = ("CONTACT", "CUSTOM_LIST", "SYSTEM_LIST")
"""What the list of uploads calls such as are no orders; SYSTEM stands for orders and customers alike."""
COMMENT_LENGTH = 255 - MARK_LENGTH
"""What the mark of a part leaves of the service's comment."""


class MetricaSteps(UploadSteps):
    """The steps of one kind of row; a new one needs ``_kind`` and :meth:`_send_part`."""

    task: MetricaUploadOperator
    _kind: ClassVar[RowKind]
    _delimiter: ClassVar[str] = ","

    @abstractmethod
    def _send_part(self, part: Part, *, resend: bool) -> dict[str, Any]:
        """Send one part and return the service's ``uploading`` object.

        :param resend: whether it may go out again when no answer tells whether it arrived.
        """

    def _row_kind(self) -> RowKind:
        return row_kind(self.task.upload_format, self.task.attributes, self._kind)

    def _mapped_columns(self) -> Mapping[str, str]:
        return self.task.attributes or {}

    def _filled_kind(self) -> RowKind:
        options = replace(self._check_options(), reading=as_source(self.task.source).reading)
        return with_defaults(self._row_kind(), self.task.defaults, options)

    def _files(self, kind: RowKind) -> Mapping[str, FileFormat]:
        return {"part": csv_format(kind, self._delimiter) if self.task.upload_format == "csv" else json_format(kind)}

    def _check_options(self) -> CheckOptions:
        checks_targets = switch(self.task.check_targets, "check_targets")
        return CheckOptions(
            counter_zone=lambda: self._counter_zone,
            source_zone=self._source_zone(),
            hash_identifiers=switch(self.task.hash_identifiers, "hash_identifiers"),
            refuse_clear=switch(self.task.refuse_clear_identifiers, "refuse_clear_identifiers"),
            status_map=mapping(self.task.status_map, "status_map"),
            phone_region=phone_region(self.task.phone_region),
            targets=cache(lambda: api.target_faults(self._hook.goals(self._counter))) if checks_targets else None,
            statuses=cache(self._own_statuses),
        )

    def _own_statuses(self) -> Collection[str]:
        """Ids of the statuses the counter has besides the service's."""
        return ()

    def _demands(self) -> Demands:
        """What the end of the uploads must be like."""
        return Demands()

    def _check_arguments(self) -> None:
        super()._check_arguments()
        statuses(self._kind, self.task.status_map, "status_map")
        self.task.attributes = mapping(self.task.attributes, "attributes", otherwise=ATTRIBUTES)
        check_file(self.task.upload_format, self.task.attributes, self._kind)
        if "merge_mode" in self.task.template_fields and self.task.merge_mode not in MERGE_MODES:
            raise ConfigurationError(f"merge_mode must be one of {', '.join(MERGE_MODES)}.")
        for name in ("check_targets", "changed_only", "send", "wait_for_completion"):
            switch(getattr(self.task, name), name)
        _ = self._demands(), self._counter

    # The steps.

    def _place(self) -> dict[str, Any]:
        mode = {"merge_mode": self.task.merge_mode} if self.task.merge_mode else {}
        return {"service": "metrica", "counter_id": self._counter, **mode}

    def _part_limits(self) -> Limits:
        if self.task.too_old not in WAYS:
            raise ConfigurationError(f"too_old must be one of {', '.join(WAYS)}.")
        return self._limits(
            PART_BYTES[self.task.upload_format], Windows(api.LINK_DAYS, api.CHANGE_DAYS, self.task.too_old)
        )

    def _repeats(self) -> Repeats:
        return Repeats(
            counted=self._kind.family == "offline" or switch(self.task.changed_only, "changed_only"),
            resend=switch(self.task.resend, "resend"),
            mode=self.task.merge_mode,
            demands=self._demands(),
            first_use=self._look_first,
        )

    def _look_first(self, parts: Sequence[Part], is_known: Callable[[str], bool]) -> None:
        """Make sure that the counter does not have rows from before there was this journal."""
        for state in self._uploads_before(parts):
            if not self._demands().is_bad(state) and not is_known(state.upload_id):
                raise PermanentError(
                    f"Upload {parts[0].path}: the journal of deliveries knows nothing that was sent to counter "
                    f"{self._counter}, which has uploads, {state.upload_id} for one. Rows that are in them would "
                    "double, so nothing was sent. Let journal_conn_id ([yandex_orders] of the configuration, or the "
                    "task's argument) name the journal that was in use. Where there is none, look at the service: what "
                    "has not arrived is sent by a run of its rows alone with resend=True, once."
                )

    def _uploads_before(self, parts: Sequence[Part]) -> Iterable[UploadState]:
        """Uploads that may hold rows of these parts."""
        return ()

    def _uploader(self, prepared: Prepared) -> Callable[[Part], UploadState]:
        def upload(part: Part) -> UploadState:
            return upload_state(self._kind.family, self._send_part(part, resend=not prepared.has_keyless))

        return upload

    def _to_wait_for(self, delivery: Delivery) -> Wait | None:
        if not switch(self.task.wait_for_completion, "wait_for_completion"):
            return None
        parts = parts_in(delivery)
        ids = [*delivery.get("earlier_uploads", ()), *(part["upload_id"] for part in parts)]
        wanted = {each: self._counter for each in ids if each}
        return self._new_wait().expect(wanted, passed(parts)) if wanted else None

    @property
    def _sends(self) -> bool:
        return switch(self.task.send, "send") and super()._sends

    @cached_property
    def _hook(self) -> MetricaHook:
        return MetricaHook(self.task.metrica_conn_id)

    @cached_property
    def _counter(self) -> int:
        return self._hook.counter_id(self.task.counter_id)

    @cached_property
    def _settings(self) -> Mapping[str, Any]:
        return self._hook.counter(self._counter)

    @cached_property
    def _counter_zone(self) -> Any:
        return zone(str(self._settings.get("time_zone_name")), f"counter {self._counter}")

    def _check_right(self) -> None:
        permission = self._settings.get("permission")
        if permission not in api.CAN_UPLOAD:
            raise ConfigurationError(
                f"Upload to counter {self._counter}: the token of {self._hook.conn_id!r} may only look (permission "
                f"{permission!r}). Give its account edit rights on the counter."
            )

    def _new_wait(self) -> MetricaUploadsWait:
        return MetricaUploadsWait(
            self._kind.family, self.task.metrica_conn_id, self._demands(), self.task.journal_conn_id
        )

    def _finish(self, delivery: Delivery, wait: Wait) -> Delivery:
        wait.result()
        return delivery


class SimpleOrdersSteps(MetricaSteps):
    """Simplified orders."""

    task: MetricaUploadSimpleOrdersOperator
    _kind = SIMPLE_ORDERS

    def _check_arguments(self) -> None:
        super()._check_arguments()
        switch(self.task.require_id, "require_id")

    def _check_options(self) -> CheckOptions:
        return replace(super()._check_options(), require_key=switch(self.task.require_id, "require_id"))

    def _uploads_before(self, parts: Sequence[Part]) -> Iterable[UploadState]:
        for uploading in self._hook.last_uploadings(self._counter):
            if uploading.get("entity_type") not in OTHER_ENTITIES and uploading.get("uploading_format") != "JSON":
                yield upload_state("crm", uploading)

    def _send_part(self, part: Part, *, resend: bool) -> dict[str, Any]:
        return self._hook.upload_simple_orders(self._counter, part.path, merge_mode=self.task.merge_mode, resend=resend)


class ContactsSteps(MetricaSteps):
    """Customers."""

    _kind = CONTACTS
    _delimiter = ";"

    def _send_part(self, part: Part, *, resend: bool) -> dict[str, Any]:
        return self._hook.upload_contacts(
            self._counter,
            part.path,
            upload_format=self.task.upload_format,
            merge_mode=self.task.merge_mode,
            delimiter_type="SEMICOLON",
        )


class OrdersSteps(MetricaSteps):
    """Orders of known customers."""

    _kind = ORDERS
    _delimiter = ";"  # the service asks for it where a cell holds several goals

    def _own_statuses(self) -> Collection[str]:
        return {str(status.get("id")) for status in self._hook.order_statuses(self._counter)}

    def _send_part(self, part: Part, *, resend: bool) -> dict[str, Any]:
        return self._hook.upload_orders(
            self._counter,
            part.path,
            upload_format=self.task.upload_format,
            merge_mode=self.task.merge_mode,
            delimiter_type="SEMICOLON",
        )


class OfflineConversionsSteps(MetricaSteps):
    """Offline conversions."""

    task: MetricaUploadOfflineConversionsOperator
    _kind = OFFLINE_CONVERSIONS

    def _check_arguments(self) -> None:
        super()._check_arguments()
        switch(self.task.file_per_identifier, "file_per_identifier")
        if self.task.comment and (not str(self.task.comment).isalnum() or len(str(self.task.comment)) > COMMENT_LENGTH):
            raise ConfigurationError(
                f"comment may hold letters and digits only, {COMMENT_LENGTH} at most: the service documents no other "
                "signs."
            )

    def _files(self, kind: RowKind) -> Mapping[str, FileFormat]:
        if switch(self.task.file_per_identifier, "file_per_identifier"):
            return {name: csv_format(kind.with_identifier(name)) for name in kind.identifiers}
        return {"part": csv_format(kind)}

    def _demands(self) -> Demands:
        return offline_demands(self.task.min_accepted, self.task.min_linked, self.task.allow_linkage_failure)

    def _repeats(self) -> Repeats:
        return replace(super()._repeats(), find=lambda: self._marked)

    def _uploads_before(self, parts: Sequence[Part]) -> Iterable[UploadState]:
        """Those of this package but the parts themselves, where one of them is not there."""
        ours = {part.mark for part in parts}
        if not ours <= self._marked.keys():
            for mark in filter(MARK.fullmatch, self._marked.keys() - ours):
                yield from self._marked[mark]

    @cached_property
    def _marked(self) -> Mapping[str, Sequence[UploadState]]:
        """The uploads the service lists, by the mark at the end of their comment."""
        marked: defaultdict[str, list[UploadState]] = defaultdict(list)
        for uploading in self._hook.offline_uploadings(self._counter):
            marked[str(uploading.get("comment") or "")[-MARK_LENGTH:]].append(upload_state("offline", uploading))
        return marked

    def _send_part(self, part: Part, *, resend: bool) -> dict[str, Any]:
        comment = f"{self.task.comment or ''}{part.mark}"
        return self._hook.upload_offline_conversions(self._counter, part.path, comment=comment)
