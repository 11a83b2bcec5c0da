"""A day's five figures and its `kpi.json`: the average is rounded here, nothing else anywhere."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from trip_kpis.core.items.fares import EXACT

_LARGEST_EXPONENT = 40
"""Figures have at most 20 digits before the point and 18 after it. A number with a huge exponent
would be written out with as many digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayKpis:
    """The five figures of a day with at least one trip."""

    day: date
    trip_count: int
    total_fare: Decimal
    min_fare: Decimal
    max_fare: Decimal

    @property
    def average_fare(self) -> Decimal:
        """The exact mean, rounded half-even to 6 decimal places."""
        # One division, rounded once: dividing to some precision first and rounding the quotient
        # afterwards can turn a value just off a tie into a tie.
        scaled = int(EXACT.scaleb(self.total_fare, 18))
        divisor = self.trip_count * 10**12
        quotient, remainder = divmod(scaled, divisor)
        twice = 2 * remainder
        if twice > divisor or (twice == divisor and quotient % 2 == 1):
            quotient += 1
        return Decimal(quotient).scaleb(-6, context=EXACT)

    def to_bytes(self) -> bytes:
        """The body of `kpi.json`: one line, numbers exact and without zeros at their ends."""
        return (
            f'{{"date":"{self.day.isoformat()}","trip_count":{self.trip_count}'
            f',"total_fare":{json_number(self.total_fare)}'
            f',"average_fare":{json_number(self.average_fare)}'
            f',"max_fare":{json_number(self.max_fare)}'
            f',"min_fare":{json_number(self.min_fare)}}}\n'
        ).encode()


def json_number(value: Decimal) -> str:
    """An exact decimal as JSON writes numbers: no exponent, no zeros at its end, no minus zero."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").removesuffix(".")
    return "0" if text == "-0" else text


def check_figures(*values: Decimal | float) -> None:
    """Raises ValueError for what is no figure of this product's."""
    for value in values:
        figure = Decimal(str(value))
        exponent = figure.as_tuple().exponent
        if not isinstance(exponent, int) or not (
            exponent >= -_LARGEST_EXPONENT and figure.adjusted() <= _LARGEST_EXPONENT
        ):
            raise ValueError(f"{value} is no figure of a run")
