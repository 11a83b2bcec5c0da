"""Finds the format of `TimeFormats` that reads times which a run has rejected as unreadable."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from functools import cache
from itertools import product

from trip_kpis.core.items.epochs import Unit
from trip_kpis.core.items.rejections import RejectionError
from trip_kpis.core.items.times import read_day
from trip_kpis.core.reading.read_item import ReadingRules

_ORDERS = ("%d{0}%m{0}%Y", "%m{0}%d{0}%Y", "%Y{0}%m{0}%d", "%d{0}%m{0}%y", "%m{0}%d{0}%y",
           "%y{0}%m{0}%d", "%d{0}%b{0}%Y", "%d{0}%B{0}%Y", "%d{0}%b{0}%y")  # fmt: skip
_DATES = (
    *(order.format(separator) for order in _ORDERS for separator in "/.- "),
    *("%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%a, %d %b %Y"),
)
_TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%H.%M",
          "%H.%M.%S")  # fmt: skip
_ZONES = ("", "%z", " %z", "Z", " UTC")
_DIGIT_DATES, _DIGIT_TIMES = ("%Y%m%d", "%d%m%Y", "%m%d%Y"), ("%H%M", "%H%M%S")
_EPOCHS = tuple(f"epoch_{unit}" for unit in Unit)
_OFFSETS = ("+0000", "+00:00", "-0000", "-00:00")
_LETTERS = "bBap"
"""directives that are read as words; the others are read as numbers"""


def formats_of(texts: Sequence[str], rules: ReadingRules) -> tuple[str, ...]:
    """Returns the format that reads the most of these texts.

    Several where the texts do not decide between them: 05/06/2024 may be in May or in June. None
    where no known format reads any text.
    """
    looks = dict.fromkeys(map(_outline, texts))
    candidates = dict.fromkeys(one for look in looks for one in _formats_by_outline().get(look, ()))
    days = {one: tuple(_day(text, one, rules) for text in texts) for one in candidates}
    read = {one: tuple(day is not None for day in of) for one, of in days.items()}
    best = max(read.values(), key=sum, default=())
    if not any(best):
        return ()
    different = {days[one]: one for one in reversed(days) if read[one] == best}
    return tuple(reversed(different.values()))


def is_read_by(time_format: str, text: str, rules: ReadingRules) -> bool:
    """Whether the format reads this text."""
    return _day(text, time_format, rules) is not None


def _day(text: str, time_format: str, rules: ReadingRules) -> date | None:
    with suppress(RejectionError):
        return read_day(
            text, time_zone=rules.time_zone, earliest=rules.earliest_day, formats=(time_format,)
        )
    return None


def _outline(text: str) -> str:
    """Returns a text without its values: ``25.05.2024 1 PM`` -> ``0.0.0 0 a``."""
    return re.sub("[A-Za-z]+", "a", re.sub("[0-9]+", "0", text))


@cache
def _formats_by_outline() -> Mapping[str, Sequence[str]]:
    """Groups the formats by outline, so that only a few are tried: each takes a while to be
    compiled."""
    found = defaultdict(list)
    for one in _formats():
        for offset in _OFFSETS if "%z" in one else ("",):
            found[_outline(_example(one.replace("%z", offset)))].append(one)
    return found


def _example(time_format: str) -> str:
    if time_format in _EPOCHS:
        return "0"
    return re.sub("%(.)", lambda of: "a" if of[1] in _LETTERS else "0", time_format)


def _formats() -> Iterator[str]:
    for day in _DATES:
        yield day
        for between, time, zone in product((" ", "T", ", "), _TIMES, _ZONES):
            yield f"{day}{between}{time}{zone}"
    for day in _DIGIT_DATES:
        yield day
        yield from (f"{day}{between}{time}" for between in ("", " ", "T") for time in _DIGIT_TIMES)
    yield from _EPOCHS
