"""Reads a number from text: an exact decimal, or the reason why it is refused."""

import re
from decimal import Context, Decimal, Inexact, InvalidOperation

from trip_kpis.core.items.rejections import Reason, RejectionError

PLACES = 18
LIMIT = Decimal(10) ** 9
MOST_TRIPS = 10**11
"""Of one run. Arrow's sums overflow without an error above decimal128(38, 18): with fewer numbers
than this, each below LIMIT, no sum reaches 10^20."""
EXACT = Context(prec=60, traps=[Inexact])
"""Enough digits for the sum of 10^24 numbers with 18 places; a rounding would raise."""
ONE = Decimal(1)
_STEP = ONE.scaleb(-PLACES)
_OF_ONE_NUMBER = Context(prec=38, traps=[Inexact, InvalidOperation])
_SCALED = Context(prec=500_000, traps=[Inexact, InvalidOperation])
"""Enough for all digits that an item has."""
_FAR = 100
"""No scale makes a number with so many places before or after the point valid."""

_NOTATION = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
"""The notations of DynamoDB, `str(Decimal)` and `str(float)`, except NaN and the infinities."""

_EXPONENT_DIGITS = 6
"""A longer exponent is out of range for all digits; `Decimal` cannot represent all such numbers."""


def is_decimal(text: str) -> bool:
    """Returns whether `text` is a decimal notation, of any size and precision."""
    return _NOTATION.fullmatch(text) is not None


def read_number(text: str, *, scale: Decimal = ONE) -> Decimal:
    """Returns the exact value of `text` times `scale`, with 18 decimal places.

    Raises RejectionError: NUMBER_NOT_A_NUMBER, NUMBER_TOO_LARGE for 10^9 and more in size,
    NUMBER_TOO_PRECISE for a value (not a notation: zeros at the end do not count) that needs more
    than 18 decimal places.
    """
    if not is_decimal(text):
        raise RejectionError(Reason.NUMBER_NOT_A_NUMBER)
    exponent = _long_exponent(text)
    if exponent and text.lower().partition("e")[0].strip("-.0"):
        raise RejectionError(
            Reason.NUMBER_TOO_PRECISE if exponent.startswith("-") else Reason.NUMBER_TOO_LARGE
        )
    value = Decimal(0) if exponent else Decimal(text)
    if value and not -_FAR < value.adjusted() < _FAR:
        raise RejectionError(
            Reason.NUMBER_TOO_LARGE if value.adjusted() > 0 else Reason.NUMBER_TOO_PRECISE
        )
    return within_limits(value if scale == ONE else _SCALED.multiply(value, scale))


def within_limits(value: Decimal) -> Decimal:
    """Returns `value` with 18 decimal places. Raises RejectionError as `read_number`."""
    if value.copy_abs() >= LIMIT:
        raise RejectionError(Reason.NUMBER_TOO_LARGE)
    try:
        number = value.quantize(_STEP, context=_OF_ONE_NUMBER)
    except Inexact:
        raise RejectionError(Reason.NUMBER_TOO_PRECISE) from None
    return number if number else number.copy_abs()  # "-0" is 0


def comparable(text: str) -> Decimal | None:
    """Returns the value of `text`, of any size, for comparisons; None if it is not a decimal
    notation.

    Beyond an exponent of six digits it is the sixth power's neighbour on the same side: larger, or
    nearer to zero, than any number that DynamoDB has.
    """
    if not is_decimal(text):
        return None
    if exponent := _long_exponent(text):
        mantissa = Decimal(text.lower().partition("e")[0])
        far = -999_999 if exponent.startswith("-") else 999_999
        return Decimal(mantissa.compare(Decimal(0))).scaleb(far)
    return Decimal(text)


def plain(value: Decimal) -> str:
    """Formats an exact decimal as JSON writes numbers: no exponent, no trailing zeros, no minus
    zero."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").removesuffix(".")
    return "0" if text == "-0" else text


def _long_exponent(text: str) -> str:
    """Returns the exponent of a decimal notation, if it has more digits than any exponent in
    range."""
    exponent = text.lower().partition("e")[2]
    return exponent if len(exponent.lstrip("+-").lstrip("0")) > _EXPONENT_DIGITS else ""
