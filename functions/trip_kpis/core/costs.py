"""What a run costs, at list prices.

US East (N. Virginia), USD, as of 2025; other regions differ, and a provisioned table pays for its
capacity rather than for requests.
https://aws.amazon.com/dynamodb/pricing/on-demand/   https://aws.amazon.com/lambda/pricing/
https://aws.amazon.com/step-functions/pricing/       https://aws.amazon.com/s3/pricing/
"""

import math
from dataclasses import dataclass

USD_PER_READ_UNIT = 0.125e-6
USD_PER_GB_SECOND = 0.0000166667
"""x86_64, the dearer of the two. Counted is what the parts tell of their workers; the planning, the
merge and what a worker did beside its parts are not: seconds, where the parts are hours."""
USD_PER_GB_SECOND_ARM64 = 0.0000133334
USD_PER_EXPORTED_GIB = 0.10
USD_PER_RECOVERABLE_GIB_MONTH = 0.20
"""of table; a full export to S3, and the point-in-time recovery that it needs"""
USD_PER_INVOCATION = 0.20e-6
USD_PER_TRANSITION = 25e-6
USD_PER_WRITE = 5e-6
"""a PUT or a LIST"""
USD_PER_READ = 0.4e-6

BYTES_PER_UNIT = 4096
DEFAULT_READ_QUOTA = 40_000
"""read units a second of an on-demand table, unless AWS was asked for more
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run will read. DynamoDB renews a table's size and count about every six hours."""

    table_bytes: int
    item_count: int
    read_units: int
    read_cost_usd: float
    seconds_at_least: int
    """at the read budget, or at the default quota of an on-demand table"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a run has cost so far, in USD."""

    dynamodb: float
    compute: float
    step_functions: float
    s3: float

    @property
    def around(self) -> float:
        """Everything but DynamoDB."""
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
    *, table_bytes: int, item_count: int, consistent_read: bool, read_units_per_second: int
) -> Estimate:
    """A scan pays a read unit for 4 KiB read consistently, half of one otherwise.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """
    units = math.ceil(table_bytes / BYTES_PER_UNIT * (1.0 if consistent_read else 0.5))
    return Estimate(
        table_bytes=table_bytes,
        item_count=item_count,
        read_units=units,
        read_cost_usd=round(units * USD_PER_READ_UNIT, 6),
        seconds_at_least=math.ceil(units / (read_units_per_second or DEFAULT_READ_QUOTA)),
    )


def transitions(*, segments: int, invocations: int) -> int:
    """Of a run that made these: a segment's child execution makes three and two more for every
    invocation; the parent makes seven."""
    return 7 + 3 * segments + 2 * invocations


def s3_requests(*, invocations: int, parts: int, days: int) -> tuple[int, int]:
    """Writes (and listings) and reads of a run that made these.

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
) -> Cost:
    """The cost of a run that made these; failed and repeated calls are not in it."""
    writes, reads = s3_requests(invocations=invocations, parts=parts, days=days)
    steps = transitions(segments=segments, invocations=invocations)
    return Cost(
        dynamodb=read_units * USD_PER_READ_UNIT,
        compute=gb_seconds * usd_per_gb_second + (invocations + 2) * USD_PER_INVOCATION,
        step_functions=steps * USD_PER_TRANSITION,
        s3=writes * USD_PER_WRITE + reads * USD_PER_READ,
    )
