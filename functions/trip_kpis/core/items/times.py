"""Reads a time from text or a number, as the day in the reporting time zone."""

import re
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from trip_kpis.core.items.epochs import LATEST_DAY, moment, resembles, unit_of
from trip_kpis.core.items.rejections import Reason, RejectionError
from trip_kpis.core.items.time_formats import is_in_format, read_by_format

_FORM = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[ T](?P<minute>(?:[01][0-9]|2[0-3]):[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]+)?)?"
    r"(?P<offset>Z|[+-][0-9]{2}(?::?[0-5][0-9])?)?)?"
)
"""The date alone, or date and time with a blank or T, seconds, their fractions, Z or an offset."""


def read_day(
    text: str, *, time_zone: ZoneInfo, earliest: date, formats: tuple[str, ...] = ()
) -> date:
    """Returns the day of a time given as text.

    A time without an offset is in `time_zone`, and its day is the one that it states, also where
    that zone's clocks show the time twice or never; one with an offset is converted to `time_zone`.
    `formats` (of `TimeFormats`) are tried in turn on what is in none of the built-in forms.

    Raises RejectionError: TIME_UNREADABLE, or TIME_OUT_OF_RANGE for a day before `earliest` or
    after LATEST_DAY.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        return _in_range(_read_by_formats(text, time_zone, formats), earliest)
    try:
        if match["minute"] is None:
            return _in_range(date.fromisoformat(match["date"]), earliest)
        # The fraction is cut off: no offset has one, so it cannot move a time to another day.
        local = datetime.fromisoformat(
            f"{match['date']}T{match['minute']}:{match['second'] or '00'}{match['offset'] or ''}"
        )
    except ValueError:
        no_such_year = match["date"].startswith("0000")
        raise RejectionError(
            Reason.TIME_OUT_OF_RANGE if no_such_year else Reason.TIME_UNREADABLE
        ) from None
    return _in_range(_day(local, time_zone), earliest)


def read_epoch_day(number: Decimal, *, time_zone: ZoneInfo, earliest: date) -> date:
    """Returns the day of epoch seconds, milliseconds or microseconds; the size of the number
    decides which.

    Raises RejectionError: TIME_OUT_OF_RANGE.
    """
    return _in_range(_day(moment(number, unit_of(number)), time_zone), earliest)


def form_of(text: str, *, formats: tuple[str, ...] = ()) -> str | None:
    """Returns the name of the form in which `read_day` reads `text`; None if it is in none of
    them."""
    match = _FORM.fullmatch(text)
    if match is None:
        return next((f"by format {one}" for one in formats if is_in_format(text, one)), None)
    if match["minute"] is None:
        return "date alone"
    if match["offset"]:
        return "with offset"
    return "ISO with T" if "T" in text else "date and time"


def form_of_epoch(number: Decimal, *, time_zone: ZoneInfo, earliest: date) -> str:
    """Returns the name of the form that `read_epoch_day` reads, or what a number that is out of
    range looks like."""
    try:
        read_epoch_day(number, time_zone=time_zone, earliest=earliest)
    except RejectionError:
        if other := resembles(number, earliest=earliest):
            return other
    return f"epoch {unit_of(number)}"


def _read_by_formats(text: str, time_zone: ZoneInfo, formats: tuple[str, ...]) -> date:
    for time_format in formats:
        if read := read_by_format(text, time_format):
            return _day(read, time_zone)
    raise RejectionError(Reason.TIME_UNREADABLE)


def _day(time: datetime, time_zone: ZoneInfo) -> date:
    if time.tzinfo is None:
        return time.date()
    try:
        return time.astimezone(time_zone).date()
    except OverflowError:
        raise RejectionError(Reason.TIME_OUT_OF_RANGE) from None


def _in_range(day: date, earliest: date) -> date:
    if earliest <= day <= LATEST_DAY:
        return day
    raise RejectionError(Reason.TIME_OUT_OF_RANGE)
