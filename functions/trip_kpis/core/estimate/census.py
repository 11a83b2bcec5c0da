"""A census of items: which forms their values have, and what a run would make of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from trip_kpis.core.items.attributes import Item, find
from trip_kpis.core.items.forms import fare_form, rejected_shape, time_form
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.items.trips import ReadingRules, read_items
from trip_kpis.core.log.counts import Counts


@dataclass(slots=True, kw_only=True)
class Census:
    """Counts of the items that were added. It reads them as a run does, and holds none of them."""

    counts: Counts = field(default_factory=Counts)
    fares: Counter[str] = field(default_factory=Counter)
    """by form, of every item; so are the two that follow"""
    estimated_fares: Counter[str] = field(default_factory=Counter)
    times: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)
    """items by the top-level attributes that they have"""
    shapes: dict[Reason, Counter[str]] = field(default_factory=dict)
    """of the values that trips would be rejected for"""
    days: set[date] = field(default_factory=set)
    """of the trips that would count"""

    def add(self, items: Sequence[Item], rules: ReadingRules, *, read_units: float = 0.0) -> None:
        """Takes in a page that no filter has been put to."""
        reading = read_items(items, rules)
        self.counts += Counts(
            pages=1,
            scanned=len(items),
            incomplete=reading.incomplete,
            rejected=Counter(trip.reason for trip in reading.rejected),
            counted=len(reading.trips),
            read_units=read_units,
        )
        self.days.update(day for day, _ in reading.trips)
        for trip in reading.rejected:
            self.shapes.setdefault(trip.reason, Counter())[rejected_shape(trip, rules)] += 1
        self._count_forms(items, rules)

    def _count_forms(self, items: Iterable[Item], rules: ReadingRules) -> None:
        for item in items:
            self.names.update(item.keys())
            self.fares[fare_form(find(item, rules.fare))] += 1
            self.estimated_fares[fare_form(find(item, rules.estimated_fare))] += 1
            self.times[time_form(find(item, rules.day), rules)] += 1
