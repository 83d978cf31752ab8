# SPDX-License-Identifier: Apache-2.0
"""What the operators of all uploads to Metrica take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.base import UploadOperator
from airflow_provider_yandex_orders.ui.links import CounterLink
from airflow_provider_yandex_orders.waiting import DEFERRABLE


class MetricaUploadOperator(UploadOperator):
    """Uploads one kind of row to a counter of Metrica.

    A new kind needs its steps; one with arguments of its own lists all of them in its ``__init__``.

    All rows are checked before the first one is sent. The result is the *delivery*: counts, paths and upload ids; it
    also lies under the XCom key ``delivery`` before the task waits or fails. A retry sends only rows the service does
    not have yet.

    All arguments but ``deferrable`` and ``emit_asset`` are templated.

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
    :param workers: how many processes check rows; 1 by default: the task's own. More of them pay from some 100,000 rows
        on, on a machine whose cores are free; the result is the same.
    :param wait_for_completion: ``True`` waits in this task until the service is done with the files; ``False`` by
        default: a sensor does the same as a task of its own.
    :param poke_interval: seconds between two polls of that wait; by default as long as it lasts so far, from 30 to 300.
    :param timeout: seconds after which that wait gives up, two hours by default.
    :param deferrable: wait in the triggerer, without a worker slot; by default ``[operators] default_deferrable``.
    :param emit_asset: ``True`` (by default) emits an asset event of each delivery; ``False`` only of ``outlets``.
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

    operator_extra_links = (*UploadOperator.operator_extra_links, CounterLink())

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
        workers: int | str = 1,
        wait_for_completion: bool | str = False,
        poke_interval: float | timedelta | str | None = None,
        timeout: float | timedelta | str = 2 * 60 * 60,
        deferrable: bool = DEFERRABLE,
        emit_asset: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._keep(locals())
        # What only some kinds have an argument for.
        self.merge_mode = ""
        self.changed_only: bool | str = False
        self.check_targets: bool | str = False
        self.status_map: Mapping[Any, str] | str | None = None
        self.too_old = "send"
        self.upload_format = "csv"
        self.attributes: Mapping[str, str] | None = None
