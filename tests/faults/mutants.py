"""The product, broken on purpose in the ways that segment log and lease are there to prevent."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import merge_partials
from tests.faults.deliveries import HANDLERS
from tests.faults.schedule import Variant
from trip_kpis.aws import clients
from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.lease import PublishingLease
from trip_kpis.aws.read_budget import Pacer
from trip_kpis.aws.run_store import RunStore
from trip_kpis.aws.segment_log import Appender, SegmentLog
from trip_kpis.aws.settings import read_settings
from trip_kpis.aws.sources import source_of
from trip_kpis.aws.worker import SegmentWorker
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.log.part_builder import PartBuilder, Position
from trip_kpis.core.log.parts import PartHeader
from trip_kpis.core.run.plan import Plan
from trip_kpis.core.run.proof import Chains, Proof, SegmentProof


@dataclass(slots=True, kw_only=True)
class _HandedLog:
    """A log that believes the position it is handed, and its own writes."""

    log: SegmentLog
    position: Position

    def end(self, _segment: int) -> Position:
        return self.position

    def append(
        self, segment: int, builder: PartBuilder, appender: Appender, *, worker_ms: int
    ) -> bool:
        self.log.append(segment, builder, appender, worker_ms=worker_ms)
        self.position = builder.after
        return True

    def record_no_progress(self, segment: int, position: Position, appender: Appender) -> None:
        self.log.record_no_progress(segment, position, appender)


def _scan_from_the_state(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Goes on from the position that the invocation before returned to the state machine."""
    bucket = Bucket(clients.s3(), read_settings().bucket_name)
    plan = RunStore(bucket).plan(event["run_id"], sha256=event["plan_sha256"])
    log = _HandedLog(
        log=SegmentLog(bucket=bucket, plan=plan), position=Position(**event.get("position", {}))
    )
    progress = SegmentWorker(
        source=source_of(plan),
        log=log,  # type: ignore[arg-type]
        plan=plan,
        segment=event["segment"],
        appender=Appender(invocation=context.aws_request_id, memory_mb=512),
        pacer=Pacer.for_worker_of(plan),
        remaining_ms=context.get_remaining_time_in_millis,
    ).work()
    position = {
        "next_part": log.position.next_part,
        "start": log.position.start,
        "finished": log.position.finished,
    }
    return {**progress.to_json(), "position": position}


class _Believed(Chains):
    """Whatever is listed is the whole."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self._listed: dict[int, list[PartHeader]] = {n: [] for n in range(plan.total_segments)}

    def add(self, header: PartHeader) -> None:
        self._listed[header.segment].append(header)

    def proof(self) -> Proof:
        return Proof(
            segments=tuple(
                SegmentProof(
                    segment=segment,
                    parts=len(headers),
                    invocations=len({header.invocation for header in headers}),
                    counts=sum((header.counts for header in headers), Counts()),
                    worker_ms=0,
                    gb_seconds=0.0,
                    quarantine_keys=tuple(
                        header.quarantine_key
                        for header in headers
                        if header.quarantine_key is not None
                    ),
                )
                for segment, headers in self._listed.items()
            )
        )


def _merge_what_is_listed(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Publishes without following the chains."""
    with patch.object(merge_partials, "Chains", _Believed):
        return merge_partials.handler(event, context)


@contextmanager
def _not_held(_: PublishingLease) -> Iterator[None]:
    yield


def _merge_without_a_lease(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Publishes whoever else does."""
    with patch.object(PublishingLease, "held", _not_held):
        return merge_partials.handler(event, context)


OVERWRITING_PUTS = Variant(store_honours_conditions=False)
CURSOR_IN_THE_STATE = Variant(handlers={**HANDLERS, "ScanSegment": _scan_from_the_state})
MERGE_WITHOUT_A_LEASE = Variant(handlers={**HANDLERS, "MergePartials": _merge_without_a_lease})
MERGE_TRUSTS_A_LISTING = Variant(handlers={**HANDLERS, "MergePartials": _merge_what_is_listed})
