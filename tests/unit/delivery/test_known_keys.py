# SPDX-License-Identifier: Apache-2.0
"""Keys kept from one try to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_yandex_orders.delivery.known import KnownKeys

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


def test_what_is_added_is_known_to_the_next_try(folder: ObjectStoragePath) -> None:
    path = folder / "keys" / "known.bin"
    first = KnownKeys(path)
    assert not first
    assert "C-1" not in first
    assert not path.exists()

    first.add(["C-1", "Ж-2", "C-1"])
    later = KnownKeys(path)
    for keys in (first, later):
        assert keys
        assert "C-1" in keys
        assert "Ж-2" in keys
        assert "C-3" not in keys
    later.add(iter(["C-3", "C-1"]))
    assert all(key in KnownKeys(path) for key in ("C-1", "Ж-2", "C-3"))
    assert len(path.read_bytes()) == 3 * 8


def test_keys_are_not_told(folder: ObjectStoragePath) -> None:
    path = folder / "known.bin"
    KnownKeys(path).add(["ivan@example.com", "79995551111"])
    assert b"ivan" not in path.read_bytes()
    assert b"7999" not in path.read_bytes()


def test_the_file_is_written_only_for_new_keys(folder: ObjectStoragePath) -> None:
    path = folder / "known.bin"
    keys = KnownKeys(path)
    keys.add([])
    assert not path.exists()
    keys.add(["a"])
    path.unlink()
    keys.add(["a"])
    assert not path.exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(batches=st.lists(st.sets(st.text(max_size=6), max_size=20), max_size=4), others=st.sets(st.text(max_size=6)))
def test_as_a_set(folder: ObjectStoragePath, batches: list[set[str]], others: set[str]) -> None:
    path = folder / "set.bin"
    path.unlink(missing_ok=True)
    for batch in batches:
        KnownKeys(path).add(batch)
    known, wanted = KnownKeys(path), set().union(*batches)
    assert {key for key in wanted | others if key in known} == wanted
    assert bool(known) is bool(wanted)
    assert sorted(known._sums) == list(known._sums)  # it is searched as a sorted list
