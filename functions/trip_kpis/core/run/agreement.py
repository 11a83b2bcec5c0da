"""May a run go on as it is asked for now?"""

from trip_kpis.core.errors import InputError, PlanMismatchError
from trip_kpis.core.run.plan import Plan
from trip_kpis.core.run.requests import RunRequest

_DECIDES_FIGURES = (
    "table_arn",
    "table_id",
    "key_attributes",
    "fare_attribute",
    "estimated_fare_attribute",
    "day_attribute",
    "time_zone",
    "time_formats",
    "earliest_day",
)


def check_agreement(frozen: Plan, wanted: Plan, request: RunRequest) -> None:
    """Whether the run that `frozen` began may go on as it is asked for now.

    What decides the figures must be as it was; so must `total_segments` and `consistent_read`, if
    the request itself asks for them. The rest stays as it was frozen, except for what the request
    asks for of `max_concurrency` and `read_units_per_second` (`estimate.planning.resumed_budget`).

    Raises PlanMismatchError, which lists what differs.
    """
    asked_for = [
        name for name in ("total_segments", "consistent_read") if getattr(request, name) is not None
    ]
    differing = [
        f"{name} was {getattr(frozen, name)!r}, now it is {getattr(wanted, name)!r}"
        for name in (*_DECIDES_FIGURES, *asked_for)
        if getattr(frozen, name) != getattr(wanted, name)
    ]
    if differing:
        raise PlanMismatchError(
            f"the run {frozen.run_id} was planned otherwise: {'; '.join(differing)}. Continue it "
            "with the settings that it began with (unless its plan.json was changed: then put that "
            "back), or start a new run without run_id"
        )


def check_table(plan: Plan, table_name: str) -> None:
    """Raises PlanMismatchError where the stack has been given another table since the plan."""
    if plan.table_name != table_name:
        raise PlanMismatchError(
            f"the run {plan.run_id} was planned for the table {plan.table_name!r}, the stack's "
            f"TableName is {table_name!r} now: deploy the stack with the table that the run began "
            "with, or start a new run without run_id"
        )


def check_table_id(plan: Plan, table_id: str) -> None:
    """Raises PlanMismatchError where the table was deleted and created again since the plan, so
    that some segments were read from one table and some from another."""
    if plan.table_id != table_id:
        raise PlanMismatchError(
            f"the table {plan.table_name!r} was deleted and created again after the run "
            f"{plan.run_id} was planned (its id was {plan.table_id!r}, now it is "
            f"{table_id!r}), so the segments were not all read from one table; nothing was "
            "published. Start a new run without run_id"
        )


def check_segment(plan: Plan, segment: int) -> None:
    """Raises InputError where the plan has no such segment."""
    if not 0 <= segment < plan.total_segments:
        raise InputError(
            f"segment is {segment}: the run {plan.run_id} has the segments 0 to "
            f"{plan.total_segments - 1}"
        )
