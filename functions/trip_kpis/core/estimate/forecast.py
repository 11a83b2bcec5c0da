"""Forecasts a run over a table of a given size: time, invocations, parts, cost.

Calculated for a table whose segments are equally long; what no code says is named below.
"""

import math
from dataclasses import dataclass
from decimal import Decimal

from trip_kpis.core.capacity import PARTITION_UNITS_PER_SECOND, page_units
from trip_kpis.core.log.time_reserve import FIRST_APPEND_SHARE, MOST_QUARANTINE_BYTES
from trip_kpis.core.prices import USD_PER_GB_SECOND, USD_PER_READ_UNIT, Cost, cost

DAYS = 365
"""assumed days of the table's trips: each takes a request or two to S3"""
CPU_MS_PER_PAGE = 13.3
"""on one whole processor: the most that `python -m bench scan` may show"""
CPU_MS_PER_EXPORTED_PAGE = 24.0
"""the same, of an export's lines for as much of the table as a page has: `python -m bench export`
showed 2.3 s on a busy machine for 289,440 trips of 16 attributes, which are 96 such pages"""
PAGE_BYTES = 2**20
_QUARANTINE_LINE_BYTES = 1_000
"""bytes of a rejected trip: several times those of a trip with an ordinary key and value"""

MOST_PARTS = 150_000
"""the most parts of a run: at most 525 s of the merge's 900"""
MOST_PARTS_OF_SEGMENT = 90_000
"""the most expected parts of a segment; its log has numbers for 100,000"""
LONGEST_CHECKPOINT_SECONDS = 880
"""one append at the end of an invocation"""

_MB_PER_PROCESSOR = 1769
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
_NETWORK_MS_PER_PAGE = 13.3
"""1 MB at 75 MiB a second, the network throughput of a function"""
_LAMBDA_SECONDS = 900
_SECONDS_PER_INVOCATION = 880
"""of 900 s: a worker keeps a reserve to append"""
_MERGE_MS_PER_PART = 3.5
"""on one processor: the most that `python -m bench merge` may show"""
_MERGE_SHARE = 0.8
"""the share of the merge's time limit that its parts may take; publishing the days takes the
rest"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateTerms:
    """The stack's parameters that a forecast needs and a plan does not contain."""

    max_rejected_share: Decimal = Decimal("0.01")
    scan_memory_mb: int = 512
    merge_memory_mb: int = 1769
    days_may_shrink: bool = True
    """ShrunkDays=publish"""


def page_seconds(
    *, scan_memory_mb: int, consistent_read: bool, cpu_ms_per_page: float = CPU_MS_PER_PAGE
) -> float:
    """Returns a worker's seconds for a full page: of its processor, its network or its partition,
    whichever is slowest."""
    return max(
        _NETWORK_MS_PER_PAGE / 1000,
        cpu_ms_per_page * _MB_PER_PROCESSOR / scan_memory_mb / 1000,
        page_units(consistent_read) / PARTITION_UNITS_PER_SECOND,
    )


def exported_page_seconds(*, scan_memory_mb: int) -> float:
    """Returns a worker's seconds for the lines of as much of the table: they are compressed, so the
    network is never the limit."""
    return CPU_MS_PER_EXPORTED_PAGE * _MB_PER_PROCESSOR / scan_memory_mb / 1000


def parts_of_segment(seconds: float, *, checkpoint_seconds: int) -> int:
    """Returns the parts of a segment that is worked on for so many seconds: one at every
    checkpoint, and one at the end of every invocation."""
    invocations, rest = divmod(seconds, _SECONDS_PER_INVOCATION)
    parts = int(invocations) * _parts_of_invocation(_SECONDS_PER_INVOCATION, checkpoint_seconds)
    return max(1, parts + _parts_of_invocation(rest, checkpoint_seconds))


def most_parts(merge_memory_mb: int) -> int:
    """Returns the number of parts above which this merge may not have enough time."""
    in_time = _LAMBDA_SECONDS * _MERGE_SHARE / _merge_seconds_per_part(merge_memory_mb)
    return min(MOST_PARTS, int(in_time))


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The forecast of a run without errors."""

    segments: int
    workers: int
    """workers at the same time"""
    invocations: int
    """invocations of ScanSegment"""
    parts: int
    parts_of_segment: int
    """parts, without those for rejected trips"""
    seconds: int
    """seconds of the workers, without the wait for an export"""
    merge_seconds: int
    gb_seconds: float
    read_units: int
    exported_bytes: int = 0
    """bytes of the table in an export that the run makes"""

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
        consistent_read: bool = False,
        rejected_trips: float = 0,
        cpu_ms_per_page: float = CPU_MS_PER_PAGE,
        reads_export: bool = False,
        exported_bytes: int = 0,
    ) -> "Forecast":
        """Forecasts a run whose workers read as fast as their processor and network allow, but take
        at least `seconds_at_least` in all, during which they wait. A worker that holds too many
        rejected trips appends before its checkpoint is due."""
        workers = min(max_concurrency, segments)
        if reads_export:
            page = exported_page_seconds(scan_memory_mb=scan_memory_mb)
        else:
            page = page_seconds(
                scan_memory_mb=scan_memory_mb,
                consistent_read=consistent_read,
                cpu_ms_per_page=cpu_ms_per_page,
            )
        pages = math.ceil(table_bytes / PAGE_BYTES)
        seconds = max(seconds_at_least, math.ceil(pages * page / workers))
        per_segment = seconds * workers / segments
        of_segment = min(
            max(1, math.ceil(pages / segments)),  # a part has a page
            parts_of_segment(per_segment, checkpoint_seconds=checkpoint_seconds),
        )
        parts = segments * of_segment + math.ceil(
            rejected_trips * _QUARANTINE_LINE_BYTES / MOST_QUARANTINE_BYTES
        )
        merging = parts * _merge_seconds_per_part(merge_memory_mb)
        return cls(
            segments=segments,
            workers=workers,
            invocations=segments * max(1, math.ceil(per_segment / _SECONDS_PER_INVOCATION)),
            parts=parts,
            parts_of_segment=of_segment,
            seconds=seconds,
            merge_seconds=math.ceil(merging),
            gb_seconds=seconds * workers * scan_memory_mb / 1024 + merging * merge_memory_mb / 1024,
            read_units=read_units,
            exported_bytes=exported_bytes,
        )

    def fits(self, *, merge_memory_mb: int) -> bool:
        """Returns whether one merge has time for the parts, and no segment needs more part numbers
        than there are."""
        return (
            self.parts < most_parts(merge_memory_mb)
            and self.parts_of_segment < MOST_PARTS_OF_SEGMENT
        )

    def cost(
        self,
        *,
        usd_per_gb_second: float = USD_PER_GB_SECOND,
        usd_per_read_unit: float = USD_PER_READ_UNIT,
    ) -> Cost:
        return cost(
            read_units=self.read_units,
            gb_seconds=self.gb_seconds,
            segments=self.segments,
            invocations=self.invocations,
            parts=self.parts,
            days=DAYS,
            usd_per_gb_second=usd_per_gb_second,
            usd_per_read_unit=usd_per_read_unit,
            exported_bytes=self.exported_bytes,
        )


def _parts_of_invocation(seconds: float, checkpoint_seconds: int) -> int:
    first = min(checkpoint_seconds, _LAMBDA_SECONDS * FIRST_APPEND_SHARE)
    if seconds <= 0:
        return 0
    return 1 + max(0, math.ceil((seconds - first) / checkpoint_seconds))


def _merge_seconds_per_part(merge_memory_mb: int) -> float:
    """Returns the merge's seconds for one part: it works in one thread, which uses one processor at
    most."""
    return _MERGE_MS_PER_PART / 1000 * max(1.0, _MB_PER_PROCESSOR / merge_memory_mb)
