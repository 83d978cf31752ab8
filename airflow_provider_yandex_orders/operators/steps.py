# SPDX-License-Identifier: Apache-2.0
"""The steps of every upload: take the arguments, report the delivery, wait if asked. Only a worker imports them."""

from __future__ import annotations

import copy
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from airflow.providers.common.compat.sdk import AirflowSkipException, Context

from airflow_provider_yandex_orders.assets import DELIVERED, delivered, emit
from airflow_provider_yandex_orders.delivery.memory import Memory, Repeats
from airflow_provider_yandex_orders.delivery.parts import Part
from airflow_provider_yandex_orders.delivery.plan import Limits, Plan, Prepared, Windows
from airflow_provider_yandex_orders.delivery.prepare import prepare
from airflow_provider_yandex_orders.delivery.result import (
    PREPARED,
    DeliveredPart,
    Delivery,
    compacted,
    delivered_part,
    delivery_of,
    restored,
)
from airflow_provider_yandex_orders.delivery.same_key import read_same_key
from airflow_provider_yandex_orders.delivery.send import send_parts
from airflow_provider_yandex_orders.exceptions import PassingError, PermanentError, UploadFailedError
from airflow_provider_yandex_orders.hooks.base import ServiceHook, place_of
from airflow_provider_yandex_orders.journal.records import Destination, TaskKey, Try
from airflow_provider_yandex_orders.journal.store import Journal, open_journal
from airflow_provider_yandex_orders.journal.tripwire import Tripwire
from airflow_provider_yandex_orders.log_lines import folded
from airflow_provider_yandex_orders.operators.arguments import pause, phone_region, seconds, zone
from airflow_provider_yandex_orders.rows.formats import FileFormat
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.rows.options import CheckOptions
from airflow_provider_yandex_orders.sources.base import Source
from airflow_provider_yandex_orders.sources.parts import PartsSource, parts_in
from airflow_provider_yandex_orders.sources.rows import as_source
from airflow_provider_yandex_orders.storage import staging_folder
from airflow_provider_yandex_orders.summary import tell
from airflow_provider_yandex_orders.templated import number, switch, whole
from airflow_provider_yandex_orders.waiting import UploadState, Wait, seconds_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    from airflow_provider_yandex_orders.operators.base import UploadOperator

log = logging.getLogger(__name__)

_OR_SHARE = "0 or more, or a share below 1"


class UploadSteps(ABC):
    """What a task does, once it is rendered."""

    task: UploadOperator

    def __init__(self, task: UploadOperator) -> None:
        self.task = task
        self._reported: Delivery | None = None

    # What operators differ in.

    @abstractmethod
    def _row_kind(self) -> RowKind:
        """The rows as this task sends them."""

    def _filled_kind(self) -> RowKind:
        """The same, with this task's defaults."""
        return self._row_kind()

    @abstractmethod
    def _check_options(self) -> CheckOptions:
        """How rows are checked."""

    @abstractmethod
    def _part_limits(self) -> Limits:
        """The sizes and the tolerance."""

    @abstractmethod
    def _files(self, kind: RowKind) -> Mapping[str, FileFormat]:
        """Names of the upload's files and how each is written."""

    @abstractmethod
    def _place(self) -> dict[str, Any]:
        """Service and place as the delivery names them."""

    @property
    @abstractmethod
    def _hook(self) -> ServiceHook:
        """What all requests go through."""

    @abstractmethod
    def _repeats(self) -> Repeats:
        """What a second sending of a row comes to."""

    @abstractmethod
    def _uploader(self, prepared: Prepared) -> Callable[[Part], UploadState]:
        """What sends a part and reads the answer."""

    def _check_right(self) -> None:
        """Make sure that the connection can work, and that it may send, as far as the service tells."""
        _ = self._hook.client

    @abstractmethod
    def _to_wait_for(self, delivery: Delivery) -> Wait | None:
        """The wait for what this task waits for: none where it does not wait."""

    @abstractmethod
    def _new_wait(self) -> Wait:
        """How this task waits."""

    @abstractmethod
    def _finish(self, delivery: Delivery, wait: Wait) -> Delivery:
        """The delivery, when all is final."""

    def _conclude(self, delivery: Delivery, prepared: Prepared, folder: ObjectStoragePath) -> None:  # noqa: B027 - most add nothing
        """Add what is known when all parts are sent."""

    def _mapped_columns(self) -> Mapping[str, str]:
        """Columns this task maps besides those of the source."""
        return {}

    # Arguments.

    def _rows_source(self) -> Source:
        """The source, with all columns mapped that this task maps."""
        source = copy.copy(as_source(self.task.source))
        if isinstance(source, PartsSource):
            source.check_destination(entity=self._row_kind().name, **self._place())
        source.columns = {**(source.columns or {}), **self._mapped_columns()} or None
        return source

    def _limits(self, default_part_bytes: int, windows: Windows | None = None) -> Limits:
        """The sizes and the tolerance.

        :param default_part_bytes: bytes of a part where the user names none.
        """
        named = self.task.max_part_bytes not in (None, "", "None")
        return Limits(
            max_rejected=number(self.task.max_rejected, "max_rejected", meaning=f"a number of rows, {_OR_SHARE}"),
            max_dropped=number(self.task.max_dropped, "max_dropped", meaning=f"a number of values, {_OR_SHARE}"),
            max_part_rows=whole(self.task.max_part_rows, "max_part_rows"),
            max_part_bytes=whole(self.task.max_part_bytes, "max_part_bytes") if named else default_part_bytes,
            windows=windows,
        )

    def _check_arguments(self) -> None:
        """Make sure that the arguments can work."""
        for name in ("skip_empty", "keep_parts", "resend"):
            switch(getattr(self.task, name), name)
        switch(self.task._dry_run, "dry_run")
        whole(self.task.workers, "workers")
        seconds(self.task.timeout, "timeout")
        pause(self.task.poke_interval, "poke_interval")
        phone_region(self.task.phone_region)

    def _source_zone(self) -> ZoneInfo | None:
        """Zone of date-times without one."""
        if not self.task.source_timezone or isinstance(as_source(self.task.source), PartsSource):
            return None  # prepared parts are in the counter's zone already
        return zone(self.task.source_timezone, "source_timezone")

    # The delivery.

    def deliver(self, context: Context) -> Delivery:
        """Prepare, subtract what is there, send, report, wait if asked."""
        started = time.time()
        self._check_arguments()
        with self._told():
            delivery = self._deliver_parts(context)  # others may send, and the journal is closed, while this task waits
            if not self._sends:
                return delivery
            wait = self._to_wait_for(delivery)
            if wait is not None:
                return self._wait_until_final(context, wait, delivery, started)
            self._drop_parts(delivery)
            self._complete(context)
            self._skip_if_empty(delivery["rows_read"])
            return self._emit(context, delivery)

    def _deliver_parts(self, context: Context) -> Delivery:
        """The delivery, when every part is sent."""
        source, sends, place = self._rows_source(), self._sends, self._place()
        folder = staging_folder(self.task.staging_path, context)
        with open_journal(self.task.journal_conn_id) as journal, ExitStack() as held:
            memory = Memory(journal, self._destination, self._repeats(), held)
            if sends:
                memory.planned = source.planned if isinstance(source, PartsSource) else None
                memory.begin(_task_key(context), _try_of(context), Tripwire.of(context))
            if memory.result is not None:
                log.info("An earlier try of this task sent everything: only the wait is left.")
                return self._report(context, restored(cast("Delivery", memory.result), memory.earlier), folder)
            kind, options, limits = self._filled_kind(), self._check_options(), self._part_limits()
            same_key = read_same_key(self.task.same_key, kind)
            if sends:
                self._check_right()  # before the first row is read
            delivered: list[DeliveredPart] = []

            def rejected_rows(prepared: Prepared) -> dict[str, int]:
                return {code: told["rows"] for code, told in prepared.rejected.items()}

            def report(prepared: Prepared) -> Delivery:
                whole_delivery = delivery_of(
                    prepared,
                    delivered,
                    earlier=memory.earlier,
                    entity=kind.name,
                    sends=sends,
                    worth=kind.money is not None,
                    **place,
                )
                if sends and memory.unjudged:
                    whole_delivery["earlier_uploads"] = memory.unjudged
                self._report(context, whole_delivery, folder)
                if sends:
                    memory.counted(whole_delivery, rejected_rows(prepared))
                return whole_delivery

            plan = Plan(
                kind=kind,
                options=options,
                limits=limits,
                folder=folder,
                files=self._files(kind),
                counted=report,
                merge_mode=place.get("merge_mode", "SAVE"),
                memory=memory,
                same_key=same_key,
                sends=sends,
                workers=whole(self.task.workers, "workers"),
            )
            prepared = prepare(source, plan)
            if not sends:
                self._skip_if_empty(prepared.rows_read)
                delivered += (delivered_part(part, PREPARED) for part in prepared.parts)
                return self._report(context, report(prepared), folder)
            try:
                if prepared.parts:
                    upload = self._uploader(prepared)
                    with folded("Send"):
                        send_parts(prepared.parts, upload, memory, delivered, may_repeat=not prepared.has_keyless)
            finally:
                delivery = report(prepared)
                self._tell_spent(journal)
            rows = sum(part["rows"] for part in delivered)
            log.info("Sent in this try: %d rows in %d part(s).", rows, len(delivered))
            try:
                self._conclude(delivery, prepared, folder)
            finally:
                delivery = self._report(context, delivery, folder)
            # Keys of rows stay out of the journal.
            kept = {name: value for name, value in delivery.items() if name not in ("rejected", "dropped")}
            memory.sent(kept, rejected_rows(prepared))
            return delivery

    @property
    def _sends(self) -> bool:
        return not switch(self.task._dry_run, "dry_run")

    @cached_property
    def _destination(self) -> Destination:
        place = self._place()
        return Destination(
            place["service"], place_of(self._hook.base_url), str(place.get("counter_id", "")), self._row_kind().name
        )

    def _complete(self, context: Context) -> None:
        """Tell the journal that nothing is left to do: a task cleared from now on begins a new delivery."""
        with open_journal(self.task.journal_conn_id) as journal:
            journal.complete(self._destination, _task_key(context))
            try:
                journal.purge()
            except (PassingError, PermanentError) as error:
                log.warning("Old rows of the journal were not removed: %s", error)

    def _tell_spent(self, journal: Journal) -> None:
        """Write down what this try spent of the account's requests."""
        account = f"the connection {self._hook.conn_id}"
        try:
            sent = self._hook.client.sent
            today, waits = journal.spend(account, datetime.now(UTC).date(), sent)
        except (PassingError, PermanentError) as error:
            log.warning("The requests are not written down: %s", error)
        else:
            told = "Requests of this try: %d; today, of %s: %d, of them by waits: %d."
            log.info(told, sent, self._hook.conn_id, today, waits)

    def _report(self, context: Context, delivery: Delivery, folder: ObjectStoragePath) -> Delivery:
        """Put what is known so far into XCom, where it stays when the task waits or fails.

        :return: the delivery as it goes through XCom.
        """
        self.task._reported = self._reported = short = delivery
        try:
            short = compacted(delivery, folder)
            context["ti"].xcom_push(key="delivery", value=short)
        except Exception as error:  # noqa: BLE001 - what only tells never fails a delivery
            log.warning("The delivery could not be put into XCom (%s).", type(error).__name__)
        return short

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say in the log, when all is over, what became of the rows, as far as it is known."""
        try:
            yield
        except (PassingError, PermanentError):
            if self._reported:
                tell(self._reported)
            raise
        if self._reported:
            tell(self._reported)

    def _skip_if_empty(self, rows_read: int) -> None:
        """End the task as skipped when there was nothing to read and the user wants that."""
        if rows_read == 0:
            if switch(self.task.skip_empty, "skip_empty"):
                raise AirflowSkipException("The source gave no rows: skipped, as skip_empty asks.")
            log.info("The source gave no rows: nothing is sent, and that is fine.")

    def _drop_parts(self, delivery: Delivery) -> None:
        """Delete the part files, where the user does not want to keep what was accepted."""
        if switch(self.task.keep_parts, "keep_parts"):
            return
        from airflow.providers.common.compat.sdk import ObjectStoragePath

        source = as_source(self.task.source)
        prepared = source.parts() if isinstance(source, PartsSource) else []  # what an earlier task left for this one
        for part in [*parts_in(delivery), *prepared]:
            try:
                ObjectStoragePath(part["path"]).unlink(missing_ok=True)
            except Exception as error:  # noqa: BLE001 - the rows were accepted
                log.warning("Part %s could not be deleted (%s).", part["path"], type(error).__name__)

    # The wait.

    def _wait_until_final(self, context: Context, wait: Wait, delivery: Delivery, started: float) -> Delivery:
        """Wait in the worker; a deferrable task asks once and leaves the rest to a trigger.

        :param started: when the task began, in seconds since 1970.
        """
        every, most = pause(self.task.poke_interval, "poke_interval"), seconds(self.task.timeout, "timeout")
        try:
            with folded("Wait"):
                if not self.task.deferrable:
                    wait.run(every, most)
                elif not wait.poll():
                    kwargs = {"delivery": delivery}
                    wait.hand_over(self.task, poke_interval=every, seconds=most, started=started, kwargs=kwargs)
        finally:
            wait.tell_spent()
        return self._end(context, delivery, wait)

    def resume(self, context: Context, event: Any, delivery: Delivery) -> Delivery:
        """Judge what the trigger heard."""
        wait, self._reported = self._new_wait(), delivery
        with self._told():
            if not wait.resume(event):
                raise PassingError(
                    wait.late(seconds_of(seconds(self.task.timeout, "timeout"), self.task.execution_timeout))
                )
            return self._end(context, delivery, wait)

    def _end(self, context: Context, delivery: Delivery, wait: Wait) -> Delivery:
        folder = staging_folder(self.task.staging_path, context)
        whole_delivery = delivery
        if "parts_path" in delivery:
            with open_journal(self.task.journal_conn_id) as journal:
                whole_delivery = restored(delivery, journal.last_parts(self._destination, _task_key(context)))
        for part in whole_delivery["parts"]:
            state = wait.heard.states.get(part["upload_id"] or "")
            if state is not None:
                part["status"], part["rows_accepted"] = state.status, state.rows_accepted
        short = self._report(context, whole_delivery, folder)
        try:
            short = self._finish(short, wait)
        except UploadFailedError:
            self._complete(context)
            raise
        self._drop_parts(short)
        self._complete(context)
        return self._emit(context, short)

    def _emit(self, context: Context, delivery: Delivery) -> Delivery:
        """Tell who waits for the rows that they are there."""
        there = self._destination
        told = {there.entity: delivered(self._reported or delivery)}  # with all parts, however many
        emit(self.task, context, DELIVERED, (there.service, there.host, there.counter), told)
        return delivery


def _task_key(context: Context) -> TaskKey:
    ti = context["ti"]
    return TaskKey(ti.dag_id, ti.run_id, ti.task_id, -1 if ti.map_index is None else ti.map_index)


def _try_of(context: Context) -> Try:
    ti, began = context["ti"], getattr(context.get("dag_run"), "start_date", None)
    since = began and began.astimezone(UTC).replace(tzinfo=None)
    return Try(getattr(ti, "try_number", 0), getattr(ti, "max_tries", 0), since)
