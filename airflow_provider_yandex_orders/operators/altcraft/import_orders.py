# SPDX-License-Identifier: Apache-2.0
"""Imports orders into the Market of an Altcraft Platform."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import Context

from airflow_provider_yandex_orders.altcraft.api import BODY_BYTES
from airflow_provider_yandex_orders.altcraft.batch import BatchImport, keys_of
from airflow_provider_yandex_orders.altcraft.verify import expected_orders, found_orders, sample_of, still_missing
from airflow_provider_yandex_orders.delivery.attempted import attempted_keys
from airflow_provider_yandex_orders.delivery.parts import Part
from airflow_provider_yandex_orders.delivery.prepare import Limits, Plan, Prepared, prepare
from airflow_provider_yandex_orders.delivery.progress import Progress, part_key, progress_of
from airflow_provider_yandex_orders.delivery.rejects import FaultFile
from airflow_provider_yandex_orders.delivery.result import Delivery, delivery_of
from airflow_provider_yandex_orders.delivery.send import Route, refusals, send_parts
from airflow_provider_yandex_orders.exceptions import RejectedRowsError
from airflow_provider_yandex_orders.hooks.altcraft import AltcraftHook
from airflow_provider_yandex_orders.operators.altcraft.arguments import AltcraftOrderArguments
from airflow_provider_yandex_orders.rows.faults import Fault
from airflow_provider_yandex_orders.storage import staging_folder
from airflow_provider_yandex_orders.triggers.altcraft import AltcraftOrdersTrigger
from airflow_provider_yandex_orders.waiting import UploadState, Wait

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


class AltcraftImportOrdersOperator(AltcraftOrderArguments):
    """Imports orders with their lines, in batches, one after the other.

    All orders are checked before the first is sent. The result is the *delivery*: counts, paths and what became of each
    batch. ``ACCEPTED`` means that the platform took the batch: only ``verify``, or a sensor, sees the orders there.
    Where the platform refuses a batch for what it holds, the batch is halved until each bad order stands alone; those
    are rejected with the platform's words.

    .. seealso:: https://guides.altcraft.com/en/developer-guide/market/orders/56249746

    :param verify: ask the platform for the orders after the import, and fail where one is missing or has another
        status.
    :param verify_sample: how many to ask for, evenly spread; ``None`` for all.
    """

    def __init__(
        self,
        *,
        verify: bool = False,
        verify_sample: int | None = 100,
        wait_timeout: float = 10 * 60,
        **kwargs: Any,
    ) -> None:
        super().__init__(wait_timeout=wait_timeout, **kwargs)
        self.verify = verify
        self.verify_sample = verify_sample

    def execute(self, context: Context) -> Delivery:
        """Prepare, import, report, verify if asked."""
        self.check_arguments()
        sample_of({}, self.verify_sample)
        kind, limits = self.order_kind, self.limits(BODY_BYTES)
        base_url = self.hook.base_url  # asked for before the first row is read
        folder = staging_folder(self.staging_path, context)
        progress = progress_of(context, folder)

        def key_of(part: Part) -> str:
            return part_key(base_url, kind.name, sha256=part.sha256)

        attempted = attempted_keys(folder, progress, key_of=key_of, keys_in=keys_of)
        files = {"part": self.file_format()}
        prepared = prepare(self.rows_source(), Plan(kind, self.rules(), limits, folder, files))
        self.skip_if_empty(prepared.rows_read)
        batch = BatchImport(self._send, attempted, self.triggers_skipped)
        route = Route(upload=batch.first, key_of=key_of, state_of=lambda _id: None, resend=batch.again)
        parts = send_parts(prepared.parts, route, progress)
        host = urlsplit(base_url).netloc.rpartition("@")[2]
        delivery = delivery_of(prepared, parts, service="altcraft", entity=kind.name, host=host)
        self.log.info("Imported %d orders into %s in %d batch(es).", delivery["rows_sent"], host, len(parts))
        self._report_refused(delivery, prepared, folder, limits, route, progress)
        if not (self.verify and delivery["rows_sent"]):
            return delivery
        return self.wait_until_final(Wait(self._to_verify(delivery)), delivery)

    @cached_property
    def hook(self) -> AltcraftHook:
        """The hook."""
        return AltcraftHook(self.altcraft_conn_id)

    # The wait.

    def states(self, ids: Sequence[str]) -> dict[str, UploadState]:
        """The states of orders."""
        return self.hook.order_states(self._expected, ids)

    def trigger(self, wait: Wait, end_time: float) -> AltcraftOrdersTrigger:
        """The trigger that waits in this task's place."""
        return AltcraftOrdersTrigger(
            altcraft_conn_id=self.altcraft_conn_id,
            orders=self._expected,
            poll_interval=self.poll_interval,
            end_time=end_time,
        )

    def judged(self, delivery: Delivery, wait: Wait) -> Delivery:
        """The delivery, with what was found at the platform."""
        delivery["verified"] = found_orders(wait)
        self.log.info("Verified at the platform: %s.", delivery["verified"])
        return delivery

    def late(self, wait: Wait) -> str:
        """Message for a wait that took too long."""
        return still_missing(wait, self.wait_timeout)

    def _to_verify(self, delivery: Delivery) -> dict[str, str | None]:
        self._expected = sample_of(expected_orders(delivery), self.verify_sample)
        return self._expected

    def _send(self, orders: Sequence[Any], skip_triggers: bool) -> None:
        self.hook.import_orders(
            orders,
            skip_triggers=skip_triggers,
            body_format=self.body_format,
            xml_data=self.xml_data,
            **self.definitions,
        )

    def _report_refused(
        self,
        delivery: Delivery,
        prepared: Prepared,
        folder: ObjectStoragePath,
        limits: Limits,
        route: Route,
        progress: Progress,
    ) -> None:
        """Put the orders the platform refused to the other rejects.

        :raises RejectedRowsError: they are too many together; the good ones are sent all the same.
        """
        with FaultFile(folder / "rejected.jsonl", more=True) as rejected:
            for key, said in refusals(prepared.parts, route, progress):
                reason = f"the platform: {said.rstrip('. ')}"
                rejected.add(None, key, [Fault("", "refused", reason, "correct what it names and clear the task")])
        if not rejected.entries:
            return
        delivery["rejected_path"] = rejected.path
        self.log.warning("Orders the platform refused: %d; see %s.", rejected.entries, rejected.path)
        for line in rejected.first:
            self.log.warning("  %s", line)
        if not limits.allows(delivery["rows_rejected"], delivery["rows_read"]):
            raise RejectedRowsError(
                f"Import orders: {delivery['rows_sent']} were imported; {rejected.entries} were refused by the "
                f"platform. That makes {delivery['rows_rejected']} rejected rows, and max_rejected is "
                f"{limits.max_rejected:g}. Each with the platform's words: {rejected.path}. Correct them and clear the "
                "task: it sends only what has not arrived."
            )
