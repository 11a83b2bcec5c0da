"""Reads the objects of a run under staging/: its plan, and the parts of its segments' logs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ops.runs.storage import Listed, Storage
from trip_kpis.aws.concurrency import in_order
from trip_kpis.core import layout
from trip_kpis.core.errors import CorruptPartError, PlanMismatchError
from trip_kpis.core.export.frozen import FrozenExport
from trip_kpis.core.layout import is_known, is_run_id
from trip_kpis.core.run.plan import Plan

if TYPE_CHECKING:
    from trip_kpis.core.log.parts import PartHeader


@dataclass(frozen=True, slots=True)
class StagedPart:
    """A part of a segment's log, and the time when it was appended."""

    header: PartHeader
    appended_at: datetime


def staged_parts(storage: Storage, run_id: str) -> Iterator[StagedPart]:
    """Returns the parts in the order of their keys, without damaged ones; none without the run's
    plan."""
    plan = read_plan(storage, run_id)
    return iter(()) if plan is None else read_parts(storage, plan, list_parts(storage, run_id))


def read_plan(storage: Storage, run_id: str) -> Plan | None:
    """Returns the plan, with what is read of its export, once that is known. None where there is
    none that this version can read."""
    body = storage.read(layout.plan_key(run_id)) if is_run_id(run_id) else None
    if not body:
        return None
    with suppress(PlanMismatchError):
        plan = Plan.from_bytes(body)
        key = layout.export_key(run_id)
        export = storage.read(key) if plan.waits_for_export else None
        return plan.with_export(FrozenExport.from_bytes(export, url=key)) if export else plan
    return None


def list_parts(storage: Storage, run_id: str) -> Iterator[Listed]:
    """Lists the objects of the run's parts."""
    if is_run_id(run_id):
        for listed in storage.objects(layout.parts_prefix(run_id)):
            if is_known(listed.key):
                yield listed


def read_parts(storage: Storage, plan: Plan, listed: Iterable[Listed]) -> Iterator[StagedPart]:
    """Returns the parts of this plan's run that are not damaged: a damaged one is an error of the
    run, which names it."""
    # Where no part is read, pyarrow is not loaded.
    from trip_kpis.core.log.partials import PartialColumns
    from trip_kpis.core.log.parts import decode

    columns = PartialColumns(plan.definition)

    def read(one: Listed) -> StagedPart | None:
        body = storage.read(one.key)
        with suppress(CorruptPartError):
            if body:
                header, _ = decode(body, key=one.key, columns=columns)
                return StagedPart(header, one.written_at)
        return None

    return (part for part in in_order(read, listed) if part is not None)


def staged_plans(storage: Storage, run_id: str | None = None) -> dict[str, Mapping[str, Any]]:
    """Returns the content of plan.json by run id, of one run or of all, whichever version wrote it.

    Without those that are damaged.
    """
    found: dict[str, Mapping[str, Any]] = {}
    if run_id is not None and not is_run_id(run_id):
        return found
    prefix = layout.STAGING if run_id is None else layout.plan_key(run_id)
    for listed in storage.objects(prefix):
        of_run = layout.run_of_plan(listed.key)
        if of_run is None:
            continue
        with suppress(ValueError):
            plan = json.loads(storage.read(listed.key) or b"")
            if isinstance(plan, dict):
                found[of_run] = plan
    return found
