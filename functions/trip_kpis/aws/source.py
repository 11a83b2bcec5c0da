"""The interface of what a run reads: segments of pages, from a table or an export."""

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from trip_kpis.core.items.pages import Cursor, Page


class Source(Protocol):
    """The items of a run, cut into the segments of its plan.

    A worker reads a segment's pages in their order, and may be replaced after any of them by one
    that has nothing but the page's cursor. Whoever reads a segment to its end, in however many
    pieces, has seen every item of it once.
    """

    def pages(self, segment: int, *, after: Cursor | None) -> Iterator[Page]:
        """Yields the pages of the segment after the cursor `after`, or from the segment's
        beginning.

        There is one at least, and the last one, and only it, has no cursor. Raises what `aws_call`
        raises, and a PermanentError for what the source finds wrong with its items.
        """
        ...

    def throttles_counted(self) -> AbstractContextManager[Counter[str]]:
        """Counts the throttled answers of the block, by reason."""
        ...

    @property
    def name(self) -> str:
        """What is read, for a message."""
        ...

    @property
    def if_throttled(self) -> str:
        """What to do if AWS throttles the reading for long, for a message."""
        ...
