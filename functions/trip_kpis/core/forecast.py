"""What a run over a table of some size comes to, before it is run: time, invocations, parts, cost.

Reckoned for a table whose segments are equally long; what no code says is named below.
"""

import math
from dataclasses import dataclass
from decimal import Decimal

from trip_kpis.core.costs import USD_PER_GB_SECOND, Cost, cost

DAYS = 365
"""that the table's trips are of: a request or two to S3 for each"""
CPU_MS_PER_PAGE = 13.3
"""of one whole processor: the most that `python -m bench scan` may show"""
PAGE_BYTES = 2**20

_MB_PER_PROCESSOR = 1769
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
_NETWORK_MS_PER_PAGE = 13.3
"""1 MB at the 75 MiB a second that a function gets"""
_SECONDS_PER_INVOCATION = 880
"""of the 900 s: a worker keeps time to append"""
_MERGE_MS_PER_PART = 2.5
"""of one processor: the most that `python -m bench merge` may show"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateTerms:
    """The stack's parameters that an estimate goes by and a plan does not hold."""

    max_rejected_share: Decimal
    scan_memory_mb: int
    merge_memory_mb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A run that goes as it should."""

    segments: int
    workers: int
    """at once"""
    invocations: int
    """of ScanSegment"""
    parts: int
    seconds: int
    """of scanning"""
    gb_seconds: float
    read_units: int

    @classmethod
    def of(
        cls,
        *,
        table_bytes: int,
        read_units: int,
        seconds_at_least: int,
        segments: int,
        max_concurrency: int,
        checkpoint_seconds: int,
        scan_memory_mb: int,
        merge_memory_mb: int,
        cpu_ms_per_page: float = CPU_MS_PER_PAGE,
    ) -> "Forecast":
        """Workers read as fast as their processor and network let them, but not faster than in
        `seconds_at_least` in all, for which they are there and wait."""
        workers = min(max_concurrency, segments)
        page_ms = max(_NETWORK_MS_PER_PAGE, cpu_ms_per_page * _MB_PER_PROCESSOR / scan_memory_mb)
        read_seconds = math.ceil(table_bytes / PAGE_BYTES) * page_ms / 1000 / workers
        seconds = max(seconds_at_least, math.ceil(read_seconds))
        per_segment = seconds * workers / segments
        parts = segments * max(1, math.ceil(per_segment / checkpoint_seconds))
        merge_seconds = parts * _MERGE_MS_PER_PART / 1000
        return cls(
            segments=segments,
            workers=workers,
            invocations=segments * max(1, math.ceil(per_segment / _SECONDS_PER_INVOCATION)),
            parts=parts,
            seconds=seconds,
            gb_seconds=seconds * workers * scan_memory_mb / 1024
            + merge_seconds * merge_memory_mb / 1024,
            read_units=read_units,
        )

    def cost(self, *, usd_per_gb_second: float = USD_PER_GB_SECOND) -> Cost:
        return cost(
            read_units=self.read_units,
            gb_seconds=self.gb_seconds,
            segments=self.segments,
            invocations=self.invocations,
            parts=self.parts,
            days=DAYS,
            usd_per_gb_second=usd_per_gb_second,
        )
