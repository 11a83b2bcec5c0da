"""Fares and days as text -> Arrow columns, with a null for what must be looked at one by one.

Here is only what is plain beyond doubt, which is nearly everything: each pattern matches a part of
what `fares` and `times` read, and never a value that they would reject or read differently. They
decide the rest.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from trip_kpis.core.items.epochs import LATEST_DAY, MICROSECONDS_FROM, MILLISECONDS_FROM
from trip_kpis.core.items.pages import Leaf

FARE_TYPE = pa.decimal128(38, 18)

_FARE = r"^-?[0-9]{1,9}(?:\.[0-9]{1,18})?$"

_MONTH_AND_DAY = (
    "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_LEAP_YEAR = "(?:19[79][26]|198[048]|20[02468][048]|20[13579][26])"
_DATE = f"(?:(?:19[7-9][0-9]|20[0-9]{{2}})-{_MONTH_AND_DAY}|{_LEAP_YEAR}-02-29)"
_HOUR, _MINUTE = "(?:[01][0-9]|2[0-3])", "[0-5][0-9]"
_SECOND = r"(?::[0-5][0-9](?:\.[0-9]+)?)?"
_LOCAL = f"^{_DATE}(?:[ T]{_HOUR}:{_MINUTE}{_SECOND})?$"
_UTC = f"^{_DATE}(?:[ T]{_HOUR}:{_MINUTE}{_SECOND}Z?)?$"
_WITH_OFFSET = (
    f"^(?P<date>{_DATE})[ T](?P<hour>{_HOUR}):(?P<minute>{_MINUTE}){_SECOND}"
    f"(?:Z|(?P<sign>[+-])(?P<hours_east>0[0-9]|1[0-4])(?::?(?P<minutes_east>{_MINUTE}))?)$"
)
_EPOCH = "^[0-9]{9,16}$"
_FROM_MINUTE, _UNTIL_MINUTE = 3 * 365 * 24 * 60, 130 * 365 * 24 * 60
"""1972-12-31 to 2099-11-29: before it, zones had offsets with seconds; after it come guesses."""
_DAY_MINUTES = 24 * 60


def fares(leaves: Sequence[Leaf]) -> pa.Array:
    """The fares, as FARE_TYPE."""
    texts = _texts(leaves)
    return pc.cast(_where(pc.match_substring_regex(texts, _FARE), texts), FARE_TYPE)


def are_fares(leaves: Sequence[Leaf]) -> pa.Array:
    """Which of them `fares` would read; boolean."""
    return pc.fill_null(pc.match_substring_regex(_texts(leaves), _FARE), False)


def days(leaves: Sequence[Leaf], *, time_zone: ZoneInfo, earliest: date) -> pa.Array:
    """The days in `time_zone`, as date32, from `earliest` to LATEST_DAY."""
    return _in_range(_days(leaves, time_zone), earliest)


def _days(leaves: Sequence[Leaf], time_zone: ZoneInfo) -> pa.Array:
    texts = pa.array([leaf.S for leaf in leaves], pa.string())
    plain = pc.match_substring_regex(texts, _UTC if time_zone.key == "UTC" else _LOCAL)
    of_plain = _date(_where(plain, texts))
    if not of_plain.null_count:
        return of_plain
    minutes = pc.coalesce(
        _minutes_of_texts(_where(pc.invert(plain), texts)),
        _minutes_of_numbers(pa.array([leaf.N for leaf in leaves], pa.string())),
    )
    return pc.coalesce(of_plain, _local_days(minutes, time_zone))


def _in_range(days: pa.Array, earliest: date) -> pa.Array:
    is_in_range = pc.and_(
        pc.greater_equal(days, pa.scalar(earliest)), pc.less_equal(days, pa.scalar(LATEST_DAY))
    )
    return _where(is_in_range, days)


def _texts(leaves: Sequence[Leaf]) -> pa.Array:
    return pa.array([leaf.N or leaf.S for leaf in leaves], pa.string())


def _where(condition: pa.Array, values: pa.Array) -> pa.Array:
    return pc.if_else(condition, values, pa.scalar(None, values.type))


def _date(texts: pa.Array) -> pa.Array:
    return pc.cast(pc.utf8_slice_codeunits(texts, 0, 10), pa.date32())


def _minutes_of_texts(texts: pa.Array) -> pa.Array:
    """Minutes since 1970 in UTC, of times that say how far from UTC they are."""
    parts = pc.extract_regex(texts, _WITH_OFFSET)

    def number(name: str) -> pa.Array:
        digits = pc.struct_field(parts, name)
        return pc.cast(pc.if_else(pc.equal(digits, ""), "0", digits), pa.int64())

    day = pc.cast(pc.cast(_date(pc.struct_field(parts, "date")), pa.int32()), pa.int64())
    local = pc.add(
        pc.multiply(day, _DAY_MINUTES), pc.add(pc.multiply(number("hour"), 60), number("minute"))
    )
    east = pc.add(pc.multiply(number("hours_east"), 60), number("minutes_east"))
    is_west = pc.equal(pc.struct_field(parts, "sign"), "-")
    return pc.subtract(local, pc.if_else(is_west, pc.negate(east), east))


def _minutes_of_numbers(texts: pa.Array) -> pa.Array:
    """Minutes since 1970 in UTC, of epoch seconds, milliseconds or microseconds."""
    number = pc.cast(_where(pc.match_substring_regex(texts, _EPOCH), texts), pa.int64())
    per_minute = pc.if_else(
        pc.less(number, MILLISECONDS_FROM),
        60,
        pc.if_else(pc.less(number, MICROSECONDS_FROM), 60_000, 60_000_000),
    )
    return pc.divide(number, per_minute)


def _local_days(minutes: pa.Array, time_zone: ZoneInfo) -> pa.Array:
    """The days in a zone of minutes in UTC; null on the days on which the zone's offset changes."""
    is_known = pc.and_(pc.greater_equal(minutes, _FROM_MINUTE), pc.less(minutes, _UNTIL_MINUTE))
    minutes = _where(is_known, minutes)
    utc_days = pc.divide(minutes, _DAY_MINUTES).dictionary_encode()
    east = pa.array(
        [_minutes_east(time_zone, day) for day in utc_days.dictionary.to_pylist()], pa.int64()
    ).take(utc_days.indices)
    local_days = pc.divide(pc.add(minutes, east), _DAY_MINUTES)
    return pc.cast(pc.cast(local_days, pa.int32()), pa.date32())


@lru_cache(maxsize=2**16)
def _minutes_east(time_zone: ZoneInfo, utc_day: int) -> int | None:
    """The zone's offset during a day of UTC's, counted from 1970; None if it changes meanwhile."""
    start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=utc_day)
    offsets = {(start + timedelta(hours=n)).astimezone(time_zone).utcoffset() for n in range(25)}
    offset = offsets.pop()
    if offsets or offset is None or offset.seconds % 60:
        return None
    return offset // timedelta(minutes=1)
