"""Read units: a worker keeps to its share of the run's budget."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from trip_kpis.core.plan import Plan


@dataclass(slots=True, kw_only=True)
class Pacer:
    """Tells how long to wait until the share has made up for what was read.

    What a page consumes is known only once it is there, so it is paid for afterwards.
    """

    units_per_second: float
    """0: unlimited"""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _paid_at: float = field(default=0.0, init=False)

    @classmethod
    def for_worker_of(cls, plan: Plan) -> "Pacer":
        """An equal share of the budget for each of the workers that can run at once."""
        workers = min(plan.max_concurrency, plan.total_segments)
        return cls(units_per_second=plan.read_units_per_second / workers)

    @property
    def debt_ms(self) -> int:
        """How long the share takes to make up for what was read."""
        return max(0, math.ceil((self._paid_at - self.clock()) * 1000))

    def wait(self, *, at_most_ms: int | None = None) -> None:
        """Sleeps the debt off, or as much of it as there is time for."""
        debt_ms = self.debt_ms if at_most_ms is None else min(self.debt_ms, at_most_ms)
        if debt_ms > 0:
            self.sleep(debt_ms / 1000)

    def consumed(self, read_units: float) -> None:
        """After a page that consumed so many read units."""
        if self.units_per_second:
            owed_from = max(self._paid_at, self.clock())
            self._paid_at = owed_from + read_units / self.units_per_second
