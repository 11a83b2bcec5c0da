"""What a table can deliver to a run: read units a second, as DescribeTable describes them."""

import math
from dataclasses import dataclass

ON_DEMAND = "PAY_PER_REQUEST"
PROVISIONED = "PROVISIONED"
"""DescribeTable's billing modes"""
STANDARD = "STANDARD"
STANDARD_IA = "STANDARD_INFREQUENT_ACCESS"
"""DescribeTable's table classes"""

DEFAULT_READ_QUOTA = 40_000
"""read units a second of an on-demand table, unless AWS has granted a higher quota
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html"""
PARTITION_UNITS_PER_SECOND = 3_000
"""of one partition, so of one worker, whose pages come from one partition at a time
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"""

_SECONDS_TO_DOUBLE = 30 * 60
"""an on-demand table can serve twice its previous peak within this time
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html"""


def page_units(consistent_read: bool) -> int:
    """Returns the read units of a full page of 1 MB: half a unit for 4 KiB, or a whole unit if
    reads are consistent.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """
    return 256 if consistent_read else 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCapacity:
    """The read throughput of a table."""

    billing_mode: str = ON_DEMAND
    table_class: str = STANDARD
    maximum: int | None = None
    """the provisioned capacity, or the maximum that was set for an on-demand table; None: its
    quota"""
    warm: int | None = None
    """read units that an on-demand table delivers at once, before it grows; None: unknown
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput.html"""

    @property
    def units_per_second(self) -> int:
        """Returns the most read units that the table delivers in a second to all its readers."""
        return self.maximum or max(DEFAULT_READ_QUOTA, self.warm or 0)

    def limit(self, budget: int) -> int:
        """Returns the most that a run with this read budget (0: none) consumes in a second.

        A budget above the default quota means that the quota was raised; one above what is
        provisioned, or above the table's own maximum, does not raise these.
        """
        if not budget:
            return self.units_per_second
        return min(budget, self.maximum) if self.maximum else budget

    def seconds(self, read_units: float, *, budget: int) -> int:
        """Returns the shortest time in which so many units can be read."""
        return math.ceil(self._read(read_units, budget)[0])

    def reached(self, read_units: float, *, budget: int) -> int:
        """Returns the units a second that the table delivers when so many have been read, or at
        once after it has doubled: with fewer workers than that takes, it would never grow."""
        _, rate = self._read(read_units, budget)
        return min(self.limit(budget), max(rate, 2 * (self.warm or rate)))

    def _read(self, read_units: float, budget: int) -> tuple[float, int]:
        """Returns the time that the units take, and the rate at the end."""
        limit = self.limit(budget)
        rate = limit if self.maximum or not self.warm else min(limit, self.warm)
        seconds = 0.0
        while rate < limit and read_units > rate * _SECONDS_TO_DOUBLE:
            read_units -= rate * _SECONDS_TO_DOUBLE
            seconds += _SECONDS_TO_DOUBLE
            rate = min(limit, 2 * rate)
        return seconds + read_units / rate, rate
