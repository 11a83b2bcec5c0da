"""A finished run, as its manifest describes it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import msgspec
from trip_kpis.core.run.days import json_number

from ops.runs.documents import DocumentError, read_document
from ops.runs.errors import ResultsError
from ops.runs.figures import plain
from ops.runs.next_steps import ops_command, runs_command
from ops.runs.run_day import RunDay
from trip_kpis.core import layout
from trip_kpis.core.layout import is_quarantine_of
from trip_kpis.core.run.manifest import Manifest, ManifestSegment, Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What the run read in one segment."""

    segment: int
    parts: int
    invocations: int
    pages: int
    scanned: int
    incomplete: int
    rejected: int
    rejected_by_reason: Mapping[str, int]
    counted: int
    read_units: str
    throttles: int
    worker_ms: int
    quarantine_keys: tuple[str, ...]

    @property
    def balances(self) -> bool:
        return self.scanned == self.incomplete + self.rejected + self.counted

    @classmethod
    def of(cls, segment: ManifestSegment, run_id: str) -> Self:
        """Of the objects that it names, those that the run can have written."""
        return cls(
            segment=segment.segment,
            parts=segment.parts,
            invocations=segment.invocations,
            pages=segment.pages,
            scanned=segment.scanned,
            incomplete=segment.incomplete,
            rejected=sum(segment.rejected.values()),
            rejected_by_reason=segment.rejected,
            counted=segment.counted,
            read_units=plain(str(segment.read_units)),
            throttles=sum(segment.throttles.values()),
            worker_ms=segment.worker_ms,
            quarantine_keys=tuple(
                key for key in segment.quarantine_keys if is_quarantine_of(run_id, key)
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """Numbers that are no counts are text, as the manifest has them."""

    run_id: str
    planned_at: datetime
    finished_at: datetime
    seconds: str
    table_arn: str
    table_id: str
    code_version: str
    total_fare: str
    scanned: int
    incomplete: int
    rejected: Mapping[str, int]
    counted: int
    read_units: str
    throttles: Mapping[str, int]
    cost_usd: Mapping[str, str]
    days: tuple[RunDay, ...]
    segments: tuple[Segment, ...]
    warnings: tuple[str, ...] = ()
    """sentences; none in manifests of an earlier version"""
    foreign_keys: tuple[str, ...] = ()
    """objects that the manifest names and that the run cannot have written: they are not read"""

    @property
    def parts(self) -> int:
        return sum(segment.parts for segment in self.segments)

    @property
    def rejected_in_all(self) -> int:
        return sum(self.rejected.values())

    @property
    def balances(self) -> bool:
        """scanned = incomplete + rejected + counted, here and in every segment"""
        return self.scanned == self.incomplete + self.rejected_in_all + self.counted and all(
            segment.balances for segment in self.segments
        )

    @property
    def has_figures(self) -> bool:
        """Of each of its days. Manifests of an earlier version have none."""
        of_days = (day.figures.trip_count for day in self.days if day.figures)
        return sum(of_days) == self.counted

    @classmethod
    def from_bytes(cls, body: bytes, *, name: str, run_id: str) -> Self:
        """The run of this id, by its manifest. Raises DocumentError, which names the manifest as
        `name`."""
        document = read_document(body, Manifest, name=name, kind="manifest", advice=_ADVICE)
        if document.run_id != run_id:
            raise DocumentError(
                name=name,
                kind="manifest",
                field="run_id",
                problem=f"expected {run_id!r}, as its key has it, got {document.run_id!r}",
                advice=_ADVICE,
            )
        named = (key for segment in document.by_segment for key in segment.quarantine_keys)
        return cls(
            run_id=run_id,
            planned_at=document.planned_at,
            finished_at=document.finished_at,
            seconds=str(document.seconds),
            table_arn=document.table_arn,
            table_id=document.table_id,
            code_version=document.code_version,
            total_fare=json_number(document.total_fare),
            scanned=document.scanned,
            incomplete=document.incomplete,
            rejected=document.rejected,
            counted=document.counted,
            read_units=plain(str(document.read_units)),
            throttles=document.throttles,
            cost_usd={what: plain(str(usd)) for what, usd in document.cost_usd.items()},
            days=tuple(map(RunDay.of, document.days)),
            segments=tuple(Segment.of(segment, run_id) for segment in document.by_segment),
            foreign_keys=tuple(key for key in named if not is_quarantine_of(run_id, key)),
            warnings=tuple(document.warnings),
        )


def summary_of(manifest: bytes) -> dict[str, Any] | None:
    """The summary of the run (MergePartials' output), which is in its manifest; None where it is
    not readable."""
    with suppress(msgspec.DecodeError):
        document = msgspec.json.decode(manifest, type=dict[str, Any])
        return {name: document[name] for name in Summary.__struct_fields__ if name in document}
    return None


_ADVICE = (
    "restore it as it was, or, while the run's parts are under staging/, go through the run again "
    "with `rerun`, which writes it again"
)


def manifests(out: Path) -> dict[str, Path]:
    """Of the finished runs of `out`, by their ids."""
    files = [file for file in sorted(out.glob(layout.manifest_key("*"))) if file.is_file()]
    named = ((layout.run_of_manifest(str(file.relative_to(out))), file) for file in files)
    return {run_id: file for run_id, file in named if run_id is not None}


def finished_run(out: Path, run_id: str | None) -> FinishedRun:
    """The run of `out` with that id, or the one that finished last.

    Raises ResultsError if there is none, or its manifest cannot be read.
    """
    finished = manifests(out)
    if run_id in finished:
        return read_manifest(finished[run_id])
    if run_id is not None:
        there = f"there are {', '.join(finished)}" if finished else "there is none of that name"
        raise ResultsError(
            f"{out} has no finished run {run_id}: {there}. To see whether it was started, and its "
            f"status: {ops_command('status', run_id, out)}"
        )
    if finished:
        return max(map(read_manifest, finished.values()), key=lambda run: run.finished_at)
    raise ResultsError(
        f"{out} has no finished run (there is no manifest under {out / 'runs'}). To list the "
        f"runs, and how to resume one that failed: {runs_command(out)}"
    )


def read_manifest(manifest: Path) -> FinishedRun:
    """Raises ResultsError."""
    try:
        body = manifest.read_bytes()
    except OSError as error:
        raise ResultsError(f"{manifest} cannot be read ({error.strerror})") from error
    run_id = manifest.parent.name.removeprefix("run=")
    return FinishedRun.from_bytes(body, name=str(manifest), run_id=run_id)
