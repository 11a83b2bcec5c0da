"""Builds the next part of a segment's log from the pages that were read and not yet appended."""

from dataclasses import dataclass, field

from trip_kpis.core.items.attributes import Item
from trip_kpis.core.items.pages import Page
from trip_kpis.core.items.reading import read_page
from trip_kpis.core.items.trips import ReadingRules
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.log.partials import Partials


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The end of a segment's log, from which a worker resumes."""

    next_part: int = 0
    start_key: Item | None = None
    """exclusive; None at the segment's beginning"""
    finished: bool = False
    """the log reaches the segment's end"""


@dataclass(slots=True, kw_only=True)
class PartBuilder:
    """Pages from `position` on, aggregated one by one.

    Its size is that of a row a day and of the rejected trips' lines; pages are not kept.
    """

    position: Position
    partials: Partials = field(default_factory=Partials)
    counts: Counts = field(default_factory=Counts)
    end_key: Item | None = None
    quarantine_bytes: int = field(default=0, init=False)
    """the length of `quarantine`, which is the memory that the rejected trips take"""
    _quarantine: list[bytes] = field(default_factory=list, init=False)
    """by page"""

    def add(self, page: Page, rules: ReadingRules) -> None:
        """Reads and adds the next page."""
        reading = read_page(page, rules)
        filtered = page.scanned - page.length
        self.partials.add(reading.days, reading.fares)
        if reading.quarantine:
            self._quarantine.append(reading.quarantine)
            self.quarantine_bytes += len(reading.quarantine)
        self.end_key = page.end_key
        self.counts += Counts(
            pages=1,
            scanned=page.scanned,
            incomplete=filtered + reading.incomplete,
            rejected=reading.rejected,
            counted=len(reading.days),
            read_units=page.read_units,
        )

    @property
    def quarantine(self) -> bytes:
        """A line of JSON for every rejected trip, in the order in which they were read."""
        return b"".join(self._quarantine)

    @property
    def after(self) -> Position:
        """Where the log ends once this is appended."""
        return Position(
            next_part=self.position.next_part + 1,
            start_key=self.end_key,
            finished=self.end_key is None,
        )
