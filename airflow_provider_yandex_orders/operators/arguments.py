# SPDX-License-Identifier: Apache-2.0
"""How operators hold their arguments, and what these come to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.sources.rows import as_source
from airflow_provider_yandex_orders.templated import mapping, number

if TYPE_CHECKING:
    from airflow_provider_yandex_orders.rows.kind import RowKind


class SourceArgument:
    """An operator's argument that holds a source, whoever sets it: the user, or Airflow what it rendered.

    A list of rows, also one that comes by XCom, is kept as a source, which shows only their number.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, task: Any, owner: type | None = None) -> Any:
        return self if task is None else task.__dict__.get(self._name)

    def __set__(self, task: Any, value: Any) -> None:
        if isinstance(value, (list, tuple, Mapping)):
            value = as_source(value)
        task.__dict__[self._name] = value


def keyed(status_map: Any, said_by: str) -> Any:
    """A map of statuses with words for keys, as rows have them: Airflow 2 cannot store keys of several types.

    :param status_map: the argument; what is no mapping yet is left to its rendering.
    :param said_by: its name, for the message.
    :raises ConfigurationError: it cannot be obeyed, which is told while the DAG is parsed.
    """
    if not isinstance(status_map, Mapping):
        return status_map
    from airflow_provider_yandex_orders.rows.faults import BadValue
    from airflow_provider_yandex_orders.rows.status_map import read_status_map

    try:
        return read_status_map(status_map)
    except BadValue as bad:
        raise ConfigurationError(f"{said_by} {bad.reason}: {bad.fix}.") from None


def statuses(kind: RowKind, status_map: object, said_by: str) -> Mapping[Any, str]:
    """The statuses as they are mapped, each to such as a kind of row takes."""
    from airflow_provider_yandex_orders.rows.faults import BadValue

    known = mapping(status_map, said_by, otherwise=f'{said_by} must be a mapping, such as {{"paid": "PAID"}}')
    convert = kind.status_converter()
    for word, mapped in known.items():
        try:
            convert(mapped if isinstance(mapped, str) else [mapped])
        except BadValue as bad:
            raise ConfigurationError(f"{said_by}[{word!r}] {bad.reason}: {bad.fix}.") from None
    keyed(known, said_by)
    return known


def phone_region(value: str | None) -> str | None:
    """The region of phone numbers without a country code; ``None`` where there is none."""
    if value in (None, "", "None"):
        return None
    from phonenumbers import SUPPORTED_REGIONS

    region = str(value).strip().upper()
    if region not in SUPPORTED_REGIONS:
        raise ConfigurationError('phone_region must be the two letters of a country, such as "RU", or None.')
    return region


def seconds(value: object, name: str) -> float:
    """A time to wait."""
    return number(value, name, meaning="a number of seconds, 0 or more")


def pause(value: object, name: str) -> float | None:
    """Seconds between two polls; ``None`` where the user does not say."""
    return None if value in (None, "", "None") else seconds(value, name)


def zone(name: str, said_by: str) -> ZoneInfo:
    """The time zone of a name.

    :param said_by: where the name stands, for the message.
    """
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigurationError(
            f"{said_by} names the time zone {name!r}, which is not in the tz database of this machine. "
            "Write it as Europe/Moscow; if it is right, install the tzdata package."
        ) from None
