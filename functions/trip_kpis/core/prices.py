"""Calculates what a run costs, at list prices.

US East (N. Virginia), USD, as of 2025; other regions differ. A provisioned table pays for its
capacity by the hour, whether it is read or not: a run's reads are a share of that.
https://aws.amazon.com/dynamodb/pricing/on-demand/   https://aws.amazon.com/lambda/pricing/
https://aws.amazon.com/step-functions/pricing/       https://aws.amazon.com/s3/pricing/
https://aws.amazon.com/dynamodb/pricing/provisioned/
"""

import math
from dataclasses import dataclass, replace

from trip_kpis.core.capacity import DEFAULT_READ_QUOTA as DEFAULT_READ_QUOTA
from trip_kpis.core.capacity import ON_DEMAND, PROVISIONED, STANDARD, STANDARD_IA, ReadCapacity

USD_PER_READ_UNIT = 0.125e-6
USD_PER_READ_UNIT_IA = 0.155e-6
"""of a table of the class Standard-IA (Infrequent Access)"""
USD_PER_CAPACITY_HOUR = 0.00013
USD_PER_CAPACITY_HOUR_IA = 0.00016
"""of a provisioned read unit a second"""
USD_PER_GB_SECOND = 0.0000166667
"""x86_64, the more expensive of the two. Only the time that the parts record is counted; planning,
the merge and what a worker did besides its parts take seconds, where the parts take hours."""
USD_PER_GB_SECOND_ARM64 = 0.0000133334
USD_PER_EXPORTED_GIB = 0.10
USD_PER_RECOVERABLE_GIB_MONTH = 0.20
"""per GB of the table; a full export to S3, and the point-in-time recovery that it needs"""
USD_PER_INVOCATION = 0.20e-6
USD_PER_TRANSITION = 25e-6
USD_PER_WRITE = 5e-6
"""for a PUT or a LIST request"""
USD_PER_READ = 0.4e-6

BYTES_PER_UNIT = 4096

_USD_PER_READ_UNIT = {
    (ON_DEMAND, STANDARD): USD_PER_READ_UNIT,
    (ON_DEMAND, STANDARD_IA): USD_PER_READ_UNIT_IA,
    (PROVISIONED, STANDARD): USD_PER_CAPACITY_HOUR / 3600,
    (PROVISIONED, STANDARD_IA): USD_PER_CAPACITY_HOUR_IA / 3600,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The estimate of what a run will read. DynamoDB renews a table's size and count about every
    six hours."""

    table_bytes: int
    item_count: int
    read_units: int
    read_cost_usd: float
    seconds_at_least: int
    """at the read budget, or at the throughput of the table"""
    usd_per_read_unit: float = USD_PER_READ_UNIT
    billing_mode: str = ON_DEMAND
    table_class: str = STANDARD
    table_read_units_per_second: int = DEFAULT_READ_QUOTA
    """the most read units that the table delivers in a second: provisioned, its own maximum, or the
    quota"""
    has_maximum: bool = False
    """whether this is a limit of the table itself, and not AWS's quota"""
    warm_read_units_per_second: int | None = None
    """the read units a second of an on-demand table before it grows; None: unknown"""
    parts: int = 0
    """parts that the run appends, if as many trips are rejected as MaxRejectedShare tolerates"""
    merge_seconds: int = 0
    """seconds of their merge, of its 900 s"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The cost of a run so far, in USD."""

    dynamodb: float
    compute: float
    step_functions: float
    s3: float

    @property
    def around(self) -> float:
        """Returns the cost of everything except DynamoDB."""
        return self.compute + self.step_functions + self.s3

    @property
    def total(self) -> float:
        return self.dynamodb + self.around

    def to_json(self) -> dict[str, float]:
        return {
            "dynamodb": round(self.dynamodb, 6),
            "lambda": round(self.compute, 6),
            "step_functions": round(self.step_functions, 6),
            "s3": round(self.s3, 6),
            "total": round(self.total, 6),
        }


def estimate(
    *,
    table_bytes: int,
    item_count: int,
    consistent_read: bool,
    read_units_per_second: int,
    capacity: ReadCapacity = ReadCapacity(),  # noqa: B008 - frozen
) -> Estimate:
    """Returns the estimate of a scan, which pays a read unit for 4 KiB if reads are consistent,
    half of one otherwise.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """
    units = read_units_of(table_bytes, consistent_read=consistent_read)
    usd = usd_per_read_unit(capacity)
    return Estimate(
        table_bytes=table_bytes,
        item_count=item_count,
        read_units=units,
        read_cost_usd=round(units * usd, 6),
        seconds_at_least=capacity.seconds(units, budget=read_units_per_second),
        usd_per_read_unit=usd,
        billing_mode=capacity.billing_mode,
        table_class=capacity.table_class,
        table_read_units_per_second=capacity.units_per_second,
        has_maximum=capacity.maximum is not None,
        warm_read_units_per_second=capacity.warm,
    )


def of_export(of_scan: Estimate, *, is_made: bool) -> Estimate:
    """Returns the estimate of a run that reads an export instead of the table: no read units.
    `is_made`: the run makes the export itself, and pays for it."""
    cost = export_usd(of_scan.table_bytes) if is_made else 0.0
    return replace(of_scan, read_units=0, read_cost_usd=round(cost, 6), seconds_at_least=0)


def read_units_of(table_bytes: int, *, consistent_read: bool) -> int:
    """Returns the read units of a scan of so many bytes."""
    return math.ceil(table_bytes / BYTES_PER_UNIT * (1.0 if consistent_read else 0.5))


def usd_per_read_unit(capacity: ReadCapacity) -> float:
    """Returns the price of a read unit: on demand, of a request unit; provisioned, of a second of a
    capacity unit."""
    table_class = STANDARD_IA if capacity.table_class == STANDARD_IA else STANDARD
    billing_mode = PROVISIONED if capacity.billing_mode == PROVISIONED else ON_DEMAND
    return _USD_PER_READ_UNIT[billing_mode, table_class]


def export_usd(table_bytes: int) -> float:
    """Returns the price of a full export of so many bytes."""
    return table_bytes / 2**30 * USD_PER_EXPORTED_GIB


def recovery_usd_a_month(table_bytes: int) -> float:
    """Returns the price of a month of point-in-time recovery of so many bytes."""
    return table_bytes / 2**30 * USD_PER_RECOVERABLE_GIB_MONTH


def usd_text(usd: float) -> str:
    """Formats an amount for people."""
    return f"{usd:,.2f}" if usd >= 1 else f"{usd:.4f}"


def transitions(*, segments: int, invocations: int) -> int:
    """Returns the state transitions of a run: a segment's child execution makes three, and two more
    for every invocation; the parent makes eight."""
    return 8 + 3 * segments + 2 * invocations


def s3_requests(*, invocations: int, parts: int, days: int) -> tuple[int, int]:
    """Returns the writes (with listings) and the reads of a run.

    A part is written once and read by the merge, which lists a thousand at a time; an invocation
    reads the plan and the log, and the merge reads every day's object and writes it at the most.
    """
    writes = parts + math.ceil(parts / 1000) + 2 * invocations + days
    reads = parts + 2 * invocations + days
    return writes, reads


def cost(
    *,
    read_units: float,
    gb_seconds: float,
    segments: int,
    invocations: int,
    parts: int,
    days: int,
    usd_per_gb_second: float = USD_PER_GB_SECOND,
    usd_per_read_unit: float = USD_PER_READ_UNIT,
    exported_bytes: int = 0,
) -> Cost:
    """Returns the cost of a run with these numbers; failed and repeated calls are not included."""
    writes, reads = s3_requests(invocations=invocations, parts=parts, days=days)
    steps = transitions(segments=segments, invocations=invocations)
    return Cost(
        dynamodb=read_units * usd_per_read_unit + export_usd(exported_bytes),
        compute=gb_seconds * usd_per_gb_second + (invocations + 2) * USD_PER_INVOCATION,
        step_functions=steps * USD_PER_TRANSITION,
        s3=writes * USD_PER_WRITE + reads * USD_PER_READ,
    )
