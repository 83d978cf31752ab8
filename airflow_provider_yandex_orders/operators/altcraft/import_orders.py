# SPDX-License-Identifier: Apache-2.0
"""Imports orders into the Market of an Altcraft Platform."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import Context

from airflow_provider_yandex_orders.altcraft.api import BODY_BYTES
from airflow_provider_yandex_orders.altcraft.batch import BatchImport, keys_of
from airflow_provider_yandex_orders.altcraft.verify import expected_orders, sample_of
from airflow_provider_yandex_orders.delivery.attempted import attempted_keys
from airflow_provider_yandex_orders.delivery.parts import Part
from airflow_provider_yandex_orders.delivery.prepare import Limits, Plan, Prepared, prepare
from airflow_provider_yandex_orders.delivery.progress import Progress, part_key, progress_of
from airflow_provider_yandex_orders.delivery.rejects import FaultFile
from airflow_provider_yandex_orders.delivery.result import DeliveredPart, Delivery, delivery_of, prepared_part
from airflow_provider_yandex_orders.delivery.send import Route, refusals, send_parts
from airflow_provider_yandex_orders.exceptions import RejectedRowsError
from airflow_provider_yandex_orders.hooks.altcraft import AltcraftHook
from airflow_provider_yandex_orders.operators.altcraft.arguments import AltcraftOrderArguments
from airflow_provider_yandex_orders.rows.faults import Fault
from airflow_provider_yandex_orders.storage import staging_folder
from airflow_provider_yandex_orders.templated import switch
from airflow_provider_yandex_orders.triggers.altcraft import AltcraftOrdersWait
from airflow_provider_yandex_orders.waiting import Wait

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
    :param timeout: seconds after which ``verify`` gives up, ten minutes by default.
    """

    def __init__(
        self,
        *,
        verify: bool = False,
        verify_sample: int | None = 100,
        timeout: float | timedelta | str = 10 * 60,
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, **kwargs)
        self.verify = verify
        self.verify_sample = verify_sample
        self._warn_of_idle_deferral(verify)

    _wait_argument: ClassVar[str] = "verify"

    def execute(self, context: Context) -> Delivery:
        """Prepare, import, report, verify if asked."""
        started = time.time()
        self._check_arguments()
        sample_of({}, self.verify_sample)
        kind, limits, sends = self.order_kind, self._limits(BODY_BYTES), not switch(self._dry_run, "dry_run")
        base_url = self.hook.base_url  # asked for before the first row is read
        host = urlsplit(base_url).netloc.rpartition("@")[2]
        folder = staging_folder(self.staging_path, context)
        progress = progress_of(context, folder)

        def key_of(part: Part) -> str:
            return part_key(base_url, kind.name, sha256=part.sha256)

        def delivery_with(counted: Prepared, parts: list[DeliveredPart]) -> Delivery:
            return delivery_of(counted, parts, service="altcraft", entity=kind.name, host=host, sends=sends)

        def told(counted: Prepared) -> None:
            self._report(context, delivery_with(counted, []), folder)

        attempted = attempted_keys(folder, progress, key_of=key_of, keys_in=keys_of)
        files = {"part": self.file_format()}
        prepared = prepare(self._rows_source(), Plan(kind, self.rules(), limits, folder, files, told))
        self._skip_if_empty(prepared.rows_read)
        if not sends:
            delivery = delivery_with(prepared, [prepared_part(part) for part in prepared.parts])
            return self._report(context, delivery, folder)
        batch = BatchImport(self._send, attempted, self.triggers_skipped)
        route = Route(upload=batch.first, key_of=key_of, state_of=lambda _id: None, resend=batch.again)
        delivered: list[DeliveredPart] = []
        try:
            send_parts(prepared.parts, route, progress, delivered)
        finally:
            delivery = delivery_with(prepared, delivered)
            self._report(context, delivery, folder)
        self.log.info("Imported %d orders into %s in %d batch(es).", delivery["rows_sent"], host, len(delivered))
        self._report_refused(delivery, prepared, folder, limits, route, progress)
        expected = self._to_verify(delivery) if self.verify and delivery["rows_sent"] else {}
        short = self._report(context, delivery, folder)
        if expected:
            return self._wait_until_final(context, self._new_wait().expect(expected), short, started)
        # What was sent stays known without the parts: an order that may be there never starts triggers again.
        attempted_keys(folder, progress, key_of=key_of, keys_in=keys_of)
        self._drop_parts(short)
        return short

    @cached_property
    def hook(self) -> AltcraftHook:
        """The hook."""
        return AltcraftHook(self.altcraft_conn_id)

    # The wait.

    def _new_wait(self) -> AltcraftOrdersWait:
        return AltcraftOrdersWait(self.altcraft_conn_id)

    def _finish(self, delivery: Delivery, wait: Wait) -> Delivery:
        delivery["verified"] = wait.result()
        self.log.info("Verified at the platform: %s.", delivery["verified"])
        return delivery

    def _to_verify(self, delivery: Delivery) -> dict[str, str | None]:
        return sample_of(expected_orders(delivery), self.verify_sample)

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
