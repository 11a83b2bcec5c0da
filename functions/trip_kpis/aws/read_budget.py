"""The read budget of a worker: it keeps to its share of the run's budget."""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from trip_kpis.core.capacity import page_units
from trip_kpis.core.run.plan import Plan
from trip_kpis.core.run.read_budget import ReadBudget

WINDOW_SECONDS = 10.0


@dataclass(slots=True, kw_only=True)
class Pacer:
    """Decides when a worker may request its next page, in one invocation.

    The units of a page are known only when it has arrived, so a full page is paid for before it is
    requested. The units come from a token bucket, which the share fills, and which has room for two
    pages: the one that is being read and the next one. In addition, no period of ten seconds may
    have more than ten seconds of the share, at any moment at which DynamoDB may count a page,
    between its request and its answer.

    An invocation does not know the invocation before it, not even whether it was killed. So it
    begins with a debt of two pages, as many as the earlier one can have read ahead, and waits for
    the time of three pages. If three pages take more than ten seconds, it waits less, but at least
    for the time of one page. So successive invocations keep to the share as if they were one.
    """

    units_per_second: float
    """the worker's share; 0: unlimited"""
    page_units: float = page_units(consistent_read=False)
    """what the next page may consume: a full page, or the largest page so far if that was larger"""
    clock: Callable[[], float] = field(default_factory=lambda: time.monotonic)
    sleep: Callable[[float], None] = field(default_factory=lambda: time.sleep)
    _held: float = field(default=0.0, init=False)
    """read units that are in the bucket"""
    _held_at: float = field(init=False)
    _recent: deque[tuple[float, float]] = field(default_factory=deque, init=False)
    """the times at which pages arrived, and their units: the pages of the last ten seconds"""
    _not_before: float = field(init=False)

    def __post_init__(self) -> None:
        self._not_before = self._held_at = self.clock()
        if self.units_per_second:
            page_seconds = self.page_units / self.units_per_second
            begins_after = max(page_seconds, min(3 * page_seconds, WINDOW_SECONDS))
            self._held = self.page_units - begins_after * self.units_per_second

    @classmethod
    def for_worker_of(cls, plan: Plan, budget: ReadBudget | None = None) -> "Pacer":
        """Returns a pacer with an equal share of the budget (the plan's, unless it was changed) for
        each of the workers that can run at the same time."""
        return cls(
            units_per_second=(budget or plan.read_budget).share(plan.total_segments),
            page_units=page_units(plan.consistent_read),
        )

    @property
    def wait_ms(self) -> int:
        """Returns how long to wait until a page may be requested."""
        now = self.clock()
        may_ask_at = self._not_before
        if self.units_per_second:
            self._fill(now)
            paid_at = now + (self.page_units - self._held) / self.units_per_second
            may_ask_at = max(may_ask_at, paid_at, self._window_has_room_at())
        return max(0, math.ceil((may_ask_at - now) * 1000))

    def wait(self, *, at_most_ms: int) -> bool:
        """Sleeps until a page may be requested; returns False, and does not sleep, if that takes
        longer."""
        wait_ms = self.wait_ms
        if wait_ms > at_most_ms:
            return False
        if wait_ms:
            self.sleep(wait_ms / 1000)
        return True

    def consumed(self, read_units: float) -> None:
        """Records that a page has arrived, and how many read units it consumed."""
        if self.units_per_second:
            now = self.clock()
            self._fill(now)
            self._held -= read_units
            self.page_units = max(self.page_units, read_units)
            self._recent.append((now, read_units))
            while self._recent[0][0] + WINDOW_SECONDS <= now:
                self._recent.popleft()

    def hold_off(self, seconds: float) -> None:
        """Delays the next request by so many seconds, whatever the budget allows."""
        self._not_before = self.clock() + seconds

    def _fill(self, now: float) -> None:
        filled = self._held + (now - self._held_at) * self.units_per_second
        self._held, self._held_at = min(filled, 2 * self.page_units), now

    def _window_has_room_at(self) -> float:
        """Returns the time at which another page fits into ten seconds of the share.

        If ten seconds of the share are less than one page, one page is allowed in them.
        """
        room = WINDOW_SECONDS * self.units_per_second - self.page_units
        in_window, has_room_at = sum(units for _, units in self._recent), -math.inf
        for at, units in self._recent:
            if in_window <= max(room, 0):
                break
            in_window -= units
            has_room_at = at + WINDOW_SECONDS
        return has_room_at
