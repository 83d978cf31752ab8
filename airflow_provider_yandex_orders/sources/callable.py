# SPDX-License-Identifier: Apache-2.0
"""Rows that a function of the user's gives: a page of an API after the other, a generator, a resource of ``dlt``."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_yandex_orders.exceptions import ConfigurationError, SourceError, SourceUnavailable
from airflow_provider_yandex_orders.sources.base import ColumnMap, Row, RowStream, Source, plain


@dataclass(eq=False, repr=False)
class CallableSource(Source):
    """The rows a function gives, called in the task that reads them, each taken as it comes.

    It may give one dict at a time or a list of them (a page), as a generator or as a whole. Its rows never go through
    XCom. What it raises is tried again, unless it is one of Airflow's own exceptions, which stay what they are.

    :param callable: the function, or where it is found: ``package.module.function``.
    :param op_args: its arguments. (templated)
    :param op_kwargs: its named arguments. (templated)
    :param columns: ``{"target field": "key of the rows"}`` where names differ; a dotted path into nested objects; or a
        list of keys, of which list fields take all and others the first filled. (templated)
    """

    template_fields: ClassVar[tuple[str, ...]] = ("op_args", "op_kwargs", "columns")

    callable: Callable[..., Iterable[Any]] | Iterable[Any] | str
    op_args: Sequence[Any] | None = None
    op_kwargs: Mapping[str, Any] | None = None
    columns: ColumnMap | None = None

    def serialize(self) -> dict[str, Any]:
        """The function's name; of its arguments only how many and which, as they may hold a token."""
        return {
            "callable": self._name(),
            "op_args": f"{len(self.op_args)} values, not shown" if isinstance(self.op_args, (list, tuple)) else None,
            "op_kwargs": list(map(str, self.op_kwargs)) if isinstance(self.op_kwargs, Mapping) else None,
            "columns": plain(self.columns),
        }

    def __repr__(self) -> str:
        return f"CallableSource({self._name()})"

    @contextmanager
    def open(self) -> Iterator[RowStream]:
        """Call the function."""
        yield RowStream(None, self._rows())

    def _rows(self) -> Iterator[Row]:
        number = 0
        try:
            for item in self._given():
                for row in item if isinstance(item, (list, tuple)) else (item,):
                    number += 1
                    yield self._checked(row, number)
        except AirflowException:
            raise
        except Exception as error:  # noqa: BLE001 - anybody's code
            # The error's own words may quote a customer or a token: where it was raised tells more.
            place = traceback.extract_tb(error.__traceback__)[-1]
            raise SourceUnavailable(
                f"Read {self!r}: the function failed after {number:,} rows: {type(error).__name__} in {place.name}, "
                f"{place.filename}:{place.lineno}. Nothing was sent; the next try calls it anew."
            ) from None

    def _checked(self, row: Any, number: int) -> Row:
        if isinstance(row, Mapping):
            return dict(row)  # the function may change it and yield it again
        raise SourceError(
            f"Read {self!r}: row {number} is a {type(row).__name__}. The function must give dicts, or lists of dicts; "
            "nothing was sent."
        )

    def _given(self) -> Iterable[Any]:
        function = self._found()
        args, kwargs = self.op_args or (), self.op_kwargs or {}
        if not callable(function):
            if not isinstance(function, Iterable):
                raise ConfigurationError(f"Read {self!r}: this is a {type(function).__name__}, no function.")
            return function
        try:
            inspect.signature(function).bind(*args, **kwargs)
        except TypeError as error:
            raise ConfigurationError(f"Read {self!r}: {error}. Correct op_args or op_kwargs.") from None
        except ValueError:
            pass  # some built-in functions tell nothing of their arguments
        given = function(*args, **kwargs)
        if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
            raise SourceError(
                f"Read {self!r}: the function gave {type(given).__name__}. It must yield dicts, or return a list "
                "of them; nothing was sent."
            )
        return [given] if isinstance(given, Mapping) else given

    def _found(self) -> Any:
        if not isinstance(self.callable, str):
            return self.callable
        module, _, name = self.callable.replace(":", ".").rpartition(".")
        try:
            return getattr(import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise ConfigurationError(
                f"Read {self!r}: it cannot be imported ({type(error).__name__}: {error}). Write "
                'callable="package.module.function", as seen from the worker.'
            ) from None

    def _name(self) -> str:
        if isinstance(self.callable, str):
            return self.callable
        name = getattr(self.callable, "__qualname__", None) or getattr(self.callable, "__name__", None)
        return f"{getattr(self.callable, '__module__', '')}.{name or type(self.callable).__name__}".lstrip(".")
