# SPDX-License-Identifier: Apache-2.0
"""The quick pass over rows changes nothing but the time: with and without it all comes out equal."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_yandex_orders.altcraft import kinds as altcraft_kinds
from airflow_provider_yandex_orders.delivery import shared
from airflow_provider_yandex_orders.delivery.plan import Limits, Windows
from airflow_provider_yandex_orders.delivery.same_key import SameKey
from airflow_provider_yandex_orders.metrica import kinds as metrica_kinds
from airflow_provider_yandex_orders.metrica.kinds import CONTACTS, OFFLINE_CONVERSIONS, ORDERS, SIMPLE_ORDERS
from airflow_provider_yandex_orders.rows.cells import NULL_VALUES
from airflow_provider_yandex_orders.rows.formats import csv_format, json_format
from airflow_provider_yandex_orders.rows.kind import Field, RowKind
from airflow_provider_yandex_orders.rows.reading import Reading
from airflow_provider_yandex_orders.sources.file import FileSource
from airflow_provider_yandex_orders.sources.rows import RowsSource
from tests.unit.delivery.outcomes import GOOD, Rows, outcome
from tests.unit.unit_support import BERLIN, MOSCOW, check_options, full_order, order

LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
KINDS = [each for module in (metrica_kinds, altcraft_kinds) for each in vars(module).values() if type(each) is RowKind]
QUICK = (SIMPLE_ORDERS, CONTACTS, ORDERS, OFFLINE_CONVERSIONS)


def check_equal(source: RowsSource, folder: Path, **changes: Any) -> list[int]:
    """Compare both ways; gives the rows that took the long way though the quick one was there."""
    quick = outcome(source, folder / "quick", quick=True, **changes)
    whole = outcome(source, folder / "whole", quick=False, **changes)
    slow, every = quick.pop("slow"), whole.pop("slow")
    assert quick == whole
    assert len(every) == len(source.rows)
    return list(slow)


MESSY: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [
            *(None, "", " ", "null", "NULL", "NaN", "N/A", "#N/A", "-", float("nan"), [], {}, b"x", True, 0, "0", -1),
            *(1.5, Decimal("1E+3"), Decimal("-0"), 10**30, "#REF!", "Err:502", "'0045", '="0045"', " a ", "a\u00adb"),
            *("a\nb", 'say "no"', "back\\slash", "a;b,c", "\u200e1", "\ud800", "{a}", "[1]", '["a"]', ["a", None]),
            date(2026, 1, 2),
        ]
    ),
    st.text(max_size=6),
    st.integers(),
    st.floats(),
    st.decimals(),
)
IDS = st.one_of(
    st.sampled_from(["A-1", "ORD-000123", "ЗК-00012", "1 234", "88.0", "4E+9", "E-5", "E:5", "-5", "+5", "a b", "a_b"]),
    st.integers(0, 30).map(str),
    st.integers(0, 10**20),
)
TEXTS = st.sampled_from(["Anna", "Иван Петров", "O'Neil, Pat", "Err: 5", "Null", "null", "1st", "x" * 1001, "a\tb"])
ADDRESSES = st.sampled_from(
    [
        *(
            "a@example.com",
            "A.B@Example.COM",
            "{a}@example.com",
            "'a@example.com",
            "a@b",
            "a@example.com,b@example.com",
        ),
        *("a@example.com;a@example.com", "a@example.com no", "\u212a@example.com", ["a@example.com", "b"]),
    ]
)
PHONES = st.one_of(
    st.sampled_from(
        [
            *("+79161234567", "+7 (916) 123-45-67", "8 916 123 45 67", "9161234567", "+7 930 012 34 56"),
            *("+375291234567", "79161234567", 79161234567, "+8 916 123-45-67", "+7 916 123-45-67 доб. 5"),
            "8(916)1234567;+79161234568",
        ]
    ),
    st.integers(9 * 10**9, 10**10 - 1).map("+7{}".format),
    st.integers(9 * 10**9, 10**10 - 1).map("8{}".format),
)
SUMS = st.sampled_from(
    ["0cc175b9c0f1b6a831c399e269772661", "0CC175B9C0F1B6A831C399E269772661", "d41d8cd98f00b204e9800998ecf8427e", "0cc"]
)
CLIENT_IDS = st.one_of(
    st.sampled_from(["170000000012", "0170000000012", "00000000", "1234567", "170000000012,170000000013", "1,7E+12"]),
    st.integers(0, 10**21),
    st.integers(0, 10**21).map(str),
)
AMOUNTS = st.one_of(
    st.sampled_from(["10", "10.50", "010.5", "1 234.50", "1234,50", "10 RUB", "5 €", "-1", "1e3", "0.00001", "1" * 14]),
    st.decimals(0, 10**14, places=2),
    st.decimals(0, 100, places=6),
    st.floats(0, 10**6),
    st.integers(-5, 10**14),
)
SPOTS: list[Any] = [
    *("2026-03-29 02:30:00", "2026-10-25 02:30:00", "2026-10-25 03:00:00", "2026-10-04 02:10:00"),
    *("2026-04-05 01:45:00", "2026-01-31", "31.01.2026", "31.01.2026 10:00", "2026-01-31T10:00:00Z", "20260131"),
    *("2026-01-31 10:00:00+03", "2026-01-31T10:00:00.250Z", "2026-01-31 10:00:00.5", "2026-01-31 24:00:00"),
    *("2026-01-31 10:00:60", "1760000000", "2026-W05-6 10:00:00", "2026-01-31_10:00:00", "2026-01-31 10:00"),
    *("1969-12-31 10:00:00", "0001-01-01 00:00:00", "2027-01-31 10:00:00", "2026-10-25 02:30:00+05:45"),
    *(1760000000, 1760000000.5, 1999999999, "0176000000", date(2026, 1, 31)),
    *(datetime(2026, 10, 25, 2, 30), datetime(2026, 10, 25, 2, 30, fold=1)),
    *(datetime(2026, 1, 2, 3, 4, 5, 678900), datetime(1900, 1, 1)),
    *(datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1), datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)),
]
BEFORE, AFTER = datetime(1969, 12, 30), datetime(2027, 1, 2)
MOMENTS = st.one_of(
    st.sampled_from(SPOTS),
    st.datetimes(BEFORE, AFTER),
    st.datetimes(BEFORE, AFTER, timezones=st.sampled_from([UTC, BERLIN, timezone(timedelta(hours=5, minutes=45))])),
    st.datetimes(datetime(2026, 10, 24), datetime(2026, 10, 26)).map(lambda at: at.isoformat(" ", "seconds")),
    st.datetimes(datetime(2026, 10, 3), datetime(2026, 10, 5)).map(lambda at: at.isoformat("T", "seconds")),
    st.datetimes(datetime(2026, 10, 24), datetime(2026, 12, 26)).map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}+03:30"),
)
WORDS = st.sampled_from(
    [
        *("PAID", "paid", "CANCELED", "CANCELLED", "IN_PROGRESS", "lead", "call", "RUB", "rub", "₽", "руб", "BYR"),
        *("CONTACT", "lead:10.50", "lead:10,call", "lead:99,90", [("lead", "5")], "true", "a:1,b:2", {"a": 1}),
        *([{"goal_action_id": "lead", "price": 5}], '{"a": 2}', "email", "1990-01-31", "31.01.90", "new", "в работе"),
    ]
)
OF_TYPE = {
    "text": TEXTS,
    "id": IDS,
    "ClientID": CLIENT_IDS,
    "click id": CLIENT_IDS,
    "e-mail": ADDRESSES,
    "phone": PHONES,
    "phone, sent with +": PHONES,
    "md5": SUMS,
    "date-time": MOMENTS,
    "date or date-time": MOMENTS,
    "date-time, sent as Unix seconds": MOMENTS,
    "date-time with its zone": MOMENTS,
    "date": MOMENTS,
    "decimal": AMOUNTS,
}


def value_of(field: Field) -> st.SearchStrategy[Any]:
    """Values as people give them, and others."""
    own = OF_TYPE.get(field.type.label, WORDS)
    return st.one_of(own, own, own, MESSY)


def rows_of(kind: RowKind) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows with the same columns: good ones with some values changed, most of them few."""
    values = {field.name: value_of(field) for field in kind.fields}
    good = dict.fromkeys(kind.field_names) | dict(GOOD[kind.name])

    def changed(key: Any) -> st.SearchStrategy[dict[str, Any]]:
        names = st.lists(st.sampled_from(kind.field_names), max_size=3, unique=True)
        fixed = names.flatmap(lambda chosen: st.fixed_dictionaries({name: values[name] for name in chosen}))
        return fixed.map(lambda changes: good | {kind.key[0]: key} | changes)

    keys = st.one_of(st.integers(170000000000, 170000000005).map(str), values[kind.key[0]])
    return st.lists(keys.flatmap(changed), min_size=1, max_size=6).map(lambda rows: [good, *rows])


STATUS_MAPS: Sequence[Mapping[Any, str]] = ({}, {"paid": "PAID", "PAID": "PAID", 1: "PAID", "": "PAID", "new": "SPAM"})
OPTIONS = st.fixed_dictionaries(
    {
        "hash_identifiers": st.booleans(),
        "source_zone": st.sampled_from(
            [None, None, BERLIN, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kathmandu")]
        ),
        "counter_zone": st.sampled_from([lambda: MOSCOW, lambda: BERLIN]),
        "phone_region": st.sampled_from(["RU", "RU", "BY", None]),
        "status_map": st.sampled_from(STATUS_MAPS),
        "require_key": st.booleans(),
        "refuse_clear": st.sampled_from([False, False, True]),
        "targets": st.sampled_from([None, lambda: {"lead": None, "call": "is a phone call", "order_paid": None}]),
    }
)
READINGS = st.builds(
    Reading,
    decimal=st.sampled_from([".", ".", ","]),
    date_format=st.sampled_from([None, None, None, "%Y-%m-%d %H:%M:%S"]),
    null_values=st.sampled_from(
        [frozenset(NULL_VALUES), frozenset(["10", "a@example.com", "Anna", "lead", "RUB", "A-1"])]
    ),
)
WINDOWS = st.sampled_from([None, Windows(21, 111), Windows(21, 111, "hold"), Windows(21, 111, "reject")])


def defaults_of(kind: RowKind) -> st.SearchStrategy[RowKind]:
    """The kind, with defaults or without."""
    known = {"currency": "EUR", "Currency": "EUR", "revenue": Decimal("1.50"), "emails": ["z@example.com"], "name": "Z"}
    mine = {name: value for name, value in known.items() if name in kind.field_names}
    return st.sampled_from([kind, kind.with_defaults(mine)])


@pytest.fixture
def silent() -> Iterator[None]:
    """No log of hundreds of tries."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_both_ways_are_equal(kind: RowKind, tmp_path: Path, data: st.DataObject) -> None:
    place = tmp_path / str(len(list(tmp_path.iterdir())))
    place.mkdir()
    form = data.draw(st.sampled_from(["csv", ";", "json", "each"]), "form")
    declared = data.draw(defaults_of(kind if form == "json" else kind.in_csv()), "kind")
    files = {"part": json_format(declared) if form == "json" else csv_format(declared, ";" if form == ";" else ",")}
    if form == "each" and kind is OFFLINE_CONVERSIONS:
        files = {name: csv_format(declared.with_identifier(name)) for name in declared.identifiers}
    source = Rows(data.draw(rows_of(declared), "rows"), data.draw(READINGS, "reading"))
    source.columns = data.draw(st.sampled_from([None, {declared.key[0]: [declared.key[0], "other"]}]), "columns")
    options = data.draw(OPTIONS, "options")
    if kind.not_future in kind.key:  # no task takes such rows without a key: it has the moment that is looked at
        options["require_key"] = True
    check_equal(
        source,
        place,
        kind=declared,
        options=check_options(**options),
        limits=Limits(10**9, 10**9, windows=data.draw(WINDOWS, "windows")),
        files=files,
        same_key=SameKey(last=data.draw(st.booleans(), "last")),
        merge_mode=data.draw(st.sampled_from(["SAVE", "SAVE", "SAVE", "UPDATE"]), "merge mode"),
        sends=data.draw(st.booleans(), "sends"),
    )


ODD: list[Any] = [
    *(
        "",
        "null",
        "#N/A",
        "Err:502",
        "'0045",
        '="0045"',
        " a ",
        'say "no"',
        "back\\slash",
        "a,b",
        5,
        5.5,
        Decimal("7.50"),
    ),
    *("88.0", "1 234", "E:5", "A-1", "d41d8cd98f00b204e9800998ecf8427e", "0CC175B9C0F1B6A831C399E269772661", "1" * 14),
    *("\u212a@example.com", "A@Example.com;b@example.com", "8 (916) 123-45-67", "+7 930 012-34-56", "(+7)9161234567"),
    *("0170000000012", "1234567", "-0", "010.5", "1e3", "10 RUB", "lead:5", "x" * 1001, 10**30, True, float("nan")),
    Decimal("7.50"),
]


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("source_zone", [None, LORD_HOWE])
@pytest.mark.parametrize("kind", QUICK, ids=lambda kind: kind.name)
def test_each_odd_value_in_each_field(kind: RowKind, source_zone: Any, tmp_path: Path) -> None:
    good = dict.fromkeys(kind.field_names) | dict(GOOD[kind.name])
    odd = [{name: value} for name in kind.field_names for value in (*ODD, *SPOTS)]
    rows = [good | {kind.key[0]: f"170000{number:06}"} | change for number, change in enumerate([{}, *odd])]
    options = check_options(source_zone=source_zone, counter_zone=lambda: BERLIN)
    check_equal(Rows(rows, Reading()), tmp_path, kind=kind, options=options, files={"part": json_format(kind)})


COMMON: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "simple_orders": [
        {"emails": None, "phones": "+7 (916) 123-45-67"},
        {"create_date_time": "2026-11-01T10:00:00+03:00", "revenue": 10, "cost": 5.5, "currency": "EUR"},
        {"create_date_time": datetime(2026, 11, 1, 10), "id": 5, "revenue": Decimal("10.50")},
        {"create_date_time": datetime(2026, 11, 1, 10, tzinfo=UTC), "order_status": None, "goals": "lead:10.50"},
        {"emails": "a@example.com, b@example.com", "update_date_time": "2026-11-02 10:00:00"},
        {"emails": None, "emails_md5": "0cc175b9c0f1b6a831c399e269772661", "create_date_time": "2026-11-01"},
        {"id": "ЗК-00012", "client_uniq_id": "a b", "client_ids": 170000000012},
    ],
    "contacts": [
        {"name": "Иван Петров", "phones": "89161234567"},
        {"name": "O'Neil, Pat", "create_date_time": datetime(2026, 11, 1, 10)},
        {"update_date_time": "2026-11-02 10:00:00", "client_ids": "170000000012,170000000013", "birth_date": None},
    ],
    "orders": [
        {"products": "a:1,b:2", "revenue": "10", "finish_date_time": "2026-11-01 10:00:00"},
        {"order_status": "CANCELLED", "goals": "lead,call", "update_date_time": datetime(2026, 11, 2, 3, 4, 5, 678)},
        {"products": {"a": 1}, "client_uniq_id": 7},
    ],
    "offline_conversions": [
        {"DateTime": "2026-11-01 10:00:00", "Price": None},
        {"DateTime": datetime(2026, 11, 1, 10, tzinfo=UTC), "Price": 10.5},
        {"DateTime": "1760000000", "UserId": "u-1", "ClientId": None},
        {"Yclid": "12345678901", "ClientId": None},
    ],
}


@pytest.mark.parametrize("hash_identifiers", [False, True])
@pytest.mark.parametrize("form", [csv_format, json_format])
@pytest.mark.parametrize("kind", QUICK, ids=lambda kind: kind.name)
def test_common_rows_go_the_quick_way(kind: RowKind, form: Any, hash_identifiers: bool, tmp_path: Path) -> None:
    kind = kind if form is json_format else kind.in_csv()
    names = set(kind.field_names)
    changes = [{}, {}, *COMMON[kind.name]]
    numbered = zip(changes, itertools.count(), strict=False)
    rows = [
        dict.fromkeys(kind.field_names) | dict(GOOD[kind.name]) | {kind.key[0]: f"1700000000{number:04}"} | dict(change)
        for change, number in numbered
    ]
    source = Rows([{name: row[name] for name in row if name in names} for row in rows], Reading())
    options = check_options(hash_identifiers=hash_identifiers)
    assert check_equal(source, tmp_path, kind=kind, options=options, files={"part": form(kind)}, limits=Limits()) == [1]


def with_nulls(*words: str) -> Reading:
    return Reading(null_values=frozenset([*NULL_VALUES, *words]))


DAY, LATE = "2026-01-01 10:00:00", "2100-01-01 00:00:00"


@pytest.mark.parametrize(
    ("kind", "rows", "reading", "form"),
    [
        (ORDERS, [full_order(id=each, products="b:1,a:2") for each in "ABA"], Reading(), json_format),
        (ORDERS, [full_order(id=each, products={"b": 1, "a": 2}) for each in "ABA"], Reading(), json_format),
        (
            SIMPLE_ORDERS,
            [
                order(id=each, update_date_time=at)
                for each, at in (("1", "2026-01-01 10:00:00"), ("2", LATE), ("2", LATE))
            ]
            + [order(id="2", update_date_time="2026-01-01 10:00:00", revenue=7)],
            with_nulls(LATE),
            csv_format,
        ),
        (
            SIMPLE_ORDERS.in_csv().with_defaults({"emails_md5": ["0cc175b9c0f1b6a831c399e269772661"]}),
            [order(id=each) for each in "ABC"],
            Reading(),
            csv_format,
        ),
        (
            SIMPLE_ORDERS,
            [order(id=each, phones=phone) for each, phone in (("1", "+79161234567"), ("2", "+79990000000 "))],
            with_nulls("+79990000000"),
            csv_format,
        ),
        (SIMPLE_ORDERS, [order(id=each) for each in ("A", "B", "SS", "ss")], with_nulls("ß"), csv_format),
    ],
    ids=["list in its order", "object in its order", "no date", "default beside sums", "padded", "grows by casefold"],
)
def test_what_was_once_taken_otherwise(
    kind: RowKind, rows: list[dict[str, Any]], reading: Reading, form: Any, tmp_path: Path
) -> None:
    if form is csv_format:
        kind = kind.in_csv()
    hashed = check_options(hash_identifiers=True)
    check_equal(Rows(rows, reading), tmp_path, kind=kind, options=hashed, files={"part": form(kind)})


def test_amounts_are_noted_in_one_form(tmp_path: Path) -> None:
    amounts = [Decimal("1E+3"), Decimal("1E-30"), "10.50", 7]
    rows = [order(id=str(number), revenue=each) for number, each in enumerate([1, *amounts])]
    files = {"part": csv_format(SIMPLE_ORDERS.in_csv())}
    check_equal(
        Rows(rows, Reading()), tmp_path, kind=SIMPLE_ORDERS.in_csv(), options=check_options(), files=files, sends=False
    )


def test_a_currency_of_a_data_frame_that_is_missing_is_the_services_own(tmp_path: Path) -> None:
    def ambiguous(_self: object) -> bool:
        raise TypeError("boolean value of NA is ambiguous")

    pandas_na = type("NAType", (), {"__bool__": ambiguous})()
    rows = [order(id="1", revenue="10 руб", currency=pandas_na)]
    found = outcome(
        Rows(rows, Reading()),
        tmp_path / "o",
        kind=SIMPLE_ORDERS,
        options=check_options(),
        files={"part": csv_format(SIMPLE_ORDERS)},
    )
    assert found["rows_rejected"] == 0


def test_files_of_one_source_go_the_quick_way_whatever_the_order_of_their_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "BATCH", 7)
    columns = ["id", "create_date_time", "emails"]
    for name, names in {"1": columns, "2": columns, "3": columns[::-1], "4": [*columns, "more"]}.items():
        rows = [order(id=f"{name}-{number}", more="") for number in range(20)]
        lines = [names, *([row[each] for each in names] for row in rows), ["no row"]]
        (tmp_path / f"{name}.csv").write_text("".join(f"{','.join(cells)}\n" for cells in lines))
    arguments: dict[str, Any] = {"kind": SIMPLE_ORDERS, "options": check_options()}
    arguments |= {"files": {"part": csv_format(SIMPLE_ORDERS)}}
    ways: dict[str, Any] = {"quick": {}, "slow": {"quick": False}, "shared": {"workers": 2}}
    source = FileSource(f"{tmp_path}/*.csv")
    found = {way: outcome(source, tmp_path / way, **arguments, **more) for way, more in ways.items()}
    # The first of each set of columns, and the lines that are no row.
    assert found["quick"]["slow"] == [1, 21, 42, 43, 63, 64, 84]
    for each in found.values():
        del each["slow"]
    assert found["quick"] == found["slow"] == found["shared"]
    assert (found["quick"]["rows_read"], found["quick"]["rows_rejected"]) == (84, 4)
