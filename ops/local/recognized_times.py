"""Recognizes the times of a column, and the formats that read them, also if it mixes forms."""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice

from ops.runs.time_formats import formats_of, is_read_by
from trip_kpis.core.definition.model import Day, Definition
from trip_kpis.core.items.attributes import AttributeValue
from trip_kpis.core.items.numbers import comparable
from trip_kpis.core.items.rejections import RejectionError
from trip_kpis.core.items.times import form_of, read_day, read_epoch_day
from trip_kpis.core.items.zones import time_zone
from trip_kpis.core.reading.forms import shape, time_form
from trip_kpis.core.reading.read_item import ReadingRules

_MOST_DIFFERENT = 2_000
_MOST_FORMATS = 4
_WORTH_A_FORMAT = 0.01
"""the share of values that a further format must read: a run accepts as many rejected trips"""
_RULES = ReadingRules(
    definition=Definition(name="", day=Day(paths=(("day",),)), complete=(), kpis=()),
    key_attributes=(),
    time_zone=time_zone("UTC"),
    earliest_day=date(2000, 1, 1),
)
"""rules with which times are read; the rest of an item has no effect"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The times among values."""

    formats: tuple[str, ...]
    """formats for `TimeFormats`, in this order; empty if the forms that are always read are enough
    """
    alternatives: tuple[str, ...]
    """formats that would read as many Strings as one of `formats`, as other days"""
    share: float
    """share of the values that are read with these formats"""


def recognize_times(values: Iterable[AttributeValue], *, is_named: bool) -> Times:
    """Recognizes the times among values.

    Args:
        values: The values that are not empty and do not mean that there is no value.
        is_named: Whether their name is that of a time. Otherwise, Numbers alone are no times, and
            neither are Strings of digits.
    """
    counts = dict(islice(_counts(values).items(), _MOST_DIFFERENT))
    total = sum(counts.values())
    strings = {text: count for (kind, text), count in counts.items() if kind == "S"}
    numbers = {text: count for (kind, text), count in counts.items() if kind == "N"}
    unread = {
        text: count
        for text, count in strings.items()
        if form_of(text) is None and (is_named or comparable(text) is None)
    }
    formats, alternatives = _formats(unread, least=total * _WORTH_A_FORMAT)
    read = sum(
        count
        for text, count in strings.items()
        if form_of(text) is not None or (text in unread and _is_read(text, formats))
    )
    if read or is_named:
        read += sum(count for text, count in numbers.items() if _is_epoch(text))
    return Times(formats=formats, alternatives=alternatives, share=read / total if total else 0)


def forms_of_times(values: Iterable[AttributeValue]) -> Counter[str]:
    """Counts the forms of values; of Strings in no known form, their shapes."""
    forms: Counter[str] = Counter()
    for value in values:
        form = time_form(value, _RULES)
        forms[f"String {shape(value)}" if form == "String other" else form] += 1
    return forms


def _counts(values: Iterable[AttributeValue]) -> Counter[tuple[str, str]]:
    return Counter((kind, str(inner)) for value in values for kind, inner in value.items())


def _formats(unread: Mapping[str, int], *, least: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns formats that together read most of the texts, and alternatives to them.

    Each reads at least so many values that no other one reads, and no text that an earlier format
    reads: days and months in both orders cannot be told apart.
    """
    formats: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    rest = [*unread]
    while len(formats) < _MOST_FORMATS and (found := formats_of(rest, _RULES)):
        further, *others = found
        gained = {text for text in rest if _is_read(text, (*formats, further))}
        read = unread.keys() - {*rest}
        if sum(unread[text] for text in gained) < least:
            break
        if any(is_read_by(further, text, _RULES) for text in read):
            break
        formats, alternatives = (*formats, further), (*alternatives, *others)
        rest = [text for text in rest if text not in gained]
    return formats, alternatives


def _is_read(text: str, formats: tuple[str, ...]) -> bool:
    with suppress(RejectionError):
        read_day(text, time_zone=_RULES.time_zone, earliest=_RULES.earliest_day, formats=formats)
        return True
    return False


def _is_epoch(text: str) -> bool:
    with suppress(RejectionError):
        read_epoch_day(Decimal(text), time_zone=_RULES.time_zone, earliest=_RULES.earliest_day)
        return True
    return False
