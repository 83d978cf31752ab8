# SPDX-License-Identifier: Apache-2.0
"""The steps of every upload to Metrica: prepare, send each part once, wait if asked, report."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache, cached_property
from typing import Any, ClassVar

from airflow_provider_yandex_orders.delivery.memory import Repeats
from airflow_provider_yandex_orders.delivery.parts import Part
from airflow_provider_yandex_orders.delivery.plan import Limits, Prepared
from airflow_provider_yandex_orders.delivery.result import Delivery
from airflow_provider_yandex_orders.delivery.windows import WAYS, Windows
from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.metrica import api
from airflow_provider_yandex_orders.metrica.answers import upload_state
from airflow_provider_yandex_orders.metrica.api import target_faults
from airflow_provider_yandex_orders.operators.arguments import phone_region, statuses, zone
from airflow_provider_yandex_orders.operators.base import UploadOperator
from airflow_provider_yandex_orders.operators.metrica.files import ATTRIBUTES, PART_BYTES, check_file, row_kind
from airflow_provider_yandex_orders.rows.defaults import with_defaults
from airflow_provider_yandex_orders.rows.formats import FileFormat, csv_format, json_format
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.rows.options import CheckOptions
from airflow_provider_yandex_orders.sources.parts import parts_in
from airflow_provider_yandex_orders.sources.rows import as_source
from airflow_provider_yandex_orders.templated import mapping, switch
from airflow_provider_yandex_orders.triggers.metrica import MetricaUploadsWait
from airflow_provider_yandex_orders.waiting import DEFERRABLE, Demands, UploadState, Wait

MERGE_MODES = ("SAVE", "UPDATE", "APPEND")


class MetricaUploadOperator(UploadOperator):
    """Uploads one kind of row to a counter of Metrica.

    A new kind needs ``_kind`` and :meth:`_send_part`; one with arguments of its own lists all of them in its
    ``__init__``.

    All rows are checked before the first one is sent. The result is the *delivery*: counts, paths and upload ids; it
    also lies under the XCom key ``delivery`` before the task waits or fails. A retry sends only rows the service does
    not have yet.

    All arguments but ``deferrable`` are templated.

    :param source: where the rows come from: a ``SqlSource``, a ``FileSource``, a list of dicts, the output of a task
        that returns one, or of an upload task with ``send=False``.
    :param metrica_conn_id: connection of type ``yandex_metrica``, ``yandex_metrica_default`` by default.
    :param counter_id: the counter; by default the connection's.
    :param source_timezone: zone of date-times without one, such as ``Europe/Moscow``; by default the counter's.
    :param max_rejected: rejected rows that are put up with, a whole number, or a share of all rows below 1; 0 by
        default. With more of them nothing is sent and the task fails.
    :param defaults: values of fields a row has nothing in, such as ``{"currency": "EUR"}``; none by default.
    :param max_dropped: unusable values of one column that may be left out of rows that are sent: a whole number, or a
        share below 1 of the column's values; 0.2 by default. Fewer than five are never too many for a share. With more
        nothing is sent and the task fails.
    :param phone_region: country, by its two letters, whose habits phone numbers without a country code follow; ``RU``
        by default.
    :param same_key: what becomes of rows of one key that differ where no version tells the newest: ``None`` (by
        default) rejects them, ``"last"`` sends the last, ``"merge"`` makes one row of the first filled value of each
        field, with lists joined; a mapping such as ``{"revenue": "sum", "products": "join"}`` names the way of a field:
        ``sum``, ``join``, ``first`` or ``last``; the others take the first filled, and equal rows count too.
    :param skip_empty: ``True`` skips the task when the source has no rows; by default it succeeds without an upload.
    :param hash_identifiers: ``True`` sends md5 sums in place of e-mail addresses and phone numbers; ``False`` by
        default.
    :param refuse_clear_identifiers: ``True`` rejects rows whose e-mail addresses or phone numbers are not hashed yet;
        ``False`` by default.
    :param resend: ``True`` sends rows the destination has already as well, and older versions of what it has; ``False``
        by default.
    :param journal_conn_id: connection of the journal of deliveries; by default ``[yandex_orders] journal_conn_id`` of
        Airflow's configuration, else a file under ``AIRFLOW_HOME``.
    :param send: ``False`` only prepares the parts: another upload task takes the result as its ``source``; ``True`` by
        default.
    :param dry_run: ``True`` checks all rows and writes the parts, and sends nothing; ``False`` by default.
    :param staging_path: folder or object storage URL for parts and rejects; by default ``[yandex_orders] staging_path``
        of Airflow's configuration, else a folder under ``AIRFLOW_HOME``.
    :param keep_parts: ``False`` deletes the part files once they are accepted; ``True`` by default.
    :param max_part_rows: most rows of one uploaded file, 50,000 by default.
    :param max_part_bytes: most bytes of one uploaded file; by default 100 MB of CSV or 2 MB of JSON.
    :param wait_for_completion: ``True`` waits in this task until the service is done with the files; ``False`` by
        default: a sensor does the same as a task of its own.
    :param poke_interval: seconds between two polls of that wait, 30 by default.
    :param timeout: seconds after which that wait gives up, two hours by default.
    :param deferrable: wait in the triggerer, without a worker slot; by default ``[operators] default_deferrable``.
    """

    template_fields: Sequence[str] = (
        *UploadOperator.template_fields,
        "metrica_conn_id",
        "counter_id",
        "hash_identifiers",
        "refuse_clear_identifiers",
        "send",
        "wait_for_completion",
    )
    _kind: ClassVar[RowKind]
    _delimiter: ClassVar[str] = ","

    metrica_conn_id: str
    counter_id: int | str | None
    hash_identifiers: bool | str
    refuse_clear_identifiers: bool | str
    send: bool | str
    wait_for_completion: bool | str

    def __init__(
        self,
        *,
        source: Any,
        metrica_conn_id: str = MetricaHook.default_conn_name,
        counter_id: int | str | None = None,
        source_timezone: str | None = None,
        max_rejected: float | str = 0,
        defaults: Mapping[str, Any] | str | None = None,
        max_dropped: float | str = 0.2,
        phone_region: str = "RU",
        same_key: str | Mapping[str, str] | None = None,
        skip_empty: bool | str = False,
        hash_identifiers: bool | str = False,
        refuse_clear_identifiers: bool | str = False,
        resend: bool | str = False,
        journal_conn_id: str | None = None,
        send: bool | str = True,
        dry_run: bool | str = False,
        staging_path: str | None = None,
        keep_parts: bool | str = True,
        max_part_rows: int | str = 50_000,
        max_part_bytes: int | str | None = None,
        wait_for_completion: bool | str = False,
        poke_interval: float | timedelta | str = 30,
        timeout: float | timedelta | str = 2 * 60 * 60,
        deferrable: bool = DEFERRABLE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._keep(locals())
        # What only some kinds have an argument for.
        self.merge_mode = ""
        self.changed_only: bool | str = False
        self.check_targets: bool | str = False
        self.status_map: Mapping[Any, str] | str | None = None
        self.too_old = WAYS[0]
        self.upload_format = "csv"
        self.attributes: Mapping[str, str] | None = None

    # What kinds of uploads differ in.

    @abstractmethod
    def _send_part(self, part: Part, *, resend: bool) -> dict[str, Any]:
        """Send one part and return the service's ``uploading`` object.

        :param resend: whether it may go out again when no answer tells whether it arrived.
        """

    def _row_kind(self) -> RowKind:
        return row_kind(self.upload_format, self.attributes, self._kind)

    def _mapped_columns(self) -> Mapping[str, str]:
        return self.attributes or {}

    def _filled_kind(self) -> RowKind:
        options = replace(self._check_options(), reading=as_source(self.source).reading)
        return with_defaults(self._row_kind(), self.defaults, options)

    def _files(self, kind: RowKind) -> Mapping[str, FileFormat]:
        return {"part": csv_format(kind, self._delimiter) if self.upload_format == "csv" else json_format(kind)}

    def _check_options(self) -> CheckOptions:
        checks_targets = switch(self.check_targets, "check_targets")
        return CheckOptions(
            counter_zone=lambda: self._counter_zone,
            source_zone=self._source_zone(),
            hash_identifiers=switch(self.hash_identifiers, "hash_identifiers"),
            refuse_clear=switch(self.refuse_clear_identifiers, "refuse_clear_identifiers"),
            status_map=mapping(self.status_map, "status_map"),
            phone_region=phone_region(self.phone_region),
            targets=cache(lambda: target_faults(self._hook.goals(self._counter))) if checks_targets else None,
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
        statuses(self._kind, self.status_map, "status_map")
        self.attributes = mapping(self.attributes, "attributes", otherwise=ATTRIBUTES)
        check_file(self.upload_format, self.attributes, self._kind)
        if "merge_mode" in self.template_fields and self.merge_mode not in MERGE_MODES:
            raise ConfigurationError(f"merge_mode must be one of {', '.join(MERGE_MODES)}.")
        for name in ("check_targets", "changed_only", "send", "wait_for_completion"):
            switch(getattr(self, name), name)
        _ = self._demands(), self._counter

    # The steps.

    def _place(self) -> dict[str, Any]:
        mode = {"merge_mode": self.merge_mode} if self.merge_mode else {}
        return {"service": "metrica", "counter_id": self._counter, **mode}

    def _part_limits(self) -> Limits:
        if self.too_old not in WAYS:
            raise ConfigurationError(f"too_old must be one of {', '.join(WAYS)}.")
        return self._limits(PART_BYTES[self.upload_format], Windows(api.LINK_DAYS, api.CHANGE_DAYS, self.too_old))

    def _repeats(self) -> Repeats:
        return Repeats(
            counted=self._kind.family == "offline" or switch(self.changed_only, "changed_only"),
            resend=switch(self.resend, "resend"),
            mode=self.merge_mode,
            demands=self._demands(),
        )

    def _uploader(self, prepared: Prepared) -> Callable[[Part], UploadState]:
        self._check_right()  # asked for before the first file is sent

        def upload(part: Part) -> UploadState:
            return upload_state(self._kind.family, self._send_part(part, resend=not prepared.has_keyless))

        return upload

    def _to_wait_for(self, delivery: Delivery) -> Mapping[str, int]:
        if not switch(self.wait_for_completion, "wait_for_completion"):
            return {}
        return {part["upload_id"]: self._counter for part in parts_in(delivery) if part["upload_id"]}

    @property
    def _sends(self) -> bool:
        return switch(self.send, "send") and super()._sends

    @cached_property
    def _hook(self) -> MetricaHook:
        return MetricaHook(self.metrica_conn_id)

    @cached_property
    def _counter(self) -> int:
        return self._hook.counter_id(self.counter_id)

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
                f"Upload to counter {self._counter}: the token of {self.metrica_conn_id!r} may only look (permission "
                f"{permission!r}). Give its account edit rights on the counter."
            )

    def _new_wait(self) -> MetricaUploadsWait:
        return MetricaUploadsWait(self._kind.family, self.metrica_conn_id, self._demands(), self.journal_conn_id)

    def _finish(self, delivery: Delivery, wait: Wait) -> Delivery:
        wait.result()
        return delivery
