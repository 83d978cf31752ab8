# SPDX-License-Identifier: Apache-2.0
"""Rows of an Excel workbook's first sheet."""

from __future__ import annotations

import logging
import zlib
from datetime import time
from decimal import Decimal
from typing import IO, Any
from zipfile import BadZipFile

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.sources.base import RowStream, TableRows
from airflow_provider_yandex_orders.sources.excel_errors import check_size, error_cells, with_errors
from airflow_provider_yandex_orders.sources.stored import StoredFile
from airflow_provider_yandex_orders.sources.table_rows import header_of, is_empty, table_of

log = logging.getLogger(__name__)

_EXACT = 10**15
"""Excel keeps fifteen digits: a longer number is not the one that was typed."""


def excel_stream(file: IO[bytes], stored: StoredFile) -> RowStream:
    """The rows of the first sheet people see; its first filled line names the columns."""
    try:
        from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum
    except ImportError:
        raise ConfigurationError(
            f"Read {stored!r}: Excel needs python-calamine. Install airflow-provider-yandex-orders[excel]."
        ) from None
    head = file.read(100).lstrip().lower()
    file.seek(0)
    try:
        check_size(file)
        file.seek(0)
        workbook = CalamineWorkbook.from_filelike(file)
        visible = [sheet.name for sheet in workbook.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
        if not visible:
            return RowStream(None, iter(()))
        check_size(file, visible[0])
        sheet = workbook.get_sheet_by_name(visible[0])
    except PasswordError:
        raise stored.spoilt("the workbook is closed with a password. Save it without one") from None
    except OverflowError as error:
        raise stored.spoilt(f"the workbook is too large to be read: {error}. Save it as CSV") from None
    except (BadZipFile, RuntimeError, zlib.error, EOFError):
        raise stored.spoilt("the workbook is damaged, or of another kind. Save it as .xlsx") from None
    except (CalamineError, OSError):
        what = "a web page under the name of a workbook" if head.startswith(b"<") else "no Excel workbook"
        raise stored.spoilt(f"this is {what}. Save it as .xlsx or as CSV") from None
    if len(visible) > 1:
        log.warning("%r has %d sheets: only the first, %r, is read.", stored, len(visible), visible[0])
    first_column = (sheet.start or (0, 0))[1]  # empty lines above the table are given, empty columns before it are not
    lines = with_errors(sheet.iter_rows(), error_cells(file, visible[0]), first_column)
    names = header_of(lines)
    read = f"The sheet {visible[0]!r} was read, the first of {len(visible)}."
    columns, make = table_of(names)
    filled = (list(map(_meant, cells)) for cells in lines if not is_empty(cells))
    rows = filter(None, map(make, filled))  # a sheet has no line that is too short
    return RowStream(names or None, TableRows(columns, rows), assumed=read)


def _meant(cell: Any) -> Any:
    """A number as it was typed. A cell of dates that holds a zero comes as midnight, and means no date."""
    if isinstance(cell, time):
        return cell if cell != time() else None
    if not isinstance(cell, float):
        return cell
    if abs(cell) >= _EXACT:
        return cell  # an id is then rejected for it
    return int(cell) if cell.is_integer() else Decimal(repr(cell))
