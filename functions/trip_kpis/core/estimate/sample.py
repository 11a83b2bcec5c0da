"""A sample of the table: a few pages of a few segments of the plan."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from trip_kpis.core.capacity import page_units
from trip_kpis.core.estimate.census import Census
from trip_kpis.core.estimate.forecast import PAGE_BYTES
from trip_kpis.core.items.attributes import Item
from trip_kpis.core.items.scan_answers import WholePage
from trip_kpis.core.run.plan import Plan, shuffled

MOST_SEGMENTS_SAMPLED = 8
PAGES_OF_A_SEGMENT = 2
MOST_SEGMENTS_OF_SMALL_TABLE = 64
"""segments of a table that is not larger than the sample: it is read whole if it has no more
segments, and none longer than PAGES_OF_A_SEGMENT"""

_MOST_PAGES = MOST_SEGMENTS_SAMPLED * PAGES_OF_A_SEGMENT


@dataclass(slots=True, kw_only=True)
class SampledSegment:
    """The pages of one segment in the sample, from the segment's beginning on."""

    pages: int = 0
    items: int = 0
    end_key: Item | None = None
    largest_collection_share: float = 0.0
    """the largest share of a page's items that have the same value of the hash key"""

    @property
    def ended(self) -> bool:
        """Returns whether the sample contains the whole segment."""
        return self.pages > 0 and self.end_key is None


class SampledItems(Protocol):
    """A sample of a table's items, wherever they were read, and how it relates to the table."""

    plan: Plan
    """of a scan of the table"""
    census: Census

    @property
    def segments(self) -> Mapping[int, SampledSegment]:
        """What was read of the plan's segments; empty where no segments were read."""
        ...

    @property
    def items(self) -> int: ...

    @property
    def items_in_table(self) -> int: ...

    @property
    def size_is_stale(self) -> bool:
        """The table's count is from before the items were there."""
        ...

    @property
    def size_is_known(self) -> bool: ...

    @property
    def is_whole_table(self) -> bool: ...

    @property
    def is_cut_short(self) -> bool:
        """There was no time for all of it."""
        ...


@dataclass(slots=True, kw_only=True)
class Sample:
    """The pages that were read, by segment."""

    plan: Plan
    census: Census = field(default_factory=Census)
    segments: dict[int, SampledSegment] = field(init=False)

    def __post_init__(self) -> None:
        chosen = shuffled(self.plan.total_segments, seed=self.plan.run_id)
        is_small = self.plan.estimate.table_bytes <= _MOST_PAGES * PAGE_BYTES
        most = MOST_SEGMENTS_OF_SMALL_TABLE if is_small else MOST_SEGMENTS_SAMPLED
        self.segments = {number: SampledSegment() for number in chosen[:most]}

    def wanted(self) -> Iterator[tuple[int, Item | None]]:
        """Yields the segments of the pages that are still to be read, with their exclusive start
        keys: the first page of each, then the second, so that a sample that is cut short is broad.
        No more are wanted once as much is read as sixteen full pages."""
        for _ in range(PAGES_OF_A_SEGMENT):
            for number, segment in self.segments.items():
                if self._is_full:
                    return
                if not segment.ended:
                    yield number, segment.end_key

    def add(self, number: int, page: WholePage) -> None:
        """Adds the next page of a segment."""
        segment = self.segments[number]
        segment.pages += 1
        segment.items += len(page.items)
        segment.end_key = page.end_key
        segment.largest_collection_share = max(
            segment.largest_collection_share, self._largest_collection_share(page.items)
        )
        self.census.add(page.items, self.plan.rules, read_units=page.read_units)

    @property
    def items(self) -> int:
        return self.census.counts.scanned

    @property
    def items_in_table(self) -> int:
        """Returns DynamoDB's count, or the sample's if that is larger."""
        if self.is_whole_table:
            return self.items
        return max(self.items, self.plan.estimate.item_count)

    @property
    def size_is_stale(self) -> bool:
        """Returns whether DynamoDB's count is out of date: it is renewed about every six hours."""
        return self.items > 1.1 * self.plan.estimate.item_count

    @property
    def size_is_known(self) -> bool:
        """Returns whether the table has items, and DynamoDB has counted them since."""
        return self.items_in_table > 0 and not self.size_is_stale

    @property
    def is_whole_table(self) -> bool:
        return len(self.segments) == self.plan.total_segments and all(
            segment.ended for segment in self.segments.values()
        )

    @property
    def is_cut_short(self) -> bool:
        """Returns whether there was no time for all pages."""
        return not self._is_full and any(
            segment.pages < PAGES_OF_A_SEGMENT and not segment.ended
            for segment in self.segments.values()
        )

    @property
    def _is_full(self) -> bool:
        """Returns whether as much was read as sixteen full pages."""
        most = _MOST_PAGES * page_units(self.plan.consistent_read)
        return self.census.counts.read_units >= most

    def _largest_collection_share(self, items: Sequence[Item]) -> float:
        if not items or len(self.plan.key_attributes) == 1:
            return 0.0  # without a sort key, no two items share a hash key
        name = self.plan.key_attributes[0]
        ((_, most),) = Counter(repr(item[name]) for item in items).most_common(1)
        return most / len(items)
