# SPDX-License-Identifier: Apache-2.0
"""Which rows earlier tries of a task may have sent, also where the parts were cut otherwise since."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from airflow_provider_yandex_orders.delivery.known import KnownKeys
from airflow_provider_yandex_orders.delivery.parts import Part
from airflow_provider_yandex_orders.delivery.progress import Progress
from airflow_provider_yandex_orders.delivery.send import refused_alone, was_sent

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


def attempted_keys(
    folder: ObjectStoragePath,
    progress: Progress,
    *,
    key_of: Callable[[Part], str],
    keys_in: Callable[[str, bytes], Iterable[str]],
) -> KnownKeys:
    """Keys of rows in parts that are on record as sent or under way. Call it before new parts take their place.

    :param folder: where earlier tries left their parts.
    :param progress: what they remembered.
    :param key_of: name of a part in what is remembered.
    :param keys_in: keys of the rows of a part, by its name and content.
    """

    def sent() -> Iterator[str]:
        for path in sorted(folder.glob("part-[0-9][0-9][0-9][0-9][0-9].*"), key=str):
            content = path.read_bytes()
            part = Part(str(path), 0, len(content), hashlib.sha256(content).hexdigest())
            remembered = progress.get(key_of(part))
            if was_sent(remembered):
                refused = refused_alone(remembered)
                yield from (key for key in keys_in(path.name, content) if key not in refused)

    known = KnownKeys(folder / "attempted.bin")
    known.add(sent())
    return known
