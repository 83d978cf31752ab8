# SPDX-License-Identifier: Apache-2.0
"""The command ``explain``: the source text of the quick pass that an upload makes for its plainly good rows."""

from __future__ import annotations

import sys
import tempfile
from argparse import Namespace
from contextlib import ExitStack

from airflow_provider_yandex_orders.cli.check import CANNOT_CHECK, WOULD_SEND, steps_of
from airflow_provider_yandex_orders.cli.options import WrongOption
from airflow_provider_yandex_orders.delivery.columns import check_mapping
from airflow_provider_yandex_orders.delivery.plan import Limits, Plan
from airflow_provider_yandex_orders.delivery.prepare import sorter_of
from airflow_provider_yandex_orders.exceptions import PermanentError
from airflow_provider_yandex_orders.sources.base import RowStream
from airflow_provider_yandex_orders.sources.columns import names_of


def explain(options: Namespace) -> int:
    """Print the pass that is made for rows which have a column for every field.

    :param options: as :data:`~airflow_provider_yandex_orders.cli.options.EXPLAIN` has them.
    :return: 0: it is printed, or it is said that there is none; 2: the options cannot work.
    """
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    options.files = []
    with tempfile.TemporaryDirectory(prefix="yandex-orders-") as folder, ExitStack() as opened:
        try:
            steps, source, _kind = steps_of(options, folder)
            kind = steps._filled_kind()
            place = ObjectStoragePath(folder)
            plan = Plan(
                kind,
                steps._check_options(),
                Limits(),
                place,
                steps._files(kind),
                merge_mode=options.merge_mode or "SAVE",
            )
            check_mapping(source.columns, kind)
            columns = dict.fromkeys(name for field in kind.field_names for name in names_of(source.columns, field))
            stream = RowStream(list(columns), iter(()), source.reading)
            text = sorter_of(source, plan, stream, opened).explained(tuple(columns))
        except (WrongOption, PermanentError) as error:
            print(f"Cannot explain: {error}", file=sys.stderr)
            return CANNOT_CHECK
    print(text or "There is no quick pass: every row goes through the full checkers.")
    return WOULD_SEND
