"""The stretch of a segment that was read and not yet appended: what the next part will hold."""

from collections import Counter
from dataclasses import dataclass, field

from trip_kpis.core.attributes import Item
from trip_kpis.core.pages import Page
from trip_kpis.core.partials import Partials
from trip_kpis.core.reading import read_page
from trip_kpis.core.rejections import RejectedTrip
from trip_kpis.core.tallies import Tally
from trip_kpis.core.trips import ReadingRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The end of a segment's log: where a worker goes on."""

    next_part: int = 0
    start_key: Item | None = None
    """exclusive; None at the segment's beginning"""
    finished: bool = False
    """the log reaches the segment's end"""


@dataclass(slots=True, kw_only=True)
class Stretch:
    """Pages from `position` on, aggregated one by one.

    Its size is bounded by the number of days and of rejected trips, not of pages.
    """

    position: Position
    partials: Partials = field(default_factory=Partials)
    tally: Tally = field(default_factory=Tally)
    rejected: list[RejectedTrip] = field(default_factory=list)
    rejected_bytes: int = 0
    """of the values of `rejected`, about"""
    end_key: Item | None = None

    def add(self, page: Page, rules: ReadingRules) -> None:
        """Reads and takes in the page that follows."""
        reading = read_page(page, rules)
        filtered = page.scanned - page.length
        self.partials.add(reading.days, reading.fares)
        self.rejected += reading.rejected
        self.rejected_bytes += sum(len(repr(trip.value)) for trip in reading.rejected)
        self.end_key = page.end_key
        self.tally += Tally(
            pages=1,
            scanned=page.scanned,
            incomplete=filtered + reading.incomplete,
            rejected=Counter(trip.reason for trip in reading.rejected),
            counted=len(reading.days),
            read_units=page.read_units,
        )

    @property
    def after(self) -> Position:
        """Where the log ends once this is appended."""
        return Position(
            next_part=self.position.next_part + 1,
            start_key=self.end_key,
            finished=self.end_key is None,
        )
