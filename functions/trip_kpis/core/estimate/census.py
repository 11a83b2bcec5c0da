"""A census of items: the forms of their values, and how a run would count them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from trip_kpis.core.items.attributes import AttributePath, Item, find
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.reading.forms import number_form, rejected_shape, time_form
from trip_kpis.core.reading.read_item import ReadingRules, read_items


@dataclass(slots=True, kw_only=True)
class Census:
    """Counts the items that are added. It reads them as a run does, and keeps none of them."""

    counts: Counts = field(default_factory=Counts)
    forms: dict[AttributePath, Counter[str]] = field(default_factory=dict)
    """the forms of every item's values, at each path that has a number or a time"""
    names: Counter[str] = field(default_factory=Counter)
    """items by the top-level attributes that they have"""
    shapes: dict[Reason, Counter[str]] = field(default_factory=dict)
    """the shapes of the values for which trips would be rejected"""
    days: set[date] = field(default_factory=set)
    """the days of the trips that would count"""

    def add(self, items: Sequence[Item], rules: ReadingRules, *, read_units: float = 0.0) -> None:
        """Adds a page that was read without a filter."""
        reading = read_items(items, rules)
        self.counts += Counts(
            pages=1,
            scanned=len(items),
            excluded=reading.excluded,
            incomplete=reading.incomplete,
            rejected=Counter(trip.reason for trip in reading.rejected),
            counted=len(reading.counted),
            read_units=read_units,
        )
        self.days.update(item.day for item in reading.counted)
        for trip in reading.rejected:
            self.shapes.setdefault(trip.reason, Counter())[rejected_shape(trip, rules)] += 1
        self._count_forms(items, rules)

    def _count_forms(self, items: Sequence[Item], rules: ReadingRules) -> None:
        definition = rules.definition
        for path in definition.number_paths:
            forms = Counter(number_form(find(item, path)) for item in items)
            self.forms.setdefault(path, Counter()).update(forms)
        for path in definition.day.paths:
            forms = Counter(time_form(find(item, path), rules) for item in items)
            self.forms.setdefault(path, Counter()).update(forms)
        for item in items:
            self.names.update(item.keys())
