"""Builds the next part of a segment's log from the pages that were read and not yet appended."""

from dataclasses import dataclass, field

from trip_kpis.core.items.pages import Cursor, Page
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.log.partials import PartialColumns, Partials
from trip_kpis.core.log.time_reserve import MOST_QUARANTINE_BYTES
from trip_kpis.core.reading.read_item import ReadingRules
from trip_kpis.core.reading.read_page import read_page

MOST_ROWS_OF_A_PART = 250_000
"""The most rows of days and groups, with about 100 bytes each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A position in a segment's log, at which a worker resumes."""

    next_part: int = 0
    start: Cursor | None = None
    """None at the segment's beginning"""
    finished: bool = False
    """whether the log reaches the segment's end"""


@dataclass(slots=True, kw_only=True)
class PartBuilder:
    """Aggregates the pages from `position` on, one by one, into the next part.

    Its size is that of a row a day and group, and of the rejected items' lines; pages are not kept.
    """

    position: Position
    rules: ReadingRules
    partials: Partials = field(init=False)
    counts: Counts = field(default_factory=Counts)
    end: Cursor | None = None
    resumes_at_once: bool = field(default=True, init=False)
    """of the last page"""
    quarantine_bytes: int = field(default=0, init=False)
    """the length of `quarantine`, which is the memory that the rejected items take"""
    _quarantine: list[bytes] = field(default_factory=list, init=False)
    """the lines of the rejected items, by page"""

    def __post_init__(self) -> None:
        self.partials = Partials(PartialColumns(self.rules.definition))

    @property
    def is_full(self) -> bool:
        """Returns whether it needs so much memory that it must be appended before another page is
        read."""
        return (
            self.quarantine_bytes >= MOST_QUARANTINE_BYTES
            or self.partials.rows >= MOST_ROWS_OF_A_PART
        )

    def add(self, page: Page) -> None:
        """Reads and adds the next page. Raises TooManyGroupsError."""
        reading = read_page(page, self.rules)
        filtered = page.scanned - page.length
        # The request filters by the conditions; where there are none, by what is incomplete.
        excluded = filtered if self.rules.definition.where else 0
        self.partials.add(reading.rows)
        if reading.quarantine:
            self._quarantine.append(reading.quarantine)
            self.quarantine_bytes += len(reading.quarantine)
        self.end, self.resumes_at_once = page.end, page.resumes_at_once
        self.counts += Counts(
            pages=1,
            scanned=page.scanned,
            excluded=excluded + reading.excluded,
            incomplete=filtered - excluded + reading.incomplete,
            rejected=reading.rejected,
            counted=reading.rows.num_rows,
            read_units=page.read_units,
        )

    @property
    def quarantine(self) -> bytes:
        """Yields a line of JSON for every rejected item, in the order in which they were read."""
        return b"".join(self._quarantine)

    @property
    def after(self) -> Position:
        """Returns the end of the log after this part is appended."""
        return Position(
            next_part=self.position.next_part + 1,
            start=self.end,
            finished=self.end is None,
        )
