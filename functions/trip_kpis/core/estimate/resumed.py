"""What a run that is resumed reads with."""

from trip_kpis.core.estimate.forecast import EstimateTerms
from trip_kpis.core.estimate.workers import WorkerLimits
from trip_kpis.core.run.plan import Plan, RunDefaults, TableDescription
from trip_kpis.core.run.read_budget import ReadBudget
from trip_kpis.core.run.requests import RunRequest


def resumed_budget(
    frozen: Plan,
    current: ReadBudget,
    wanted: Plan,
    request: RunRequest,
    defaults: RunDefaults,
    table: TableDescription,
    terms: EstimateTerms,
) -> ReadBudget:
    """What is asked for now, else what the run has read with so far.

    Where a budget is asked for, but no number of workers, that is the stack's: the run's own may
    have been limited by the earlier budget. Workers are limited as those of a new run, by what
    table and account, which `wanted` knows, have room for now.
    """
    budget = request.read_units_per_second
    asked = request.max_concurrency
    if asked is None:
        asked = current.max_concurrency if budget is None else defaults.max_concurrency
    if budget is None:
        budget = current.read_units_per_second
    limits = WorkerLimits(
        capacity=table.capacity,
        read_units=None,  # how many are left to read is not known
        consistent_read=frozen.consistent_read,
        scan_memory_mb=terms.scan_memory_mb,
        lambda_limit=wanted.lambda_limit,
    )
    workers, _ = limits.workers(asked, budget=budget)
    return ReadBudget(read_units_per_second=budget, max_concurrency=workers)
