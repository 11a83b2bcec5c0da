"""Converts the values of a page to Arrow columns, with a null for values that must be read one by
one.

Here is only what is plain beyond doubt, which is nearly everything: each pattern matches a part of
what `numbers`, `times` and `conditions` read, and never a value that they would reject or read
differently. They decide the rest.
"""

from collections.abc import Sequence, Set
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from trip_kpis.core.definition.conditions import (
    BeginsWith,
    Compared,
    Condition,
    Equals,
    Exists,
    Wanted,
)
from trip_kpis.core.definition.model import Measure
from trip_kpis.core.items.epochs import LATEST_DAY, MICROSECONDS_FROM, MILLISECONDS_FROM
from trip_kpis.core.items.numbers import LIMIT, ONE, PLACES, read_number
from trip_kpis.core.items.pages import Leaf
from trip_kpis.core.items.rejections import RejectionError

NUMBER_TYPE = pa.decimal128(38, 18)

_NUMBER_OF, _STRING_OF = attrgetter("N"), attrgetter("S")
_NUMBER = r"^-?[0-9]{1,9}(?:\.[0-9]{1,18})?$"
_BELOW_LIMIT = pa.decimal128(27, PLACES)
"""Nine digits before the point: enough room for what is added to the number."""
_PLAIN_NUMBER = r"^(?:0|-?(?:[1-9][0-9]{0,37}|(?:0|[1-9][0-9]{0,18})\.[0-9]{0,17}[1-9]))$"
"""A Number in the notation that names a group."""

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


def measured(columns: Sequence[Sequence[Leaf]], measure: Measure, absent: Set[str]) -> pa.Array:
    """Returns the measure's numbers as NUMBER_TYPE, in a column for each of its paths."""
    numbers = [_scaled(leaves, measure, absent) for leaves in columns]
    if len(numbers) == 1:
        return numbers[0]
    total = pc.cast(numbers[0], _BELOW_LIMIT)
    for other in numbers[1:]:
        total = pc.cast(pc.add(total, pc.cast(other, _BELOW_LIMIT)), NUMBER_TYPE)
        total = pc.cast(_within_limits(total), _BELOW_LIMIT)
    return pc.cast(total, NUMBER_TYPE)


def are_numbers(leaves: Sequence[Leaf], absent: Set[str]) -> pa.Array:
    """Returns which of the values are certainly numbers; boolean."""
    texts = _without_words(_texts(leaves), absent)
    return pc.fill_null(pc.match_substring_regex(texts, _NUMBER), False)


def are_there(leaves: Sequence[Leaf], absent: Set[str]) -> pa.Array:
    """Returns which of them are certainly values: not NULL, and not a word that means absent;
    boolean."""
    return pa.array(
        [leaf.is_decoded and not leaf.is_missing and leaf.S not in absent for leaf in leaves],
        pa.bool_(),
    )


def groups(leaves: Sequence[Leaf], absent: Set[str]) -> tuple[pa.Array, pa.Array]:
    """Returns the texts to group by, null if there is no value, and which of both are certain."""
    numbers = pa.array([leaf.N for leaf in leaves], pa.string())
    is_plain = pc.fill_null(pc.match_substring_regex(numbers, _PLAIN_NUMBER), True)
    texts = pa.array([_group(leaf, absent) for leaf in leaves], pa.string())
    decoded = pa.array([leaf.is_decoded for leaf in leaves], pa.bool_())
    return texts, pc.and_(decoded, is_plain)


def hold(leaves: Sequence[Leaf], condition: Condition, absent: Set[str]) -> pa.Array:
    """Returns whether each value meets the condition; null if it must be examined one by one."""
    decoded = pa.array([leaf.is_decoded for leaf in leaves], pa.bool_())
    if isinstance(condition, Exists):
        there = are_there(leaves, absent)
        return _where(decoded, there if condition.wanted else pc.invert(there))
    found = _compare(leaves, condition)
    if absent:
        words = pa.array([leaf.S in absent for leaf in leaves], pa.bool_())
        of_nothing = isinstance(condition, Equals) and condition.negated
        found = pc.if_else(words, of_nothing, found)
    return _where(decoded, found)


def days(
    columns: Sequence[Sequence[Leaf]], *, after: str, time_zone: ZoneInfo, earliest: date
) -> pa.Array:
    """The days in `time_zone`, as date32, from `earliest` to LATEST_DAY.

    Of one column: of times, or of Strings that begin with `after`. Of two: of dates and of times.
    """
    if len(columns) > 1:
        found = _days(pc.binary_join_element_wise(*map(_texts, columns), " "), None, time_zone)
    elif after:
        texts = [
            leaf.S.removeprefix(after) if leaf.S is not None and leaf.S.startswith(after) else None
            for leaf in columns[0]
        ]
        found = _days(pa.array(texts, pa.string()), None, time_zone)
    else:
        found = _days(_strings(columns[0]), columns[0], time_zone)
    return _in_range(found, earliest)


def _days(texts: pa.Array, epochs: Sequence[Leaf] | None, time_zone: ZoneInfo) -> pa.Array:
    """Returns the days of times that are texts, and of the Numbers among `epochs`."""
    plain = pc.match_substring_regex(texts, _UTC if time_zone.key == "UTC" else _LOCAL)
    of_plain = _date(_where(plain, texts))
    if not of_plain.null_count:
        return of_plain
    minutes = _minutes_of_texts(_where(pc.invert(plain), texts))
    if epochs is not None:
        numbers = pa.array([leaf.N for leaf in epochs], pa.string())
        minutes = pc.coalesce(minutes, _minutes_of_numbers(numbers))
    return pc.coalesce(of_plain, _local_days(minutes, time_zone))


def _in_range(days: pa.Array, earliest: date) -> pa.Array:
    is_in_range = pc.and_(
        pc.greater_equal(days, pa.scalar(earliest)), pc.less_equal(days, pa.scalar(LATEST_DAY))
    )
    return _where(is_in_range, days)


def _texts(leaves: Sequence[Leaf]) -> pa.Array:
    """Returns the texts of Numbers and Strings; null for all other values."""
    numbers = pa.array(list(map(_NUMBER_OF, leaves)), pa.string())
    return pc.coalesce(numbers, _strings(leaves)) if numbers.null_count else numbers


def _strings(leaves: Sequence[Leaf]) -> pa.Array:
    return pa.array(list(map(_STRING_OF, leaves)), pa.string())


def _scaled(leaves: Sequence[Leaf], measure: Measure, absent: Set[str]) -> pa.Array:
    texts = _without_words(_texts(leaves), absent)
    numbers = pc.cast(_where(pc.match_substring_regex(texts, _NUMBER), texts), NUMBER_TYPE)
    if measure.scale != ONE:
        numbers = _multiplied(numbers, measure.scale)
    if measure.missing is None:
        return numbers
    try:
        instead = read_number(str(measure.missing), scale=measure.scale)
    except RejectionError:
        return numbers
    is_missing = pa.array([leaf.is_missing or leaf.S in absent for leaf in leaves], pa.bool_())
    return pc.if_else(is_missing, pa.scalar(instead, NUMBER_TYPE), numbers)


def _without_words(texts: pa.Array, absent: Set[str]) -> pa.Array:
    if not absent:
        return texts
    return _where(pc.invert(pc.is_in(texts, pa.array(sorted(absent), pa.string()))), texts)


def _multiplied(numbers: pa.Array, scale: Decimal) -> pa.Array:
    """Returns the products that are within the limits. Arrow multiplies what has 38 digits in
    all."""
    places = max(0, -int(scale.normalize().as_tuple().exponent))
    whole_digits = max(1, scale.adjusted() + 1)
    kept = min(PLACES - places, 28 - places - whole_digits)
    if kept < 0:
        return pa.nulls(len(numbers), NUMBER_TYPE)
    cut = pc.cast(numbers, pa.decimal128(38, kept), safe=False)
    is_exact = pc.equal(pc.cast(cut, NUMBER_TYPE), numbers)
    few_places = pc.cast(_where(is_exact, cut), pa.decimal128(9 + kept, kept))
    factor = pa.scalar(scale, pa.decimal128(whole_digits + places, places))
    return _within_limits(pc.multiply(few_places, factor))


def _within_limits(numbers: pa.Array) -> pa.Array:
    """Returns the numbers as NUMBER_TYPE, null from LIMIT on."""
    is_in = pc.and_(pc.less(numbers, LIMIT), pc.greater(numbers, -LIMIT))
    return pc.cast(_where(is_in, numbers), NUMBER_TYPE)


def _group(leaf: Leaf, absent: Set[str]) -> str | None:
    if leaf.BOOL is not None:
        return "true" if leaf.BOOL else "false"
    return leaf.N or (leaf.S if leaf.S and leaf.S not in absent else None)


def _compare(leaves: Sequence[Leaf], condition: Equals | BeginsWith | Compared) -> pa.Array:
    """Compares values; the result is null if a number is in a notation that is not plain."""
    texts = _strings(leaves)
    if isinstance(condition, BeginsWith):
        begins = [pc.starts_with(texts, text) for text in condition.texts]
        return pc.fill_null(_any(begins), False)
    if isinstance(condition, Compared):
        if isinstance(condition.limit, str):
            # Arrow compares Strings by their UTF-8
            above = _COMPARED[condition.operator](texts, pa.scalar(condition.limit))
            return pc.fill_null(pc.and_(above, pc.not_equal(texts, "")), False)
        return _compare_numbers(leaves, [condition.limit], condition.operator)
    either = [_equal(leaves, texts, kind, condition.values) for kind in (str, bool, Decimal)]
    equal = _any([one for one in either if one is not None])
    return pc.invert(equal) if condition.negated else equal


def _equal(
    leaves: Sequence[Leaf], texts: pa.Array, kind: type, wanted: Sequence[Wanted]
) -> pa.Array | None:
    values = [value for value in wanted if type(value) is kind]
    if not values:
        return None
    if kind is str:
        return pc.is_in(texts, pa.array(values, pa.string()))
    if kind is bool:
        return pa.array([leaf.BOOL in values for leaf in leaves], pa.bool_())
    return _compare_numbers(leaves, values, "equal")


def _compare_numbers(leaves: Sequence[Leaf], limits: Sequence[Wanted], operator: str) -> pa.Array:
    """Compares values with a number: false for values without a number, null for a number in a
    notation that is not plain."""
    texts = _texts(leaves)
    numbers = pc.cast(_where(pc.match_substring_regex(texts, _NUMBER), texts), NUMBER_TYPE)
    try:
        scalars = [pa.scalar(limit, NUMBER_TYPE) for limit in limits]
    except pa.ArrowInvalid:  # more digits than that
        return pa.nulls(len(leaves), pa.bool_())
    found = _any([_COMPARED[operator](numbers, one) for one in scalars])
    is_number = pc.fill_null(pc.match_substring_regex(texts, _ANY_NUMBER), False)
    return pc.if_else(is_number, found, False)


_COMPARED = {
    "equal": pc.equal,
    "above": pc.greater,
    "at_least": pc.greater_equal,
    "below": pc.less,
    "at_most": pc.less_equal,
}
_ANY_NUMBER = "^-?[0-9]"
"""The characters with which every decimal notation begins; other texts may begin with them, too."""


def _any(arrays: Sequence[pa.Array]) -> pa.Array:
    found = arrays[0]
    for other in arrays[1:]:
        found = pc.or_(found, other)
    return found


def _where(condition: pa.Array, values: pa.Array) -> pa.Array:
    return pc.if_else(condition, values, pa.scalar(None, values.type))


def _date(texts: pa.Array) -> pa.Array:
    return pc.cast(pc.utf8_slice_codeunits(texts, 0, 10), pa.date32())


def _minutes_of_texts(texts: pa.Array) -> pa.Array:
    """Returns the minutes since 1970 in UTC, of times that contain their offset from UTC."""
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
    """Returns the minutes since 1970 in UTC, of epoch seconds, milliseconds or microseconds."""
    number = pc.cast(_where(pc.match_substring_regex(texts, _EPOCH), texts), pa.int64())
    per_minute = pc.if_else(
        pc.less(number, MILLISECONDS_FROM),
        60,
        pc.if_else(pc.less(number, MICROSECONDS_FROM), 60_000, 60_000_000),
    )
    return pc.divide(number, per_minute)


def _local_days(minutes: pa.Array, time_zone: ZoneInfo) -> pa.Array:
    """Returns the days in a time zone of minutes in UTC; null on the days on which the zone's
    offset changes."""
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
    """Returns the zone's offset during a day of UTC, counted from 1970; None if it changes during
    the day."""
    start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=utc_day)
    offsets = {(start + timedelta(hours=n)).astimezone(time_zone).utcoffset() for n in range(25)}
    offset = offsets.pop()
    if offsets or offset is None or offset.seconds % 60:
        return None
    return offset // timedelta(minutes=1)
