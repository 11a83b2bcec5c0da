"""The product, broken on purpose in the ways that segment log, lease and the checks of an export
are there to prevent."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import msgspec

import merge_partials
import plan_run
import scan_segment
from tests.faults.deliveries import HANDLERS, Handler
from tests.faults.schedule import Variant
from trip_kpis.aws import clients
from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.export_files import ExportFiles
from trip_kpis.aws.export_planning import Exports
from trip_kpis.aws.lease import PublishingLease
from trip_kpis.aws.read_budget import Pacer
from trip_kpis.aws.run_store import RunStore
from trip_kpis.aws.segment_log import Appender, SegmentLog
from trip_kpis.aws.settings import read_settings
from trip_kpis.aws.source_choice import source_of
from trip_kpis.aws.worker import SegmentWorker
from trip_kpis.core.export.file_digest import FileDigest
from trip_kpis.core.export.frozen import ExportFile, FrozenExport
from trip_kpis.core.export.lines import line_count
from trip_kpis.core.items.pages import Page
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.log.part_builder import PartBuilder, Position
from trip_kpis.core.log.parts import PartHeader
from trip_kpis.core.run.plan import Plan
from trip_kpis.core.run.proof import Chains, Proof, SegmentProof


@dataclass(slots=True, kw_only=True)
class _HandedLog:
    """A log that trusts the position that it is given, and its own writes."""

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
    """Continues at the position that the invocation before returned to the state machine."""
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
    """Treats the listed parts as complete."""

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
    """Publishes without checking the chains."""
    with patch.object(merge_partials, "Chains", _Believed):
        return merge_partials.handler(event, context)


@contextmanager
def _not_held(_: PublishingLease) -> Iterator[None]:
    yield


def _merge_without_a_lease(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Publishes while other merges publish."""
    with patch.object(PublishingLease, "held", _not_held):
        return merge_partials.handler(event, context)


_pages_of, _blocks, _next_step = ExportFiles._pages_of, ExportFiles._blocks, Exports.next_step


def _scanning_with(owner: type, name: str, replacement: Callable[..., Any]) -> Handler:
    """ScanSegment with another method of a class that reads exports."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with patch.object(owner, name, replacement):
            return scan_segment.handler(event, context)

    return handler


def _from_the_files_beginning(
    files: ExportFiles, file: ExportFile, *, after: Any, end: Any
) -> Iterator[Page]:
    """Ignores the cursor's line."""
    return _pages_of(files, file, after=msgspec.structs.replace(after, line=0), end=end)


def _of_any_md5(files: ExportFiles, file: ExportFile, url: str, **more: Any) -> Iterator[Any]:
    return _blocks(files, msgspec.structs.replace(file, md5=None), url, **more)


def _of_any_length(files: ExportFiles, file: ExportFile, url: str, **more: Any) -> Iterator[Any]:
    return _blocks(files, msgspec.structs.replace(file, items=None), url, **more)


def _without_the_last_line(
    files: ExportFiles, file: ExportFile, url: str, **more: Any
) -> Iterator[Any]:
    """What is lost is lost after the file is checked."""
    for block in _blocks(files, file, url, **more):
        if block.is_last:
            kept = block.text[: block.text.rstrip(b"\n").rfind(b"\n") + 1]
            yield block._replace(text=kept, line_after=block.line + line_count(kept))
        else:
            yield block


def _merge_whatever_was_read(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Does not check how many items the export's files have."""
    with patch.object(Plan, "items_of", lambda _plan, _segment: None):
        return merge_partials.handler(event, context)


def _plan_another_export(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Starts an export whenever the run is resumed, and reads that."""

    def freeze(store: RunStore, plan: Plan, export: FrozenExport) -> FrozenExport:
        key = f"staging/run={plan.run_id}/export.json"
        store.bucket.put(key, export.to_bytes(), content_type="application/json")
        return export

    def next_step(exports: Exports, plan: Plan, *, table_id: str) -> dict[str, Any]:
        return {**_next_step(exports, plan, table_id=table_id), "token": str(uuid.uuid4())}

    with (
        patch.object(Exports, "next_step", next_step),
        patch.object(Exports, "_begun", lambda *_: None),
        patch.object(RunStore, "has_export", lambda *_: False),
        patch.object(RunStore, "freeze_export", freeze),
    ):
        return plan_run.handler(event, context)


_WITHOUT_THE_LAST_LINE = _scanning_with(ExportFiles, "_blocks", _without_the_last_line)

OVERWRITING_PUTS = Variant(store_honours_conditions=False)
CURSOR_IN_THE_STATE = Variant(handlers={**HANDLERS, "ScanSegment": _scan_from_the_state})
MERGE_WITHOUT_A_LEASE = Variant(handlers={**HANDLERS, "MergePartials": _merge_without_a_lease})
MERGE_TRUSTS_A_LISTING = Variant(handlers={**HANDLERS, "MergePartials": _merge_what_is_listed})

FILES_FROM_THEIR_BEGINNING = Variant(
    handlers={
        **HANDLERS,
        "ScanSegment": _scanning_with(ExportFiles, "_pages_of", _from_the_files_beginning),
    }
)
NO_MD5 = Variant(
    handlers={**HANDLERS, "ScanSegment": _scanning_with(ExportFiles, "_blocks", _of_any_md5)}
)
NO_COUNT = Variant(
    handlers={**HANDLERS, "ScanSegment": _scanning_with(ExportFiles, "_blocks", _of_any_length)}
)
ANY_BEGINNING = Variant(
    handlers={
        **HANDLERS,
        "ScanSegment": _scanning_with(FileDigest, "_check_beginning", lambda *_: None),
    }
)
LAST_LINES_LOST = Variant(handlers={**HANDLERS, "ScanSegment": _WITHOUT_THE_LAST_LINE})
MERGE_IGNORES_COUNTS = Variant(
    handlers={
        **HANDLERS,
        "ScanSegment": _WITHOUT_THE_LAST_LINE,
        "MergePartials": _merge_whatever_was_read,
    }
)
CONTINUED_WITH_ANOTHER_EXPORT = Variant(handlers={**HANDLERS, "PlanRun": _plan_another_export})
