# SPDX-License-Identifier: Apache-2.0
"""Bad rows are found by halving, whatever their places, and the others get through once and in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.altcraft.batch import sift
from airflow_provider_yandex_orders.exceptions import Answer, ConfigurationError, ServiceRefused, ServiceUnavailable


class Platform:
    """Refuses a batch with a bad row; other errors come at a given request."""

    def __init__(self, bad: Iterable[int] = (), at: Mapping[int, Exception] | None = None) -> None:
        self.bad = set(bad)
        self.at = at or {}
        self.taken: list[int] = []
        self.asked: list[tuple[list[int], bool]] = []

    def send(self, rows: Sequence[int], again: bool) -> None:
        self.asked.append((list(rows), again))
        if len(self.asked) in self.at:
            raise self.at[len(self.asked)]
        if self.bad & set(rows):
            raise ServiceRefused("no", answer=Answer("POST", "/", 200, "error 400", "bad row"), maybe_applied=True)
        self.taken += rows


@given(st.integers(1, 60), st.sets(st.integers(0, 59)))
def test_every_row_is_taken_once_or_refused(count: int, bad: set[int]) -> None:
    platform = Platform(bad)
    refused = sift(range(count), platform.send, again=False)
    assert refused == [(row, "bad row") for row in range(count) if row in bad]
    assert platform.taken == [row for row in range(count) if row not in bad]


def test_only_the_first_request_is_no_repeat() -> None:
    platform = Platform({5})
    sift(range(8), platform.send, again=False)
    assert [again for _rows, again in platform.asked] == [False, *[True] * (len(platform.asked) - 1)]
    platform = Platform()
    sift(range(8), platform.send, again=True)
    assert platform.asked == [(list(range(8)), True)]


@pytest.mark.parametrize("bad", range(100))
def test_one_bad_row_of_a_hundred_costs_few_requests(bad: int) -> None:
    platform = Platform({bad})
    sift(range(100), platform.send, again=False)
    assert len(platform.asked) <= 15


@pytest.mark.parametrize("error", [ServiceRefused("token"), ServiceUnavailable("busy")])
@pytest.mark.parametrize(("place", "maybe"), [(1, False), (2, True), (3, True)])
def test_other_errors_end_it_and_say_whether_something_arrived(
    error: ServiceRefused | ServiceUnavailable, place: int, maybe: bool
) -> None:
    error.maybe_applied = False
    platform = Platform({3}, at={place: error})
    with pytest.raises(type(error)):
        sift(range(4), platform.send, again=False)
    assert error.maybe_applied is maybe
    assert len(platform.asked) == place


def test_a_wrong_setting_half_way_does_not_hide_what_arrived() -> None:
    with pytest.raises(ConfigurationError):
        sift(range(4), Platform(at={1: ConfigurationError("no token")}).send, again=False)
    with pytest.raises(ServiceRefused, match="no token") as raised:
        sift(range(4), Platform({3}, at={2: ConfigurationError("no token")}).send, again=False)
    assert raised.value.maybe_applied
