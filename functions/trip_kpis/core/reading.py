"""A page -> the trips that count, in columns, and what became of its other items.

All at once where everything is plain, one by one where it is not: only the cost differs.
"""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from trip_kpis.core import columns
from trip_kpis.core.pages import Page
from trip_kpis.core.partials import FARE_TYPE
from trip_kpis.core.rejections import RejectedTrip
from trip_kpis.core.trips import ReadingRules, read_items


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReading:
    """What a page's items turned out to be: each item is one of the three."""

    days: pa.Array
    """of the trips that count; date32"""
    fares: pa.Array
    """of the same trips; FARE_TYPE"""
    incomplete: int
    rejected: list[RejectedTrip]


def read_page(page: Page, rules: ReadingRules) -> PageReading:
    """Reads a page whose columns are of `rules.paths`; never raises for what an item holds."""
    fare_values, estimate_values, day_values = page.columns
    fares = columns.fares(fare_values)
    days = columns.days(day_values, time_zone=rules.time_zone, earliest=rules.earliest_day)
    are_plain = pc.and_(
        columns.are_fares(estimate_values), pc.and_(fares.is_valid(), days.is_valid())
    )
    if pc.all(are_plain).as_py():
        return PageReading(days=days, fares=fares, incomplete=0, rejected=[])
    odd = pc.indices_nonzero(pc.invert(are_plain)).to_pylist()
    unclear = [n for n in odd if not (fare_values[n].is_missing or estimate_values[n].is_missing)]
    rest = read_items(page.items(unclear), rules)
    odd_days, odd_fares = zip(*rest.trips, strict=True) if rest.trips else ((), ())
    return PageReading(
        days=pa.concat_arrays([days.filter(are_plain), pa.array(odd_days, pa.date32())]),
        fares=pa.concat_arrays([fares.filter(are_plain), pa.array(odd_fares, FARE_TYPE)]),
        incomplete=len(odd) - len(unclear) + rest.incomplete,
        rejected=rest.rejected,
    )
