"""A number is exact or it is rejected; there is nothing in between."""

from decimal import Context, Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trip_kpis.core.items.numbers import LIMIT, read_number
from trip_kpis.core.items.rejections import Reason, RejectionError

LONG = 400_000
"""digits: an item may have 400 KB"""


def reason_of(text: str) -> Reason:
    with pytest.raises(RejectionError) as caught:
        read_number(text)
    return caught.value.reason


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12.5", "12.5"),
        ("12", "12"),
        ("0012.50", "12.5"),
        ("-3.25", "-3.25"),
        ("1E+3", "1000"),
        ("1e3", "1000"),
        ("1.5E-7", "0.00000015"),
        ("1e-05", "0.00001"),
        ("0E-20", "0"),
        ("0e999999", "0"),
        ("0e-999999", "0"),
        ("0e99999999999999999999", "0"),
        ("-0.000e-99999999999999999999", "0"),
        ("1e0000000000000000000000003", "1000"),
        ("999999999.999999999999999999", "999999999.999999999999999999"),
        ("-999999999.999999999999999999", "-999999999.999999999999999999"),
        ("0.000000000000000001", "0.000000000000000001"),
        ("1.1000000000000000000000", "1.1"),
        ("10.036694629486497", "10.036694629486497"),
    ],
)
def test_every_notation_that_dynamodb_and_python_write_is_read_exactly(
    text: str, value: str
) -> None:
    assert read_number(text) == Decimal(value)


@pytest.mark.parametrize("text", ["-0", "-0.0", "-0E+3", "-0e-7", "-0e9999999"])
def test_minus_zero_is_zero(text: str) -> None:
    assert str(read_number(text)) == str(read_number("0"))


@pytest.mark.parametrize("text", ["1", "1e8", "-0", "0.000000000000000001", "1E-18", "7.10"])
def test_a_number_always_has_18_places(text: str) -> None:
    assert read_number(text).as_tuple().exponent == -18


@pytest.mark.parametrize(
    "text",
    [
        "NaN", "nan", "sNaN", "-NaN", "inf", "-inf", "Infinity", "1_000", "1,5", "1,000.5", "£5",
        "12.5 ", " 12.5", "12.5\n", "\t12.5", " ", "1 2", "+5", "--5", "5.", ".5", "-.5", "-", ".",
        "e5", "1e", "1e+", "1e5.0", "0x10", "0b1", "1/2", "True", "null", "free", "12.5\x00",
        "\u0661\u0662", "\uff11\uff12", "12.\u0665", "1e\u0665", "\u00bd", "\u00b2", "\u22125",
    ],
)  # fmt: skip
def test_what_is_no_decimal_notation_is_not_a_number(text: str) -> None:
    assert reason_of(text) is Reason.NUMBER_NOT_A_NUMBER


@pytest.mark.parametrize(
    "text",
    ["1000000000", "-1000000000", "1e9", "1E+125", "1e999999", "1e1000000", "1e999999999999999999"],
)  # fmt: skip
def test_from_a_thousand_million_on_a_number_is_too_large(text: str) -> None:
    assert reason_of(text) is Reason.NUMBER_TOO_LARGE


@pytest.mark.parametrize(
    "text",
    ["0.0000000000000000001", "1e-19", "1E-130", "1e-999999", "1e-99999999999999999999",
     "999999999.9999999999999999999", "-0.1234567890123456789"],
)  # fmt: skip
def test_beyond_18_places_a_number_is_too_precise(text: str) -> None:
    assert reason_of(text) is Reason.NUMBER_TOO_PRECISE


def test_a_value_as_long_as_an_item_is_judged_by_what_it_is() -> None:
    assert reason_of("1" * LONG) is Reason.NUMBER_TOO_LARGE
    assert reason_of("0." + "0" * LONG + "1") is Reason.NUMBER_TOO_PRECISE
    assert reason_of("1" * LONG + "x") is Reason.NUMBER_NOT_A_NUMBER
    assert reason_of("1e-" + "9" * LONG) is Reason.NUMBER_TOO_PRECISE
    assert reason_of("0." + "0" * LONG + "1e-999999") is Reason.NUMBER_TOO_PRECISE
    assert read_number("0" * LONG + "7") == 7
    assert read_number("7." + "0" * LONG) == 7
    assert read_number("7" + "0" * LONG + f"e-{LONG}") == 7
    assert read_number("0." + "0" * LONG + f"7e{LONG + 1}") == 7
    assert read_number("0e" + "9" * LONG) == 0


exact_numbers = st.decimals(
    min_value=-LIMIT + 1, max_value=LIMIT - 1, places=18, allow_nan=False, allow_infinity=False
)


@given(exact_numbers)
def test_reading_inverts_str_of_a_decimal(number: Decimal) -> None:
    assert read_number(str(number)) == number


@given(exact_numbers)
def test_reading_inverts_every_other_form_of_the_same_value(number: Decimal) -> None:
    for text in (
        str(number.normalize(Context(prec=40))),
        f"{number:f}",
        f"{number:e}",
        f"{number:E}",
    ):
        assert read_number(text) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(5e-324)
@example(1e22)
@example(-0.0)
@example(0.1)
@example(1e-05)
@example(999999999.9999999)
def test_a_float_is_read_as_it_is_written_or_rejected_for_its_size(number: float) -> None:
    written = Decimal(str(number))
    if abs(written) >= LIMIT:
        assert reason_of(str(number)) is Reason.NUMBER_TOO_LARGE
    elif written != written.quantize(Decimal("1e-18"), context=Context(prec=60)):
        assert reason_of(str(number)) is Reason.NUMBER_TOO_PRECISE
    else:
        assert read_number(str(number)) == written


@given(st.text(max_size=30) | st.text(alphabet="0123456789.eE+-_ ", max_size=30))
def test_any_text_is_a_number_or_a_rejection_and_a_number_is_what_the_text_says(text: str) -> None:
    try:
        number = read_number(text)
    except RejectionError:
        return
    assert number == Decimal(text)
    assert abs(number) < LIMIT
