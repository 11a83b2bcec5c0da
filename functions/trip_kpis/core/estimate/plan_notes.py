"""Notes on a plan before its run: the limits that it keeps to, and what to change.

An estimate shows all of it; a run's summary repeats those that are warnings.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from trip_kpis.core.capacity import PROVISIONED, STANDARD_IA
from trip_kpis.core.estimate.forecast import EstimateTerms, Forecast, most_parts
from trip_kpis.core.estimate.workers import LAMBDA_SHARE, LimitedBy
from trip_kpis.core.run.plan import SCAN, Plan

WARNINGS = frozenset(
    {
        "lambda_limit",
        "lambda_limit_unknown",
        "many_rejected_parts",
        "takes_all_capacity",
        "ttl_erodes_days",
        "ttl_unknown",
    }
)
"""codes of the notes that a run's summary repeats"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """An advice: a code for programs, and a sentence or two for people."""

    code: str
    text: str


def plan_notes(plan: Plan, expected: Forecast, terms: EstimateTerms) -> tuple[Advice, ...]:
    """Returns all notes that follow from the plan alone; `expected` is the forecast of its run."""
    return (
        *_of_parts(plan, expected, terms),
        *_of_lambda(plan),
        *_of_capacity(plan),
        *_of_expiry(plan, terms),
    )


def warnings(plan: Plan, expected: Forecast, terms: EstimateTerms) -> tuple[str, ...]:
    """Returns the sentences that a run's summary repeats."""
    notes = plan_notes(plan, expected, terms)
    return tuple(note.text for note in notes if note.code in WARNINGS)


def _of_parts(plan: Plan, expected: Forecast, terms: EstimateTerms) -> Iterator[Advice]:
    if not expected.fits(merge_memory_mb=terms.merge_memory_mb):
        yield Advice(code="too_many_parts", text=too_many_parts(plan, expected, terms))
    elif plan.estimate.parts >= most_parts(terms.merge_memory_mb):
        yield Advice(
            code="many_rejected_parts",
            text=f"If as many trips are rejected as MaxRejectedShare ({terms.max_rejected_share}) "
            f"tolerates, the run appends {plan.estimate.parts:,} parts, and one merge may not have "
            f"time for more than {most_parts(terms.merge_memory_mb):,}. Look at the rejected trips "
            "of an estimate before the run.",
        )


def too_many_parts(plan: Plan, expected: Forecast, terms: EstimateTerms) -> str:
    """Explains why a run has too many parts for one merge, and what to change."""
    return (
        f"the run {plan.run_id} would append {expected.parts:,} parts, also with a checkpoint "
        f"only every {plan.checkpoint_seconds} s ({expected.parts_of_segment:,} in each of "
        f"{expected.segments:,} segments), and one merge has time for fewer than "
        f"{most_parts(terms.merge_memory_mb):,}: its {expected.workers:,} workers take "
        f"{expected.seconds / 86_400:,.1f} days. Use fewer workers (MaxConcurrency, or "
        "max_concurrency in the input), a larger read budget (ReadUnitsPerSecond, "
        "read_units_per_second), more segments, or MergeMemory of at least 1769 MB"
    )


def _of_lambda(plan: Plan) -> Iterator[Advice]:
    if plan.lambda_limit is None:
        yield Advice(
            code="lambda_limit_unknown",
            text="The account's free Lambda executions are not known: lambda:GetAccountSettings "
            "was refused or not answered. The run is planned without that limit; invocations that "
            "Lambda refuses are retried for hours. Allow the action in PlanRun's role, or set "
            "MaxConcurrency to what the account has room for.",
        )
    elif plan.limited_by == LimitedBy.LAMBDA:
        yield Advice(
            code="lambda_limit",
            text=f"The account has {plan.lambda_limit:,} Lambda executions that no function has "
            f"reserved. A run uses at most {LAMBDA_SHARE:.0%} of them, here {plan.max_concurrency} "
            "at once, so it takes longer. For more, request a higher quota (Service Quotas, AWS "
            "Lambda, Concurrent executions).",
        )


def _of_capacity(plan: Plan) -> Iterator[Advice]:
    if plan.source != SCAN:
        return
    estimate = plan.estimate
    budget, most = plan.read_units_per_second, estimate.table_read_units_per_second
    if estimate.has_maximum and not 0 < budget < most:
        what = "is provisioned with" if estimate.billing_mode == PROVISIONED else "has a maximum of"
        yield Advice(
            code="takes_all_capacity",
            text=f"The table {plan.table_name} {what} {most:,} read units a second, and the run "
            "may take all of them: the table's other readers are throttled meanwhile. Set "
            "ReadUnitsPerSecond (read_units_per_second in the input) below what they leave.",
        )
    warm = estimate.warm_read_units_per_second
    demand = budget or most
    if (
        not estimate.has_maximum
        and warm is not None
        and warm < demand
        and estimate.read_units > warm * 60
    ):
        yield Advice(
            code="warm_throughput",
            text=f"The table serves {warm:,} read units a second at once, and grows to "
            f"{demand:,} while it is read, which the estimated time includes. Reads are throttled "
            "meanwhile, those of others too: set ReadUnitsPerSecond below that, or raise the "
            "table's warm throughput.",
        )
    if estimate.table_class == STANDARD_IA:
        yield Advice(
            code="standard_ia",
            text="The table is of the class Standard-IA, whose reads cost about a quarter more. A "
            "table that is read whole every day may be cheaper as Standard.",
        )


def _of_expiry(plan: Plan, terms: EstimateTerms) -> Iterator[Advice]:
    if not terms.days_may_shrink:
        return
    if plan.ttl_attribute is not None:
        yield Advice(
            code="ttl_erodes_days",
            text=f"TTL deletes items of the table {plan.table_name} (by {plan.ttl_attribute}), and "
            "ShrunkDays is publish: a day whose trips expire is published again with those that "
            "are left. Deploy with ShrunkDays=keep to keep such days as they are.",
        )
    elif not plan.ttl_is_known:
        yield Advice(
            code="ttl_unknown",
            text="Whether TTL deletes items of the table is not known: "
            "dynamodb:DescribeTimeToLive was refused. If it does, a day whose trips expire is "
            "published again with those that are left, unless ShrunkDays is keep.",
        )
