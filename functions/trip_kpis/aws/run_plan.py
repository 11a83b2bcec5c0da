"""A run's plan, frozen or resumed, and what the run reads with."""

from trip_kpis.aws.run_store import RunStore
from trip_kpis.core.estimate.forecast import EstimateTerms
from trip_kpis.core.estimate.planning import check_parts, resumed_budget
from trip_kpis.core.run.agreement import check_agreement
from trip_kpis.core.run.plan import Plan, RunDefaults
from trip_kpis.core.run.read_budget import ReadBudget
from trip_kpis.core.run.requests import RunRequest
from trip_kpis.core.run.table_description import TableDescription


def frozen(store: RunStore, wanted: Plan, request: RunRequest, terms: EstimateTerms) -> Plan:
    """The plan of a run that begins: `wanted`, or what an earlier attempt has frozen.

    Raises TooManyPartsError, before anything is read, for a run that one merge has no time for.
    """
    check_parts(wanted, terms)
    plan = store.freeze(wanted)
    check_agreement(plan, wanted, request)
    return plan


def resumed(
    store: RunStore,
    wanted: Plan,
    request: RunRequest,
    defaults: RunDefaults,
    table: TableDescription,
    terms: EstimateTerms,
) -> tuple[Plan, ReadBudget]:
    """The plan of a run that is resumed, and what its workers read with from now on.

    `wanted` is the plan that a new run would have. Raises PlanMismatchError where the two do not
    agree.
    """
    plan = store.plan(wanted.run_id)
    check_agreement(plan, wanted, request)
    current, number = store.last_budget(plan)
    budget = resumed_budget(plan, current, wanted, request, defaults, table, terms)
    if budget != current:
        store.add_read_budget(plan, budget, after=number)
    return plan, budget
