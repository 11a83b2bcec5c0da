"""A run's plan, read budgets and manifest in the bucket."""

import hashlib
from dataclasses import dataclass

from trip_kpis.aws.bucket import Bucket
from trip_kpis.core import layout
from trip_kpis.core.errors import (
    AccessDeniedError,
    PlanMismatchError,
    PlanNotFoundError,
    TransientError,
)
from trip_kpis.core.estimate.forecast import EstimateTerms
from trip_kpis.core.estimate.planning import check_parts, resumed_budget
from trip_kpis.core.run.plan import AS_OF, Plan, RunDefaults, check_agreement
from trip_kpis.core.run.read_budget import ReadBudget
from trip_kpis.core.run.requests import RunRequest
from trip_kpis.core.run.table_description import TableDescription


@dataclass(frozen=True, slots=True)
class RunStore:
    """What a run keeps once, not once per segment."""

    bucket: Bucket

    def freeze(self, plan: Plan) -> Plan:
        """Writes the plan unless the run has one; gives the plan that the run has."""
        if self.bucket.put_new(
            layout.plan_key(plan.run_id), plan.to_bytes(), content_type="application/json"
        ):
            return plan
        return self.plan(plan.run_id)

    def plan(self, run_id: str, *, sha256: str | None = None) -> Plan:
        """The run's frozen plan; with `sha256`, only if that is the digest of its object.

        Raises PlanNotFoundError, or PlanMismatchError for a plan that another version wrote, that
        was changed, or that is another run's.

        A role that may not list the bucket gets "access denied" for an object that is not there
        (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html).
        """
        key = layout.plan_key(run_id)
        try:
            stored = self.bucket.get(key)
        except AccessDeniedError as error:
            raise PlanNotFoundError(_no_plan(run_id, self.bucket.url(key))) from error
        if stored is None:
            raise PlanNotFoundError(_no_plan(run_id, self.bucket.url(key)))
        if sha256 not in (None, hashlib.sha256(stored.body).hexdigest()):
            raise PlanMismatchError(
                f"{self.bucket.url(key)} is not the plan that this execution began with: something "
                "has changed it since. Put it back (the bucket may have its earlier version), or "
                "start a new run, and look at who may write to staging/"
            )
        plan = Plan.from_bytes(stored.body)
        if plan.run_id != run_id:
            raise PlanMismatchError(
                f"{self.bucket.url(key)} is the plan of the run {plan.run_id!r}: something has "
                "copied it there. Start a new run, and look at who may write to staging/"
            )
        return plan

    def read_budget(self, plan: Plan) -> ReadBudget:
        """What the run reads with now: the last budget that was written, else the plan's.

        Raises PlanMismatchError for something else under its key.
        """
        return self.last_budget(plan)[0]

    def add_read_budget(self, plan: Plan, budget: ReadBudget, *, after: int) -> None:
        """Makes it the budget of every invocation that begins from now on; `after` is the number of
        the last one, as `last_budget` gave it.

        A new object each time: what is written under staging/ is never overwritten. Raises
        TransientError where another execution of this run has written one since.
        """
        key = layout.read_budget_key(plan.run_id, after + 1)
        if not self.bucket.put_new(key, budget.to_bytes(), content_type="application/json"):
            raise TransientError(
                f"{self.bucket.url(key)} was written by another execution of the run {plan.run_id} "
                "at the same moment: try again"
            )

    def last_budget(self, plan: Plan) -> tuple[ReadBudget, int]:
        """What `read_budget` gives, and its number; the plan's is number 0."""
        keys = [*self.bucket.keys(layout.read_budgets_prefix(plan.run_id))]
        stored = self.bucket.get(keys[-1]) if keys else None
        if stored is None:
            return plan.read_budget, 0
        url = self.bucket.url(keys[-1])
        return ReadBudget.from_bytes(stored.body, url=url), len(keys)

    def put_manifest(self, plan: Plan, body: bytes) -> None:
        """Writes the run's manifest, again if the merge is repeated."""
        self.bucket.put(
            layout.manifest_key(plan.run_id),
            body,
            content_type="application/json",
            metadata={AS_OF: plan.planned_at},
        )


def _no_plan(run_id: str, url: str) -> str:
    return (
        f"there is no run {run_id!r} to resume: {url} is not there, or this function may not "
        "read it. Give the run_id of a run that was planned (its folder is under staging/ for "
        "StagingExpirationDays), or start a new run without run_id"
    )


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
