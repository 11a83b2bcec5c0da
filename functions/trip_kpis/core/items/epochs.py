"""Converts a number that counts from 1970 to a moment in UTC, or finds what else the number looks
like."""

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

from trip_kpis.core.items.rejections import Reason, RejectionError

LATEST_DAY = date(2100, 12, 31)
"""The last day that a trip can have; the first is the plan's `earliest_day`."""

MILLISECONDS_FROM, MICROSECONDS_FROM = 10**11, 10**14
"""The unit depends on the size without the sign: seconds below 10^11, milliseconds below 10^14,
microseconds from there."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_DIGITS = 18
"""The number of digits before the point: in microseconds, the year 9999 has 18."""
_SPREADSHEET_EPOCH = date(1899, 12, 30)
"""Serial day 0 in Excel's default date system, for days from 1900-03-01 on.

https://ooxml.info/docs/l/l.2/l.2.2/l.2.16.8/l.2.16.9.1
"""
DATE_AS_A_NUMBER, SERIAL_DAY = "date as a number", "Excel serial day"
_DATE_DIGITS = {8, 12, 14, 17}
"""YYYYMMDD alone, and with HHMM, HHMMSS, milliseconds."""


class Unit(StrEnum):
    """The unit of a number."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    MICROSECONDS = "microseconds"


_PER_SECOND = {Unit.SECONDS: 1, Unit.MILLISECONDS: 1_000, Unit.MICROSECONDS: 1_000_000}


def unit_of(number: Decimal) -> Unit:
    """Returns the unit of a Number, by its size."""
    size = number.copy_abs()
    if size < MILLISECONDS_FROM:
        return Unit.SECONDS
    return Unit.MILLISECONDS if size < MICROSECONDS_FROM else Unit.MICROSECONDS


def moment(number: Decimal, unit: Unit) -> datetime:
    """Returns the moment in UTC, rounded down to the second.

    Raises RejectionError: TIME_OUT_OF_RANGE beyond the calendar.
    """
    if number and number.adjusted() >= _MOST_DIGITS:
        raise RejectionError(Reason.TIME_OUT_OF_RANGE)
    whole = int(number.to_integral_value(rounding=ROUND_FLOOR))
    try:
        return _EPOCH + timedelta(seconds=whole // _PER_SECOND[unit])
    except OverflowError:
        raise RejectionError(Reason.TIME_OUT_OF_RANGE) from None


def resembles(number: Decimal, *, earliest: date) -> str | None:
    """Returns what a number looks like that is out of range as an epoch, if that would be in range.

    ``date as a number`` for 20240525, ``Excel serial day`` for 45437.55; otherwise None.
    """
    if number.adjusted() >= _MOST_DIGITS or number <= 0:
        return None
    days = int(number)
    if days < (LATEST_DAY - _SPREADSHEET_EPOCH).days + 1:
        day = _SPREADSHEET_EPOCH + timedelta(days=days)
        return SERIAL_DAY if earliest <= day <= LATEST_DAY else None
    digits = str(days)
    if number == days and len(digits) in _DATE_DIGITS:
        try:
            written = datetime.strptime(digits[:8], "%Y%m%d")  # noqa: DTZ007 -- a date alone
        except ValueError:
            return None
        return DATE_AS_A_NUMBER if earliest <= written.date() <= LATEST_DAY else None
    return None
