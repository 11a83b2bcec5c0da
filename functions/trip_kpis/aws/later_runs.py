"""What later runs have already published, from their manifests."""

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.concurrency import in_order
from trip_kpis.core import layout
from trip_kpis.core.run.manifest import Manifest
from trip_kpis.core.run.plan import AS_OF, PLANNED_AT, Plan
from trip_kpis.core.run.publication import CLOCKS_DIFFER_BY, LaterRuns, Outcome, is_later

_SETTLED = {Outcome.PUBLISHED, Outcome.UNCHANGED, Outcome.REMOVED}


def later_runs(bucket: Bucket, plan: Plan, *, now: datetime) -> LaterRuns:
    """Returns the finished runs with later plans; `now` is the merge's clock. Raises what
    `aws_call` raises.

    Under the publishing lease this is final: a manifest is written under it, too.
    """
    # A later run's manifest was written after the instant of its own figures, and so of this run's.
    since = datetime.fromisoformat(plan.as_of) - CLOCKS_DIFFER_BY
    days: set[date] = set()
    warnings: list[str] = []
    any_finished = False
    run_ids = {
        key: run_id
        for key in bucket.written_since(layout.MANIFESTS, since)
        if (run_id := layout.run_of_manifest(key))
    }
    # A run over an old export may find those of a year.
    for key, stored in zip(run_ids, in_order(bucket.get, run_ids), strict=True):
        if stored is None or not _is_later(stored.metadata, run_ids[key], than=plan, now=now):
            continue
        any_finished = True
        try:
            days |= _days(stored.body)
        except msgspec.DecodeError as error:
            warnings.append(
                f"{key} cannot be read ({error!r}): the days of that later run were compared by "
                "the metadata of their objects alone"
            )
    return LaterRuns(any_finished=any_finished, days=frozenset(days), warnings=tuple(warnings))


def _is_later(metadata: Mapping[str, str], run_id: str, *, than: Plan, now: datetime) -> bool:
    return is_later(
        metadata.get(AS_OF, ""), metadata.get(PLANNED_AT, ""), run_id, than=than, now=now
    )


def _days(body: bytes) -> set[date]:
    manifest = Manifest.from_bytes(body)
    return {day.date for day in manifest.days if day.outcome in _SETTLED}
