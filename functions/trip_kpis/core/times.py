"""A time as text or number -> the day it falls on in the reporting time zone."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from zoneinfo import ZoneInfo

from trip_kpis.core.errors import SettingError
from trip_kpis.core.rejections import Reason, RejectionError

_FORM = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[ T](?P<minute>(?:[01][0-9]|2[0-3]):[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]+)?)?"
    r"(?P<offset>Z|[+-][0-9]{2}(?::?[0-5][0-9])?)?)?"
)
"""Date alone, or date and time with a blank or T, seconds, their fractions, Z or an offset."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS_FROM = Decimal(10) ** 11
"""A Number of this size or more is epoch milliseconds (from 1973-03-03), a smaller one seconds."""


def read_day(text: str, *, time_zone: ZoneInfo, formats: tuple[str, ...] = ()) -> date:
    """The day of a time given as text.

    A time without an offset is in `time_zone`; one with an offset is converted to it. `formats`
    (of `strptime`) are tried in turn on what is in none of the built-in forms.

    Raises RejectionError: TIME_UNREADABLE or TIME_OUT_OF_RANGE.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        return _read_by_formats(text, time_zone, formats)
    try:
        if match["minute"] is None:
            return date.fromisoformat(match["date"])
        # The fraction is cut off: no offset has one, so it cannot move a time to another day.
        local = datetime.fromisoformat(
            f"{match['date']}T{match['minute']}:{match['second'] or '00'}{match['offset'] or ''}"
        )
    except ValueError:
        no_such_year = match["date"].startswith("0000")
        raise RejectionError(
            Reason.TIME_OUT_OF_RANGE if no_such_year else Reason.TIME_UNREADABLE
        ) from None
    return _day(local, time_zone)


def read_epoch_day(number: Decimal, *, time_zone: ZoneInfo) -> date:
    """The day of epoch seconds or milliseconds. Raises RejectionError: TIME_OUT_OF_RANGE."""
    whole = int(number.to_integral_value(rounding=ROUND_FLOOR))
    seconds = whole if number.copy_abs() < _MILLISECONDS_FROM else whole // 1000
    try:
        return _day(_EPOCH + timedelta(seconds=seconds), time_zone)
    except OverflowError:
        raise RejectionError(Reason.TIME_OUT_OF_RANGE) from None


def form_of(text: str, *, formats: tuple[str, ...] = ()) -> str | None:
    """What the form is called that `read_day` reads `text` in, if there is such a day; None where
    it is in none of them."""
    match = _FORM.fullmatch(text)
    if match is None:
        return next((f"by format {one}" for one in formats if _is_in_format(text, one)), None)
    if match["minute"] is None:
        return "date alone"
    if match["offset"]:
        return "with offset"
    return "ISO with T" if "T" in text else "date and time"


def form_of_epoch(number: Decimal) -> str:
    """The same of what `read_epoch_day` reads."""
    return "epoch seconds" if number.copy_abs() < _MILLISECONDS_FROM else "epoch milliseconds"


def check_format(time_format: str, *, setting: str) -> str:
    """`time_format` itself, if it can tell a day. Raises SettingError, naming `setting`."""
    if "%Z" in time_format.replace("%%", ""):
        raise SettingError(
            f"{setting} has the time format {time_format!r}: strptime takes the zone's name that "
            "%Z stands for and ignores it, so the day could be another; use %z and an offset"
        )
    sample = datetime(2024, 11, 29, 23, 58, 57, tzinfo=UTC)
    try:
        told = _by_format(sample.strftime(time_format), time_format)
    except (ValueError, re.error) as error:  # re.error: a directive that is there twice
        raise SettingError(
            f"{setting} has the time format {time_format!r}, which cannot be read back ({error}): "
            "use strptime's directives, such as %d/%m/%Y %H:%M"
        ) from error
    if told.date() != sample.date():
        raise SettingError(
            f"{setting} has the time format {time_format!r}, which does not tell a day: it needs a "
            "year, a month and a day, such as %d/%m/%Y %H:%M"
        )
    return time_format


def _read_by_formats(text: str, time_zone: ZoneInfo, formats: tuple[str, ...]) -> date:
    for time_format in formats:
        try:
            local = _by_format(text, time_format)
        except ValueError:
            continue
        return _day(local, time_zone)
    raise RejectionError(Reason.TIME_UNREADABLE)


def _is_in_format(text: str, time_format: str) -> bool:
    try:
        _by_format(text, time_format)
    except ValueError:
        return False
    return True


def _by_format(text: str, time_format: str) -> datetime:
    return datetime.strptime(text, time_format)  # noqa: DTZ007 -- `_day` gives a naive one its zone


def _day(moment: datetime, time_zone: ZoneInfo) -> date:
    if moment.tzinfo is None:
        return moment.date()
    try:
        return moment.astimezone(time_zone).date()
    except OverflowError:
        raise RejectionError(Reason.TIME_OUT_OF_RANGE) from None
