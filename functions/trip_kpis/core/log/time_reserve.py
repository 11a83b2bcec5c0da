"""Decides when a worker appends and when it stops, from the time that is left.

All times are milliseconds that remain of the invocation, from Lambda's context, so
that no clock is needed.
"""

from dataclasses import dataclass, replace

MOST_QUARANTINE_BYTES = 16 * 2**20
"""Bytes of lines of rejected items: with that many or more, a worker appends before it reads
another page. A page adds 12 MB at the most, and while the lines are sent they are in memory three
times, which fits into 256 MB, the least that a worker may have."""

FIRST_APPEND_SHARE = 0.25
"""the share of the time at the start: by then a worker has appended once, and has measured how long
that takes"""

_LATEST_CHECKPOINT = 1.5
"""the share of the checkpoint interval"""

_LEAST_MARGIN_MS = 10_000
_LEAST_MARGIN_SHARE = 0.1
"""the share of the time at the start: a margin of 10 s would leave too little of a limit of a few
seconds"""
_SLOWER_THAN_SEEN = 3
"""the next page or append may be this many times as slow as the slowest so far"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The times that a worker has measured so far."""

    started_with_ms: int
    last_append_at_ms: int
    slowest_page_ms: int = 0
    slowest_append_ms: int = 0

    @classmethod
    def at_start(cls, remaining_ms: int) -> "Pace":
        return cls(started_with_ms=remaining_ms, last_append_at_ms=remaining_ms)

    def after_page(self, took_ms: int) -> "Pace":
        return replace(self, slowest_page_ms=max(self.slowest_page_ms, took_ms))

    def after_append(self, took_ms: int, *, remaining_ms: int) -> "Pace":
        return replace(
            self,
            slowest_append_ms=max(self.slowest_append_ms, took_ms),
            last_append_at_ms=remaining_ms,
        )

    @property
    def reserve_ms(self) -> int:
        """Returns the time to keep for an append: a page that has not arrived by then is given
        up."""
        return max(self._least_ms // 2, _SLOWER_THAN_SEEN * self.slowest_append_ms)

    @property
    def margin_ms(self) -> int:
        """Returns the time to keep for one more page and an append: with less, no page is
        requested."""
        slowest = self.slowest_page_ms + self.slowest_append_ms
        return max(self._least_ms, _SLOWER_THAN_SEEN * slowest)

    def must_stop(self, remaining_ms: int, *, wait_ms: int = 0) -> bool:
        """Returns whether too little time is left for another page, after a wait, and an append
        after it."""
        return remaining_ms - wait_ms <= self.margin_ms

    def must_append(
        self,
        remaining_ms: int,
        *,
        checkpoint_seconds: int,
        wait_ms: int = 0,
        is_full: bool = False,
        resumes_at_once: bool = True,
    ) -> bool:
        """Returns whether the checkpoint is due or will be after the wait, the time is over, or the
        builder takes too much memory.

        Where a worker could not go on at once, the checkpoint may be half an interval late: a place
        where it could may come first.
        """
        since_append_ms = self.last_append_at_ms - remaining_ms + wait_ms
        checkpoint_ms: float = checkpoint_seconds * 1000
        if self.last_append_at_ms == self.started_with_ms:  # nothing is appended yet
            checkpoint_ms = min(checkpoint_ms, self.started_with_ms * FIRST_APPEND_SHARE)
        if not resumes_at_once:
            checkpoint_ms *= _LATEST_CHECKPOINT
        return (
            self.must_stop(remaining_ms, wait_ms=wait_ms)
            or since_append_ms >= checkpoint_ms
            or is_full
        )

    @property
    def _least_ms(self) -> int:
        return min(_LEAST_MARGIN_MS, int(self.started_with_ms * _LEAST_MARGIN_SHARE))
