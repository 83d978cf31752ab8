# SPDX-License-Identifier: Apache-2.0
"""Kinds of values of which there are infinitely many: what was meant is read, what nobody knows is refused."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_yandex_orders.altcraft.kinds import ALTCRAFT_ORDER_LINES, ALTCRAFT_ORDERS
from airflow_provider_yandex_orders.metrica.kinds import CONTACTS, OFFLINE_CONVERSIONS, ORDERS, SIMPLE_ORDERS
from airflow_provider_yandex_orders.rows import cells, dates, identifiers, lists, scalars, types
from airflow_provider_yandex_orders.rows.cells import NULL_VALUES
from airflow_provider_yandex_orders.rows.faults import BadValue
from airflow_provider_yandex_orders.rows.kind import Field
from airflow_provider_yandex_orders.rows.reading import Reading
from tests.unit.unit_support import check_options, check_row, faults_of, full_order, order, refusal

IDS = {
    field.name: field
    for kind in (SIMPLE_ORDERS, ORDERS, CONTACTS, OFFLINE_CONVERSIONS, ALTCRAFT_ORDERS, ALTCRAFT_ORDER_LINES)
    for field in kind.fields
    if re.search(r"(?i)id$|^sku$|client_ids|user_ids", field.name)
}
FLOATS = ["{:.1E}", "{:.6e}", "{}.0", "{}.00", "{},0", "{}.", "-{}.0", "{:_}.00", "-{:.1E}"]
UNSEEN = "\u200e\u202a\u202c\u200b\ufeff\u00ad\u2060"
MEANT = {
    "create_date_time": "3.11.2025 9:07",
    "revenue": "1 234.50 руб.",
    "currency": "RUB",
    "goals": "lead:5,call",
    "order_status": "SPAM",
    "client_ids": "1700000000123456789",
    "phones": "8 999 000-00-00",
}
phone = identifiers.phone_converter("RU", None)


@pytest.mark.parametrize("field", IDS.values(), ids=lambda field: field.name)
@given(number=st.integers(10, 10**20), form=st.sampled_from(FLOATS))
def test_no_id_of_any_kind_takes_what_went_through_a_float(field: Field, number: int, form: str) -> None:
    convert = field.type.converter(check_options())
    assert refusal(convert, form.format(number).replace("_", " ")).code == "float_id"
    assert refusal(convert, float(number)).code == "float_id"


@pytest.mark.parametrize("text", ["192.168.100.0", "10.200.000", "1 234", "100.1", "1e5", "12-345.00", "2026.11.00"])
def test_ids_with_points_are_ids(text: str) -> None:
    assert scalars.identifier(text) == text


def test_every_id_has_a_type_of_ids() -> None:
    assert {field.type for field in IDS.values()} <= {types.ID, types.CLIENT_ID, types.CLICK_ID, types.WORD}


@given(st.text("ab0-", min_size=1), st.lists(st.sampled_from(UNSEEN), min_size=1, max_size=5), st.randoms())
def test_signs_nobody_sees_make_no_other_id(text: str, unseen: list[str], random: Any) -> None:
    signs = [*text]
    for sign in unseen:
        signs.insert(random.randint(0, len(signs)), sign)
    hidden = "".join(signs)
    rows = [check_row(SIMPLE_ORDERS, order(id=f"A{each}", emails=f"{each}a@example.com")) for each in (hidden, text)]
    assert rows[0] == rows[1]


@given(st.integers(1000, 10**19), st.sampled_from([",", ", "]))
def test_a_number_grouped_by_commas_is_no_list_of_client_ids(number: int, comma: str) -> None:
    result = check_row(SIMPLE_ORDERS, order(client_ids=f"{number:,}".replace(",", comma)))
    assert [fault.code for fault in result.faults] == ["bad_client_id"]


@given(st.integers(0, 10**6), st.integers(0, 99), st.sampled_from(["", "call,", "call:5,"]))
def test_a_price_cut_at_its_comma_is_no_goal(whole: int, cents: int, before: str) -> None:
    result = check_row(SIMPLE_ORDERS, order(goals=f"{before}lead:{whole},{cents:02}"))
    assert [fault.code for fault in result.faults] == ["decimal_comma"]
    kept = check_row(SIMPLE_ORDERS, order(goals=f"{before}lead:{whole}.{cents:02}")).values["goals"]
    assert kept[-1] == ("lead", Decimal(f"{whole}.{cents:02}"))


@given(st.from_regex(r"\+?[0-9][0-9 ()-]{8,16}", fullmatch=True))
def test_only_numbers_that_exist_are_sent(text: str) -> None:
    try:
        digits = phone(text)
    except BadValue:
        return
    assert phonenumbers.is_valid_number(phonenumbers.parse(f"+{digits}", None))
    assert phone(f"+{digits}") == phone(f"{text} доб. 12") == digits


@given(st.integers(9 * 10**9, 10**10 - 1) | st.integers(9300 * 10**6, 9301 * 10**6 - 1), st.sampled_from(["7", "8"]))
@example(9300650000, "7")  # not all of this prefix are given out
@example(9300650000, "8")
def test_what_is_read_without_the_library_is_what_the_library_says(number: int, before: str) -> None:
    exists = phonenumbers.is_valid_number(phonenumbers.parse(f"+7{number}", None))
    for cell in (f"{before}{number}", f"+7{number}"):
        whole = check_row(SIMPLE_ORDERS, order(phones=cell))
        if exists:
            assert phone(cell) == f"7{number}"
            assert whole.values["phones"] == [f"7{number}"]
        else:
            with pytest.raises(BadValue):
                phone(cell)
            assert [fault.code for fault in whole.dropped] == ["bad_phone"]


@given(
    st.lists(st.sampled_from([f"{name}@example.com" for name in "abcd"]), min_size=1, max_size=6),
    st.sampled_from([";", "; ", "\n", "\r\n", ",", " , "]),
)
def test_several_values_in_a_cell(addresses: list[str], between: str) -> None:
    for cell in (between.join(addresses), [between.join(addresses)]):
        assert check_row(SIMPLE_ORDERS, order(emails=cell)).values["emails"] == list(dict.fromkeys(addresses))


@given(st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 31)), st.booleans(), st.booleans())
def test_days_first_with_and_without_noughts(moment: datetime, short: bool, seconds: bool) -> None:
    moment = moment.replace(microsecond=0, second=moment.second if seconds else 0)
    day, month, hour = (str(each) if short else f"{each:02}" for each in (moment.day, moment.month, moment.hour))
    text = f"{day}.{month}.{moment.year} {hour}:{moment.minute:02}" + (f":{moment.second:02}" if seconds else "")
    assert dates.read(text) == moment
    assert dates.read(f"{moment:%Y-%m-%d} {hour}:{moment:%M:%S}") == moment


@given(st.integers(0, 10**12), st.sampled_from(["руб.", "руб", "₽", "р.", "RUB", "rur"]), st.booleans(), st.booleans())
def test_a_word_of_the_rows_currency_is_no_part_of_the_amount(cents: int, word: str, before: bool, space: bool) -> None:
    amount = format(Decimal(cents) / 100, "f")
    text = (" " if space else "").join([word, amount] if before else [amount, word])
    for currency in (None, "RUB", "rur"):
        assert check_row(SIMPLE_ORDERS, order(revenue=text, currency=currency)).values["revenue"] == Decimal(amount)
    faults = check_row(SIMPLE_ORDERS, order(revenue=text, currency="EUR")).faults
    assert [fault.code for fault in faults] == ["other_currency"]


@given(st.text(max_size=30))
def test_an_amount_is_never_read_out_of_other_text(text: str) -> None:
    try:
        rest = scalars.without_currency(text, None)
    except BadValue:
        return
    assert rest == text or re.sub(r"[\d\s.,+-]", "", text).rstrip(".").casefold() in (
        "руб",
        "р",
        "₽",
        "рублей",
        "rub",
        "rur",
    )


@given(st.integers(0, 10**9), st.sampled_from(["{}", "{}.0", "{}.000"]))
def test_quantities_are_whole(number: int, form: str) -> None:
    text = form.format(number)
    assert lists.products(f"pear:{text}") == lists.products({"pear": Decimal(text)}) == {"pear": number}
    assert refusal(lists.products, {"pear": Decimal(number) + Decimal("0.5")}).code == "bad_products"


@given(
    st.sampled_from([*filter(None, NULL_VALUES)]), st.sampled_from([str, str.lower, str.upper, str.title]), st.data()
)
def test_words_for_nothing_are_nothing_in_any_case_and_place(word: str, case: Any, data: st.DataObject) -> None:
    text = case(word) + data.draw(st.sampled_from(["", " ", "\u200b", "\u00a0\ufeff"]))
    is_null = Reading().is_null()
    assert is_null(text)
    assert is_null(f"'{text}")
    for cell in (f"{text},a@example.com", [text, "a@example.com"], ["a@example.com", text]):
        assert check_row(SIMPLE_ORDERS, order(emails=cell)).values["emails"] == ["a@example.com"]
    if cells.cleaned(text) in NULL_VALUES:  # names of products are free text
        assert check_row(ORDERS, full_order(products=f"{text},pear:1")).values["products"] == {"pear": 1}
        assert faults_of(ORDERS, full_order(products=f"{text}:1")) == [("products", "bad_products")]
    else:
        assert len(check_row(ORDERS, full_order(products=f"{text}:1,pear:1")).values["products"]) == 2


@given(st.text(min_size=1, max_size=8))
def test_only_words_for_nothing_are_nothing(text: str) -> None:
    words = {word.casefold() for word in NULL_VALUES}
    assert Reading().is_null()(text) == (cells.cleaned(text).casefold() in words)
    assert Reading().is_null(exact=True)(text) == (cells.cleaned(text) in NULL_VALUES)


@given(st.sampled_from(sorted(MEANT)), st.lists(st.sampled_from(UNSEEN), min_size=1, max_size=4), st.randoms())
def test_signs_nobody_sees_change_no_value(name: str, unseen: list[str], random: Any) -> None:
    signs = [*MEANT[name]]
    for sign in unseen:
        signs.insert(random.randint(0, len(signs)), sign)
    row = order(**MEANT)
    assert check_row(SIMPLE_ORDERS, row | {name: "".join(signs)}) == check_row(SIMPLE_ORDERS, row)


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}|[0-9]{1,9}", fullmatch=True))
def test_what_a_spreadsheet_protects_is_no_other_id(text: str) -> None:
    assert scalars.identifier(f"'{text}") == scalars.identifier(f'="{text}"') == scalars.identifier(text) == text


@given(st.decimals(0, 10**12, places=2), st.sampled_from([" ", "\u00a0", "\u202f", "\u2009", "'", "\u2019"]))
def test_thousands_may_be_parted_by_anything_but_points_and_commas(amount: Decimal, group: str) -> None:
    text = f"{amount:,.2f}".replace(",", group)
    assert check_row(SIMPLE_ORDERS, order(revenue=text)).values["revenue"] == amount
    assert check_row(SIMPLE_ORDERS, order(goals=f"lead:{text}")).values["goals"] == [("lead", amount)]


@given(st.decimals(1000, 10**9, places=2), st.sampled_from(["{:,.2f}", "{:,.0f}", "{:,.2f}р", "{:,.1f} руб."]))
def test_a_price_that_commas_cut_is_told(amount: Decimal, form: str) -> None:
    for goals in (
        f"lead:{form.format(amount)}",
        [{"goal_action_id": "lead", "price": 1}, *form.format(amount).split(",")],
    ):
        assert faults_of(SIMPLE_ORDERS, order(goals=goals)) == [("goals", "decimal_comma")]
