"""A number as text -> an exact decimal, or a reason why not."""

import re
from decimal import Context, Decimal, Inexact, InvalidOperation

from trip_kpis.core.items.rejections import Reason, RejectionError

PLACES = 18
LIMIT = Decimal(10) ** 9
MOST_TRIPS = 10**11
"""of one run. Arrow's sums wrap around in silence past decimal128(38, 18): below this many numbers
below LIMIT no sum reaches 10^20."""
EXACT = Context(prec=60, traps=[Inexact])
"""Room for 10^24 numbers' sum with 18 places; a rounding would raise."""
ONE = Decimal(1)
_STEP = ONE.scaleb(-PLACES)
_OF_ONE_NUMBER = Context(prec=38, traps=[Inexact, InvalidOperation])
_SCALED = Context(prec=500_000, traps=[Inexact, InvalidOperation])
"""Room for all digits that an item has."""
_FAR = 100
"""No scale brings a number with so many places before or after the point into the limits."""

_NOTATION = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
"""What DynamoDB, `str(Decimal)` and `str(float)` write, but for NaN and the infinities."""

_EXPONENT_DIGITS = 6
"""A longer exponent is out of range whatever its digits are; `Decimal` cannot hold them all."""


def is_decimal(text: str) -> bool:
    """Whether `text` is a decimal notation, of whatever size and precision."""
    return _NOTATION.fullmatch(text) is not None


def read_number(text: str, *, scale: Decimal = ONE) -> Decimal:
    """The exact value of `text` times `scale`, with 18 decimal places.

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
    """`value` with 18 decimal places. Raises RejectionError as `read_number`."""
    if value.copy_abs() >= LIMIT:
        raise RejectionError(Reason.NUMBER_TOO_LARGE)
    try:
        number = value.quantize(_STEP, context=_OF_ONE_NUMBER)
    except Inexact:
        raise RejectionError(Reason.NUMBER_TOO_PRECISE) from None
    return number if number else number.copy_abs()  # "-0" is 0


def comparable(text: str) -> Decimal | None:
    """The value of `text`, of whatever size, for comparing; None for what is no decimal notation.

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
    """An exact decimal as JSON writes numbers: no exponent, no zeros at its end, no minus zero."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").removesuffix(".")
    return "0" if text == "-0" else text


def _long_exponent(text: str) -> str:
    """The exponent of a decimal notation, if it has more digits than any that is in range."""
    exponent = text.lower().partition("e")[2]
    return exponent if len(exponent.lstrip("+-").lstrip("0")) > _EXPONENT_DIGITS else ""
