# SPDX-License-Identifier: Apache-2.0
"""Uploads offline conversions to Metrica."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow_provider_yandex_orders.hooks.metrica import MetricaHook
from airflow_provider_yandex_orders.operators.metrica.base import MetricaUploadOperator
from airflow_provider_yandex_orders.waiting import DEFERRABLE


class MetricaUploadOfflineConversionsOperator(MetricaUploadOperator):
    """Uploads goals that were reached away from the site.

    Fields: ``Target``, ``DateTime``, one of ``ClientId``, ``UserId``, ``Yclid``, ``PurchaseId``, and optionally
    ``Price`` and ``Currency``. Rows of the future are not sent: they lie in the delivery's ``deferred_path`` for a
    later run.

    A sale sent here and as a CRM order that reaches the same goal counts twice: send each sale by one of the two.

    .. seealso:: https://yandex.ru/dev/metrika/ru/management/openapi/offline_conversions/upload_1

    All arguments but ``deferrable`` and ``emit_asset`` are templated.

    :param source: where the rows come from: a ``SqlSource``, a ``FileSource``, a list of dicts, the output of a task
        that returns one, or of an upload task with ``send=False``.
    :param metrica_conn_id: connection of type ``yandex_metrica``, ``yandex_metrica_default`` by default.
    :param counter_id: the counter; by default the connection's.
    :param comment: your own text, kept with the upload: letters and digits only; none by default. A mark follows it, by
        which an upload without an answer is found again.
    :param file_per_identifier: ``True`` sends one file for each kind of identifier, each row by the first it has; by
        default one file has them all.
    :param check_targets: ask for the counter's goals first and reject rows that name a goal it does not have; ``True``
        by default.
    :param min_accepted: with ``wait_for_completion``: least share of accepted rows, from 0 to 1; 1 by default.
    :param min_linked: likewise, least share of accepted rows that found a visit, where the service says; 0 by default.
    :param allow_linkage_failure: ``True`` puts up with uploads none of whose visitors was found: such a part is not
        sent again by a later try either; ``False`` by default.
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
    :param too_old: what becomes of rows that are of no use any more: new to the service and made more than 21 days ago
        (they find no visit), or changed and made more than 111 days ago (the service takes no change): ``send`` (by
        default), ``hold`` (they wait in the delivery's ``deferred_path``) or ``reject``. They are counted before the
        first row is sent.
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
        *MetricaUploadOperator.template_fields,
        "comment",
        "file_per_identifier",
        "check_targets",
        "min_accepted",
        "min_linked",
        "allow_linkage_failure",
        "too_old",
    )
    _steps_class = "airflow_provider_yandex_orders.operators.metrica.steps.OfflineConversionsSteps"

    comment: str | None
    file_per_identifier: bool | str
    min_accepted: float | str
    min_linked: float | str
    allow_linkage_failure: bool | str

    def __init__(
        self,
        *,
        source: Any,
        metrica_conn_id: str = MetricaHook.default_conn_name,
        counter_id: int | str | None = None,
        comment: str | None = None,
        file_per_identifier: bool | str = False,
        check_targets: bool | str = True,
        min_accepted: float | str = 1,
        min_linked: float | str = 0,
        allow_linkage_failure: bool | str = False,
        source_timezone: str | None = None,
        max_rejected: float | str = 0,
        defaults: Mapping[str, Any] | str | None = None,
        max_dropped: float | str = 0.2,
        phone_region: str = "RU",
        same_key: str | Mapping[str, str] | None = None,
        too_old: str = "send",
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
        super().__init__(source=source, **kwargs)
        self._keep(locals())
