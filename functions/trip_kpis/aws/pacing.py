"""Read units: a worker keeps to its share of the run's budget."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from trip_kpis.core.plan import Plan


@dataclass(slots=True, kw_only=True)
class Pacer:
    """Lets the next page be asked for when the share has made up for the one before it.

    What a page consumes is known only once it is there, so it is paid for afterwards.
    """

    units_per_second: float
    """0: unlimited"""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _paid_at: float = field(default=float("-inf"), init=False)

    @classmethod
    def for_worker_of(cls, plan: Plan) -> "Pacer":
        """An equal share of the budget for each of the workers that can run at once."""
        workers = min(plan.max_concurrency, plan.total_segments)
        return cls(units_per_second=plan.read_units_per_second / workers)

    def wait(self) -> None:
        """Before a page is asked for."""
        if (seconds := self._paid_at - self.clock()) > 0:
            self.sleep(seconds)

    def consumed(self, read_units: float) -> None:
        """After a page that consumed so many read units."""
        if self.units_per_second:
            owed_from = max(self._paid_at, self.clock())
            self._paid_at = owed_from + read_units / self.units_per_second
