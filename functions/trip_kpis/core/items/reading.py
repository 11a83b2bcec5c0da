"""A page -> the trips that count, in columns, and what became of its other items.

All at once where everything is plain, one by one where it is not: only the cost differs.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from trip_kpis.core.items import columns
from trip_kpis.core.items.pages import Page
from trip_kpis.core.items.rejections import Reason, RejectedTrip, quarantine_line
from trip_kpis.core.items.trips import CountedTrip, ReadingRules, read_item


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReading:
    """What a page's items turned out to be: each item is one of the three."""

    days: pa.Array
    """of the trips that count; date32"""
    fares: pa.Array
    """of the same trips; columns.FARE_TYPE"""
    incomplete: int
    rejected: Mapping[Reason, int] = field(default_factory=dict)
    quarantine: bytes = b""
    """the lines of the rejected trips: a value as an object takes ten times its text and more"""


def read_page(page: Page, rules: ReadingRules) -> PageReading:
    """Reads a page whose columns are of `rules.paths`; never raises for what an item holds."""
    fare_values, estimate_values, day_values = page.columns
    fares = columns.fares(fare_values)
    days = columns.days(day_values, time_zone=rules.time_zone, earliest=rules.earliest_day)
    are_plain = pc.and_(
        columns.are_fares(estimate_values), pc.and_(fares.is_valid(), days.is_valid())
    )
    if pc.all(are_plain).as_py():
        return PageReading(days=days, fares=fares, incomplete=0)
    odd = pc.indices_nonzero(pc.invert(are_plain)).to_pylist()
    unclear = [n for n in odd if not (fare_values[n].is_missing or estimate_values[n].is_missing)]
    counted: list[CountedTrip] = []
    rejected: Counter[Reason] = Counter()
    lines: list[bytes] = []
    for item in page.items(
        unclear, paths=[*rules.paths, *((name,) for name in rules.key_attributes)]
    ):
        read = read_item(item, rules)
        if isinstance(read, RejectedTrip):
            rejected[read.reason] += 1
            lines.append(quarantine_line(read))
        elif read is not None:
            counted.append(read)
    odd_days, odd_fares = zip(*counted, strict=True) if counted else ((), ())
    return PageReading(
        days=pa.concat_arrays([days.filter(are_plain), pa.array(odd_days, pa.date32())]),
        fares=pa.concat_arrays([fares.filter(are_plain), pa.array(odd_fares, columns.FARE_TYPE)]),
        incomplete=len(odd) - len(counted) - len(lines),
        rejected=rejected,
        quarantine=b"".join(lines),
    )
