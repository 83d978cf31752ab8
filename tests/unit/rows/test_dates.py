# SPDX-License-Identifier: Apache-2.0
"""Date-times: the documented forms, zones, and what cannot be a date."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.rows.dates import Clock, birthday, read
from tests.unit.unit_support import BERLIN, MOSCOW, VLADIVOSTOK, refusal


def shown(value: object, source: tzinfo | None = None, counter: tzinfo = MOSCOW) -> str:
    return Clock(source, lambda: counter).day_or_time(value)


DAYS = ["04.03.2025", "04.03.25", "2025-03-04", "20250304", date(2025, 3, 4), "1969-12-31"]


@pytest.mark.parametrize("value", DAYS)
@pytest.mark.parametrize("convert", ["counter_time", "unix_time", "zoned"])
def test_a_day_is_no_moment(value: object, convert: str) -> None:
    bad = refusal(getattr(Clock(MOSCOW, lambda: MOSCOW), convert), value)
    assert (bad.code, bad.fix) == ("no_time", "give the time too: yyyy-MM-dd HH:mm:ss")


@given(st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.one_of(st.none(), st.timezones())))
def test_a_moment_is_read_alike_where_a_day_will_do(moment: datetime) -> None:
    clock = Clock(BERLIN, lambda: MOSCOW)
    assert clock.counter_time(moment) == clock.day_or_time(moment)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        # the nine forms Metrica documents
        ("04.03.2025", "2025-03-04"),
        ("04.03.25", "2025-03-04"),
        ("2025-03-04", "2025-03-04"),
        ("04.03.2025 15:20:07", "2025-03-04 15:20:07"),
        ("04.03.2025 15:20", "2025-03-04 15:20:00"),
        ("04.03.25 15:20:07", "2025-03-04 15:20:07"),
        ("04.03.25 15:20", "2025-03-04 15:20:00"),
        ("2025-03-04 15:20:07", "2025-03-04 15:20:07"),
        ("2025-03-04 15:20", "2025-03-04 15:20:00"),
        # what else people have
        (" 2025-03-04 15:20:07 ", "2025-03-04 15:20:07"),
        ("2025-03-04T15:20:07", "2025-03-04 15:20:07"),
        ("2025-03-04T15:20:07.987654", "2025-03-04 15:20:07"),
        ("20250304", "2025-03-04"),
        (date(2025, 3, 4), "2025-03-04"),
        (datetime(2025, 3, 4, 15, 20, 7, 987654), "2025-03-04 15:20:07"),
        (datetime(2025, 3, 4), "2025-03-04 00:00:00"),
        ("29.02.2024", "2024-02-29"),
    ],
)
def test_naive_forms_stay_in_the_counters_zone(value: object, wanted: str) -> None:
    assert shown(value) == wanted


@pytest.mark.parametrize(
    ("value", "counter", "wanted"),
    [
        ("2025-03-04T12:00:00Z", MOSCOW, "2025-03-04 15:00:00"),
        ("2025-03-04T12:00:00+00:00", VLADIVOSTOK, "2025-03-04 22:00:00"),
        ("2025-03-04T23:30:00+03:00", VLADIVOSTOK, "2025-03-05 06:30:00"),
        ("2025-03-04 12:00:00-0500", MOSCOW, "2025-03-04 20:00:00"),
        ("2025-03-04T15:00:00+03:00", BERLIN, "2025-03-04 13:00:00"),  # winter
        ("2025-07-04T15:00:00+03:00", BERLIN, "2025-07-04 14:00:00"),  # summer
        ("2014-01-01T00:00:00Z", MOSCOW, "2014-01-01 04:00:00"),  # Moscow's offset of then, not of now
        (datetime(2025, 3, 4, 12, tzinfo=UTC), MOSCOW, "2025-03-04 15:00:00"),
        (datetime(2025, 3, 4, 12, tzinfo=timezone(timedelta(hours=5, minutes=45))), MOSCOW, "2025-03-04 09:15:00"),
    ],
)
def test_aware_values_move_to_the_counters_zone(value: object, counter: ZoneInfo, wanted: str) -> None:
    assert shown(value, counter=counter) == wanted
    assert shown(value, source=BERLIN, counter=counter) == wanted  # source_timezone is for naive values only


@pytest.mark.parametrize(
    ("value", "source", "counter", "wanted"),
    [
        ("2025-03-04 15:20:00", VLADIVOSTOK, MOSCOW, "2025-03-04 08:20:00"),
        ("04.03.2025 03:00", VLADIVOSTOK, MOSCOW, "2025-03-03 20:00:00"),
        ("2025-01-01 12:00:00", BERLIN, MOSCOW, "2025-01-01 14:00:00"),
        ("2025-07-01 12:00:00", BERLIN, MOSCOW, "2025-07-01 13:00:00"),
        (datetime(2025, 3, 4, 15, 20), MOSCOW, VLADIVOSTOK, "2025-03-04 22:20:00"),
        ("2025-03-04", VLADIVOSTOK, MOSCOW, "2025-03-04"),  # a bare date has no moment to move
        (date(2025, 3, 4), VLADIVOSTOK, MOSCOW, "2025-03-04"),
    ],
)
def test_source_zone(value: object, source: ZoneInfo, counter: ZoneInfo, wanted: str) -> None:
    assert shown(value, source=source, counter=counter) == wanted


def test_the_counter_is_asked_only_when_needed() -> None:
    def asked() -> tzinfo:
        raise LookupError

    convert = Clock(None, asked).counter_time
    assert convert("2025-03-04 15:20") == "2025-03-04 15:20:00"
    with pytest.raises(LookupError):
        convert("2025-03-04T15:20Z")


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.booleans())
def test_a_year_of_two_digits_never_lands_ahead(day_: date, has_time: bool) -> None:
    found = read(f"{day_:%d.%m.%y}{' 10:00' if has_time else ''}")
    now = datetime.now(UTC).year
    assert now - 100 < found.year <= now + 1
    assert (found.year % 100, found.month, found.day) == (day_.year % 100, day_.month, day_.day)


@pytest.mark.parametrize("value", [1741090800, 1741090800.0, 0, -1, "1741090800", "1741090800000", float("inf")])
def test_unix_time(value: object) -> None:
    assert refusal(shown, value).code == "unix_time"


@pytest.mark.parametrize(
    "value", ["31.12.1969", "1969-12-31 23:59:59", date(1969, 12, 31), datetime(1, 1, 1), "1970-01-01T00:00:00+05:00"]
)
def test_before_1970(value: object) -> None:
    assert refusal(shown, value).code == "before_1970"


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "30.02.2025",
        "2025-13-01",
        "2025-02-29",
        "03/04/2025",
        "04.03.2025 25:00",
        "2025-03-04 15:20:61",
        "2025-03-04 15:20 MSK",
        "٢٠٢٥-٠٣-٠٤",
        "٠٤.٠٣.٢٠٢٥",
        "-1741090800",
        "",
        True,
        b"2025-03-04",
        ["2025-03-04"],
        {"date": "2025-03-04"},
    ],
)
def test_bad_date(value: object) -> None:
    assert refusal(shown, value).code == "bad_date"


def test_a_form_of_another_country_has_its_way_in() -> None:
    assert "date_format=" in refusal(shown, "11/20/2026 9:07").fix


@pytest.mark.parametrize(
    "value", [datetime(9999, 12, 31, 23, tzinfo=UTC), datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=10)))]
)
def test_dates_that_fall_off_the_calendar(value: datetime) -> None:
    assert refusal(shown, value).code in ("bad_date", "before_1970")


@given(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()))
def test_the_moment_survives(moment: datetime) -> None:
    text = shown(moment)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text)
    # The hour that Moscow's clocks showed twice cannot tell which of the two it is.
    back = datetime.fromisoformat(text).replace(tzinfo=MOSCOW)
    assert abs(back - moment) <= timedelta(hours=1, seconds=1)
    assert back.astimezone(UTC).astimezone(MOSCOW).strftime("%Y-%m-%d %H:%M:%S") == text


@given(st.text(max_size=40) | st.floats() | st.integers() | st.binary(max_size=10) | st.dates() | st.datetimes())
def test_anything_is_a_date_or_refused(value: object) -> None:
    from airflow_provider_yandex_orders.rows.faults import BadValue

    try:
        text = shown(value)
    except BadValue:
        return
    assert re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2})?", text)
    assert text >= "1970"


# --- Unix time -----------------------------------------------------------------------------------------------------

NOON = 1741089600  # 2025-03-04 12:00:00 UTC


def unix(value: object, source: tzinfo | None = None, counter: tzinfo = MOSCOW) -> int:
    return Clock(source, lambda: counter).unix_time(value)


@pytest.mark.parametrize(
    ("value", "source", "counter"),
    [
        (float(NOON), None, MOSCOW),
        (Decimal(f"{NOON}.25"), None, MOSCOW),  # as databases give an epoch
        (NOON, None, MOSCOW),
        (str(NOON), None, MOSCOW),
        (f" {NOON} ", VLADIVOSTOK, BERLIN),  # seconds have no zone
        ("2025-03-04T12:00:00Z", None, MOSCOW),
        ("2025-03-04T12:00:00.999Z", None, MOSCOW),
        ("2025-03-04 15:00:00+03:00", BERLIN, VLADIVOSTOK),
        ("2025-03-04 15:00:00", None, MOSCOW),
        ("04.03.2025 15:00", None, MOSCOW),
        ("04.03.25 22:00", None, VLADIVOSTOK),
        ("2025-03-04 13:00", BERLIN, MOSCOW),
        ("2025-03-04 12:00", UTC, MOSCOW),
        (datetime(2025, 3, 4, 15), None, MOSCOW),
        (datetime(2025, 3, 4, 22), VLADIVOSTOK, MOSCOW),
        (datetime(2025, 3, 4, 12, tzinfo=UTC), BERLIN, VLADIVOSTOK),
        (datetime(2025, 3, 4, 17, 45, tzinfo=timezone(timedelta(hours=5, minutes=45))), None, MOSCOW),
    ],
)
def test_unix_seconds(value: object, source: tzinfo | None, counter: tzinfo) -> None:
    assert unix(value, source, counter) == NOON


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (NOON * 1000, "bad_date"),  # milliseconds
        (str(NOON * 1000), "bad_date"),
        (NOON * 10**6, "bad_date"),
        (12345, "bad_date"),
        (0, "bad_date"),
        (-NOON, "bad_date"),
        (True, "bad_date"),
        (f"{NOON}.5", "bad_date"),
        (f"-{NOON}", "bad_date"),
        ("12345", "unix_time"),
        ("١٧٤١٠٨٩٦٠٠", "bad_date"),
        ("2025-03-04", "no_time"),
        ("04.03.2025", "no_time"),
        ("20250304", "no_time"),
        (date(2025, 3, 4), "no_time"),
        ("1969-12-31T23:59:59Z", "before_1970"),
        ("1970-01-01 02:59:59", "before_1970"),  # in Moscow
        (datetime(1, 1, 1), "bad_date"),
        (datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5))), "bad_date"),
        (Decimal("sNaN"), "bad_date"),
        (Decimal("Infinity"), "bad_date"),
        (float("nan"), "bad_date"),
        ("yesterday", "bad_date"),
        ("", "bad_date"),
        (b"1741089600", "bad_date"),
        ([NOON], "bad_date"),
        ({"at": NOON}, "bad_date"),
    ],
)
def test_what_is_no_unix_time(value: object, code: str) -> None:
    assert refusal(unix, value).code == code


def test_the_workers_own_zone_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        try:
            assert unix("2025-03-04 15:00:00") == unix(datetime(2025, 3, 4, 15)) == NOON
            assert shown("2025-03-04 15:00:00") == "2025-03-04 15:00:00"
            assert Clock(None, lambda: MOSCOW).sortable("2025-03-04 15:00").startswith("2025-03-04T12:00:00")
        finally:
            patch.undo()
            time.tzset()


def test_milliseconds_are_told() -> None:
    for value in (NOON * 1000, str(NOON * 1000)):
        assert refusal(unix, value).fix == "divide milliseconds by 1000"


def test_unix_time_asks_for_the_counter_only_when_needed() -> None:
    def asked() -> tzinfo:
        raise LookupError

    assert Clock(None, asked).unix_time(NOON) == NOON
    assert Clock(None, asked).unix_time("2025-03-04T12:00:00Z") == NOON
    assert Clock(UTC, asked).unix_time("2025-03-04 12:00") == NOON
    with pytest.raises(LookupError):
        Clock(None, asked).unix_time("2025-03-04 12:00")


@given(st.datetimes(datetime(1974, 1, 1), datetime(2200, 1, 1), timezones=st.timezones()))
def test_unix_time_is_the_moment(moment: datetime) -> None:
    seconds = unix(moment)
    assert timedelta(0) <= moment - datetime.fromtimestamp(seconds, UTC) < timedelta(seconds=1)
    assert unix(seconds) == unix(str(seconds)) == seconds


# --- days ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("1985-03-04", "1985-03-04"),
        ("04.03.1985", "1985-03-04"),
        ("19850304", "1985-03-04"),
        ("04.03.1985 15:20", "1985-03-04"),
        ("1985-03-04T23:59:59+03:00", "1985-03-04"),
        (date(1985, 3, 4), "1985-03-04"),
        (datetime(1985, 3, 4, 23, tzinfo=UTC), "1985-03-04"),
    ],
)
def test_days(value: object, wanted: str) -> None:
    assert birthday(value) == wanted


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("04.03.1969", "before_1970"),
        ("04.03.98", "bad_date"),  # and of any other century
        ("05.05.27", "bad_date"),
        ("31.12.26", "bad_date"),
        (" 4.3.98 15:20", "bad_date"),
        ("0985-03-04", "before_1970"),
        ("30.02.1985", "bad_date"),
        ("March 4", "bad_date"),
        (1985, "unix_time"),
        (True, "bad_date"),
        ({"year": 1985}, "bad_date"),
    ],
)
def test_bad_days(value: object, code: str) -> None:
    assert refusal(birthday, value).code == code


# --- versions ------------------------------------------------------------------------------------------------------


def version(value: object, source: tzinfo | None = None, counter: tzinfo = MOSCOW) -> str:
    return Clock(source, lambda: counter).sortable(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2025-03-04", "2025-03-04 00:00"),
        ("2025-03-04 15:00", "2025-03-04T12:00:00Z"),
        ("2025-03-04 15:00", datetime(2025, 3, 4, 12, tzinfo=UTC)),
        (date(2025, 3, 4), "2025-03-03 21:00:00+00:00"),
        (datetime(2025, 3, 4, 15), "04.03.25 15:00"),
    ],
)
def test_the_same_moment_is_the_same_version(one: object, other: object) -> None:
    assert version(one) == version(other)


@given(
    st.lists(
        st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.timezones() | st.just(UTC)),
        min_size=2,
        max_size=6,
    )
)
def test_versions_sort_as_moments(moments: list[datetime]) -> None:
    by_text = sorted(moments, key=version)
    assert [each.astimezone(UTC) for each in by_text] == sorted(each.astimezone(UTC) for each in moments)


@pytest.mark.parametrize("value", ["soon", 1741089600, b"2025", datetime(1, 1, 1)])
def test_what_is_no_version(value: object) -> None:
    assert refusal(version, value).code in ("bad_date", "unix_time")


NOTED = {
    "2026-03-29 02:30": ["time_skipped"],
    "2026-03-29 01:59:59": [],
    "2026-03-29 03:00": [],
    "2026-10-25 02:00": ["time_doubled"],
    "2026-10-25 02:59:59": ["time_doubled"],
    "2026-10-25 03:00": [],
    "2026-10-25T02:30:00+01:00": [],
}


@pytest.mark.parametrize("source", [BERLIN, None])
@pytest.mark.parametrize("text", NOTED)
def test_a_time_the_zone_never_had_or_had_twice_is_told(text: str, source: tzinfo | None) -> None:
    noted: list[str] = []
    Clock(source, lambda: BERLIN if source is None else MOSCOW, noted.append).counter_time(text)
    assert noted == NOTED[text]
    Clock(source, lambda: BERLIN, noted.append).unix_time(text)
    Clock(BERLIN, lambda: BERLIN, noted.append).zoned(text)
    assert noted == NOTED[text] * 3


def test_a_time_that_says_which_of_the_two_it_is_is_not_told() -> None:
    noted: list[str] = []
    convert = Clock(BERLIN, lambda: MOSCOW, noted.append).counter_time
    first, second = (convert(datetime(2026, 10, 25, 2, 30, fold=fold)) for fold in (0, 1))
    assert (first, second, noted) == ("2026-10-25 03:30:00", "2026-10-25 04:30:00", ["time_doubled"])
    assert convert("2026-03-29 02:30") == "2026-03-29 04:30:00"  # by the clocks before they were put forward
