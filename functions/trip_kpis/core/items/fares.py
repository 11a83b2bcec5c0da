"""A fare as text -> an exact decimal, or a reason why not."""

import re
from decimal import Context, Decimal, Inexact, InvalidOperation

from trip_kpis.core.items.rejections import Reason, RejectionError

PLACES = 18
LIMIT = Decimal(10) ** 9
MOST_TRIPS = 10**11
"""of one run. Arrow's sums wrap around in silence past decimal128(38, 18): below this many fares
below LIMIT no sum reaches 10^20."""
EXACT = Context(prec=60, traps=[Inexact])
"""Room for 10^24 fares' sum with 18 places; a rounding would raise."""
_STEP = Decimal(1).scaleb(-PLACES)
_OF_ONE_FARE = Context(prec=38, traps=[Inexact, InvalidOperation])

_NOTATION = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
"""What DynamoDB, `str(Decimal)` and `str(float)` write, but for NaN and the infinities."""

_EXPONENT_DIGITS = 6
"""A longer exponent is out of range whatever its digits are; `Decimal` cannot hold them all."""


def is_decimal(text: str) -> bool:
    """Whether `text` is a decimal notation, of whatever size and precision."""
    return _NOTATION.fullmatch(text) is not None


def read_fare(text: str) -> Decimal:
    """The exact value of `text`, with 18 decimal places.

    Raises RejectionError: FARE_NOT_A_NUMBER, FARE_TOO_LARGE for 10^9 and more in size,
    FARE_TOO_PRECISE for a value (not a notation: zeros at the end do not count) that needs more
    than 18 decimal places.
    """
    if not is_decimal(text):
        raise RejectionError(Reason.FARE_NOT_A_NUMBER)
    mantissa, _, exponent = text.lower().partition("e")
    if len(exponent.lstrip("+-").lstrip("0")) > _EXPONENT_DIGITS:
        if not mantissa.strip("-.0"):
            return Decimal(0).quantize(_STEP)
        raise RejectionError(
            Reason.FARE_TOO_PRECISE if exponent.startswith("-") else Reason.FARE_TOO_LARGE
        )
    value = Decimal(text)
    if value.copy_abs() >= LIMIT:
        raise RejectionError(Reason.FARE_TOO_LARGE)
    try:
        fare = value.quantize(_STEP, context=_OF_ONE_FARE)
    except Inexact:
        raise RejectionError(Reason.FARE_TOO_PRECISE) from None
    return fare if fare else fare.copy_abs()  # "-0" is 0
