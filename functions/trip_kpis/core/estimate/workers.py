"""The number of workers at the same time: limited by the table, the read budget and Lambda."""

import math
from dataclasses import dataclass
from enum import StrEnum

from trip_kpis.core.capacity import ReadCapacity, page_units
from trip_kpis.core.estimate.forecast import page_seconds

LAMBDA_SHARE = 0.5
"""the largest share of the account's unreserved Lambda executions that one run takes: the rest is
for other functions of the account, and for a second run"""
_SPARE_SHARE = 1.1
"""workers also start, append and change segments; meanwhile they read nothing"""


class LimitedBy(StrEnum):
    """The reason for a run's number of workers."""

    MAX_CONCURRENCY = "max_concurrency"
    """the stack's parameter or the execution's input"""
    READ_BUDGET = "read_budget"
    """the read budget: a full page a second for each worker"""
    TABLE = "table"
    """the throughput of the table"""
    LAMBDA = "lambda"
    """the account's unreserved Lambda executions"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """The limits of the number of workers, in addition to the requested number."""

    capacity: ReadCapacity | None
    """the throughput of the table; None: the table is not read"""
    read_units: float | None
    """read units of the run; None if the table's size is not known"""
    consistent_read: bool
    scan_memory_mb: int
    lambda_limit: int | None
    """the account's unreserved Lambda executions; None: unknown"""

    def workers(self, asked: int, *, budget: int) -> tuple[int, LimitedBy]:
        """Returns the number of workers, at most as many as requested and at least one, and the
        reason for it.

        Pages are read whole: among more workers than the budget has pages a second, shares would be
        so small that each waits most of its time, and the budget could neither be kept nor used to
        the full. Workers beyond what the table delivers wait as well, and are paid for.
        """
        most = [(asked, LimitedBy.MAX_CONCURRENCY)]
        if budget:
            most.append((budget // page_units(self.consistent_read), LimitedBy.READ_BUDGET))
        if self.capacity and (not budget or budget > self.capacity.limit(budget)):
            most.append((self._fed(self.capacity, budget), LimitedBy.TABLE))
        if self.lambda_limit is not None:
            most.append((lambda_share(self.lambda_limit), LimitedBy.LAMBDA))
        workers, limited_by = min(most, key=lambda one: one[0])
        return max(1, workers), limited_by

    def _fed(self, capacity: ReadCapacity, budget: int) -> int:
        """Returns how many workers of this memory are enough to read all that the table
        delivers."""
        if self.read_units is None:
            rate = capacity.limit(budget)
        else:
            rate = capacity.reached(self.read_units, budget=budget)
        per_worker = page_units(self.consistent_read) / page_seconds(
            scan_memory_mb=self.scan_memory_mb, consistent_read=self.consistent_read
        )
        return math.ceil(rate / per_worker * _SPARE_SHARE)


def lambda_share(lambda_limit: int) -> int:
    """Returns the most executions that a run takes, of so many that no function has reserved."""
    return max(1, int(lambda_limit * LAMBDA_SHARE))
