"""The forms that a census counts agree with how values are read."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.samples import RULES
from trip_kpis.core.items.attributes import is_missing
from trip_kpis.core.items.numbers import is_decimal, read_number
from trip_kpis.core.items.rejections import Reason, RejectedTrip, RejectionError
from trip_kpis.core.items.times import form_of, read_day
from trip_kpis.core.reading.forms import ABSENT, number_form, rejected_shape, shape, time_form

FORMATS = ("%d/%m/%Y", "%d/%m/%Y %H:%M")
FORMATTED = replace(RULES, time_formats=FORMATS)
SAME_IN_BOTH: dict[str, Any] = {
    ABSENT: None,
    "NULL": {"NULL": True},
    "empty String": {"S": ""},
    "BOOL": {"BOOL": False},
    "Binary": {"B": "AP8="},
    "Map": {"M": {}},
    "List": {"L": []},
    "String Set": {"SS": ["1"]},
    "Number Set": {"NS": ["1"]},
    "Binary Set": {"BS": ["AP8="]},
}
texts = st.one_of(
    st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.from_regex(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
        r"([ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:?[0-9]{2})?)?",
        fullmatch=True,
    ),
    st.from_regex(r"[0-9]{2}/[0-9]{2}/[0-9]{4}( [0-9]{2}:[0-9]{2})?", fullmatch=True),
    st.text(min_size=1),
)


@pytest.mark.parametrize(("form", "value"), SAME_IN_BOTH.items())
def test_a_value_that_is_no_text_has_the_name_of_its_type(form: str, value: Any) -> None:
    assert number_form(value) == form
    assert time_form(value, RULES) == form
    assert shape(value) == form


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ({"N": "12.5"}, "Number"),
        ({"S": "-12.5e3"}, "String decimal"),
        ({"S": "1e99"}, "String decimal"),
        ({"S": "12,50"}, "String other"),
        ({"S": "NaN"}, "String other"),
    ],
)
def test_forms_of_fares(value: Any, form: str) -> None:
    assert number_form(value) == form


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ({"S": "2024-05-25 13:19:00"}, "date and time"),
        ({"S": "2024-05-25 13:19"}, "date and time"),
        ({"S": "2024-05-25T13:19:00.123"}, "ISO with T"),
        ({"S": "2024-05-25T13:19:00Z"}, "with offset"),
        ({"S": "2024-05-25 13:19:00+0200"}, "with offset"),
        ({"S": "2024-05-25"}, "date alone"),
        ({"S": "25/05/2024"}, "by format %d/%m/%Y"),
        ({"S": "25/05/2024 13:19"}, "by format %d/%m/%Y %H:%M"),
        ({"N": "1716643140"}, "epoch seconds"),
        ({"N": "-1716643140.5"}, "epoch seconds"),
        ({"N": "1716643140000"}, "epoch milliseconds"),
        ({"N": "1716643140000000"}, "epoch microseconds"),
        ({"N": "20240525"}, "date as a number"),
        ({"N": "202405251015"}, "date as a number"),
        ({"N": "20240525101500"}, "date as a number"),
        ({"N": "20240525101500123"}, "date as a number"),
        ({"N": "2.0240525E+7"}, "date as a number"),
        ({"N": "45437"}, "Excel serial day"),
        ({"N": "45437.55"}, "Excel serial day"),
        ({"N": "36526"}, "Excel serial day"),
        ({"N": "36525"}, "epoch seconds"),
        ({"N": "73415.9"}, "Excel serial day"),
        ({"N": "73416"}, "epoch seconds"),
        ({"N": "20240230"}, "epoch seconds"),
        ({"N": "19991231"}, "epoch seconds"),
        ({"N": "20240525.5"}, "epoch seconds"),
        ({"N": "0"}, "epoch seconds"),
        ({"N": "-20240525"}, "epoch seconds"),
        ({"N": "1E+120"}, "epoch microseconds"),
        ({"S": "1716643140"}, "String other"),
        ({"S": "yesterday"}, "String other"),
    ],
)
def test_forms_of_times(value: Any, form: str) -> None:
    assert time_form(value, FORMATTED) == form


def test_what_is_in_range_as_an_epoch_is_one_whatever_else_it_looks_like() -> None:
    of_1970 = replace(RULES, earliest_day=date(1970, 1, 1))
    assert time_form({"N": "20240525"}, of_1970) == "epoch seconds"
    assert time_form({"N": "45437.55"}, of_1970) == "epoch seconds"


@pytest.mark.parametrize(
    ("reason", "value", "looks_like"),
    [
        (Reason.TIME_OUT_OF_RANGE, {"N": "20240525"}, "99999999 (date as a number)"),
        (Reason.TIME_OUT_OF_RANGE, {"S": "20240525"}, "99999999 (date as a number)"),
        (Reason.TIME_OUT_OF_RANGE, {"N": "45437.55"}, "99999.99 (Excel serial day)"),
        (Reason.TIME_OUT_OF_RANGE, {"N": "86400"}, "99999"),
        (Reason.TIME_OUT_OF_RANGE, {"S": "1999-12-31"}, "9999-99-99"),
        (Reason.FARE_TOO_LARGE, {"N": "20240525101500"}, "9" * 14),
        (Reason.TIME_WRONG_TYPE, {"BOOL": True}, "BOOL"),
        (Reason.TIME_MISSING, None, "absent"),
    ],
)
def test_the_shape_of_a_rejected_value_also_says_what_a_number_looks_like(
    reason: Reason, value: Any, looks_like: str
) -> None:
    trip = RejectedTrip(key={}, reason=reason, attribute="a", value=value)
    assert rejected_shape(trip, RULES) == looks_like


@given(texts)
def test_a_fare_of_no_decimal_notation_is_what_is_rejected_as_no_number(text: str) -> None:
    try:
        read_number(text)
        reason = None
    except RejectionError as rejection:
        reason = rejection.reason
    assert is_decimal(text) == (reason is not Reason.NUMBER_NOT_A_NUMBER)
    assert number_form({"S": text}) == ("String decimal" if is_decimal(text) else "String other")


@given(texts)
def test_a_time_in_no_form_is_unreadable_and_one_that_is_read_has_a_form(text: str) -> None:
    form = form_of(text, formats=FORMATS)
    try:
        read_day(text, time_zone=RULES.time_zone, earliest=RULES.earliest_day, formats=FORMATS)
        assert form is not None
    except RejectionError as rejection:
        if form is None:
            assert rejection.reason is Reason.TIME_UNREADABLE


@given(st.sampled_from([None, {"NULL": True}, {"S": ""}, {"S": "x"}, {"N": "1"}, {"M": {}}]))
def test_the_forms_of_missing_values_are_three(value: Any) -> None:
    assert is_missing(value) == (number_form(value) in {ABSENT, "NULL", "empty String"})


@pytest.mark.parametrize(
    ("text", "looks_like"),
    [
        ("25/05/2024 13:19", "99/99/9999 99:99"),
        ("May 5th, 2024", "Aaa 9aa, 9999"),
        ("1.234,50 €", "9.999,99 €"),
        ("ночь", "aaaa"),
        ("7" * 41, "9" * 40 + "…"),
    ],
)
def test_a_shape_shows_what_a_value_looks_like_and_not_what_it_is(
    text: str, looks_like: str
) -> None:
    assert shape({"S": text}) == looks_like


def test_the_shape_of_a_number_is_that_of_its_digits() -> None:
    assert shape({"N": str(Decimal("1e30"))}) == "9A+99"
