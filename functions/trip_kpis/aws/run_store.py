"""A run's plan, read budgets and manifest in the bucket."""

import hashlib
from dataclasses import dataclass

from trip_kpis.aws.bucket import Bucket, StoredObject
from trip_kpis.core import layout
from trip_kpis.core.errors import (
    AccessDeniedError,
    PlanMismatchError,
    PlanNotFoundError,
    TransientError,
)
from trip_kpis.core.estimate.forecast import EstimateTerms
from trip_kpis.core.estimate.planning import check_parts, resumed_budget
from trip_kpis.core.export.frozen import FrozenExport
from trip_kpis.core.run.plan import Plan, RunDefaults, check_agreement
from trip_kpis.core.run.read_budget import ReadBudget
from trip_kpis.core.run.requests import RunRequest
from trip_kpis.core.run.table_description import TableDescription


@dataclass(frozen=True, slots=True)
class RunStore:
    """Reads and writes what a run stores once, not once per segment."""

    bucket: Bucket

    def freeze(self, plan: Plan) -> Plan:
        """Writes the plan unless the run has one; returns the plan that the run has."""
        if self.bucket.put_new(
            layout.plan_key(plan.run_id), plan.to_bytes(), content_type="application/json"
        ):
            return plan
        return self.plan_without_export(plan.run_id)

    def plan(self, run_id: str, *, sha256: str | None = None) -> Plan:
        """Returns the run's plan, with what is read of its export; with `sha256`, only if that is
        the plan's digest.

        Raises PlanNotFoundError, or PlanMismatchError for a plan that another version wrote, that
        was changed, or that is another run's.
        """
        url, stored = self._plan_object(run_id)
        plan = _checked(Plan.from_bytes(stored.body), run_id, url=url)
        if plan.waits_for_export:
            plan = plan.with_export(self.export(plan))
        if sha256 not in (None, plan.sha256):
            raise PlanMismatchError(_changed(url))
        return plan

    def plan_without_export(self, run_id: str, *, sha256: str | None = None) -> Plan:
        """Returns the run's plan.json alone; `plan` also needs what is read of the export. Raises
        the same."""
        url, stored = self._plan_object(run_id)
        if sha256 not in (None, hashlib.sha256(stored.body).hexdigest()):
            raise PlanMismatchError(_changed(url))
        return _checked(Plan.from_bytes(stored.body), run_id, url=url)

    def has_export(self, plan: Plan) -> bool:
        """Returns whether it is recorded what the run reads of its export."""
        return self._export_object(plan) is not None

    def export(self, plan: Plan) -> FrozenExport:
        """Returns what the run reads of its export. Raises PlanNotFoundError where that is not
        known yet, and PlanMismatchError for what was frozen for another plan."""
        url, stored = self.bucket.url(layout.export_key(plan.run_id)), self._export_object(plan)
        if stored is None:
            raise PlanNotFoundError(
                f"{url} is not there: the run {plan.run_id} still waits for its export. Resume the "
                f'run by an execution with the input {{"run_id": "{plan.run_id}"}}'
            )
        export = FrozenExport.from_bytes(stored.body, url=url)
        if export.plan_sha256 != plan.sha256:
            raise PlanMismatchError(
                f"{url} belongs to another plan than the run's plan.json: start a new run, and "
                "find out who may write to staging/"
            )
        return export

    def freeze_export(self, plan: Plan, export: FrozenExport) -> FrozenExport:
        """Writes what the run reads of its export, unless that is recorded; returns what is
        recorded."""
        key = layout.export_key(plan.run_id)
        if self.bucket.put_new(key, export.to_bytes(), content_type="application/json"):
            return export
        return self.export(plan)

    def _export_object(self, plan: Plan) -> StoredObject | None:
        return self.bucket.get(layout.export_key(plan.run_id))

    def _plan_object(self, run_id: str) -> tuple[str, StoredObject]:
        """Reads the plan's object; returns it and its URL. Raises PlanNotFoundError.

        A role that may not list the bucket gets "access denied" for an object that is not there
        (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html).
        """
        key = layout.plan_key(run_id)
        url = self.bucket.url(key)
        try:
            stored = self.bucket.get(key)
        except AccessDeniedError as error:
            raise PlanNotFoundError(_no_plan(run_id, url)) from error
        if stored is None:
            raise PlanNotFoundError(_no_plan(run_id, url))
        return url, stored

    def read_budget(self, plan: Plan) -> ReadBudget:
        """Returns the run's current budget: the last budget that was written, or else the plan's.

        Raises PlanMismatchError for something else under its key.
        """
        return self.last_budget(plan)[0]

    def add_read_budget(self, plan: Plan, budget: ReadBudget, *, after: int) -> None:
        """Writes a budget for every invocation that begins from now on; `after` is the number of
        the last budget, from `last_budget`.

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
        """Returns what `read_budget` returns, and its number; the plan's budget is number 0."""
        keys = [*self.bucket.keys(layout.read_budgets_prefix(plan.run_id))]
        stored = self.bucket.get(keys[-1]) if keys else None
        if stored is None:
            return plan.read_budget, 0
        url = self.bucket.url(keys[-1])
        return ReadBudget.from_bytes(stored.body, url=url), len(keys)

    def put_manifest(self, plan: Plan, body: bytes) -> None:
        """Writes the run's manifest; writes it again if the merge is repeated."""
        self.bucket.put(
            layout.manifest_key(plan.run_id),
            body,
            content_type="application/json",
            metadata=plan.order_metadata,
        )


def _checked(plan: Plan, run_id: str, *, url: str) -> Plan:
    if plan.run_id != run_id:
        raise PlanMismatchError(
            f"{url} is the plan of the run {plan.run_id!r}: something has copied it there. Start "
            "a new run, and find out who may write to staging/"
        )
    return plan


def _changed(url: str) -> str:
    return (
        f"{url} is not the plan that this execution began with: something has changed it since. "
        "Put it back (the bucket may have its earlier version), or start a new run, and look at "
        "who may write to staging/"
    )


def _no_plan(run_id: str, url: str) -> str:
    return (
        f"there is no run {run_id!r} to resume: {url} is not there, or this function may not "
        "read it. Give the run_id of a run that was planned (its folder is under staging/ for "
        "StagingExpirationDays), or start a new run without run_id"
    )


def frozen(store: RunStore, wanted: Plan, request: RunRequest, terms: EstimateTerms) -> Plan:
    """Returns the plan of a new run: `wanted`, or the plan that an earlier attempt has written.

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
    """Returns the plan of a resumed run, and the budget that its workers have from now on.

    `wanted` is the plan that a new run would have. Raises PlanMismatchError where the two do not
    agree.
    """
    plan = store.plan_without_export(wanted.run_id)
    check_agreement(plan, wanted, request)
    current, number = store.last_budget(plan)
    budget = resumed_budget(plan, current, wanted, request, defaults, table, terms)
    if budget != current:
        store.add_read_budget(plan, budget, after=number)
    return plan, budget
