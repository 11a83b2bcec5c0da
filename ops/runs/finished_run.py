"""A finished run, as its manifest describes it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import msgspec

from ops.runs.documents import DocumentError, read_document
from ops.runs.errors import ResultsError
from ops.runs.figures import plain
from ops.runs.next_steps import ops_command, runs_command
from ops.runs.run_day import BreakdownDay, RunDay, items_in
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
    excluded: int
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
        not_counted = self.excluded + self.incomplete + self.rejected
        return self.scanned == not_counted + self.counted

    @classmethod
    def of(cls, segment: ManifestSegment, run_id: str) -> Self:
        """Returns the objects that the manifest names and that the run can have written."""
        return cls(
            segment=segment.segment,
            parts=segment.parts,
            invocations=segment.invocations,
            pages=segment.pages,
            scanned=segment.scanned,
            excluded=segment.excluded,
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
    """The data of a finished run. Numbers that are not counts are text, as in the manifest."""

    run_id: str
    planned_at: datetime
    finished_at: datetime
    seconds: str
    table_arn: str
    table_id: str
    code_version: str
    definition: str
    """the name of the KPI definition"""
    source: str
    """`scan` or `export`"""
    export_arn: str | None
    as_of: datetime
    """the instant of the export; for a scan, the time of the plan"""
    totals: Mapping[str, str]
    """totals of the KPIs that can be added up over all days, by name"""
    scanned: int
    excluded: int
    incomplete: int
    rejected: Mapping[str, int]
    counted: int
    read_units: str
    throttles: Mapping[str, int]
    cost_usd: Mapping[str, str]
    days: tuple[RunDay, ...]
    breakdowns: Mapping[str, tuple[BreakdownDay, ...]]
    """by the breakdown's name"""
    shrunk_to: Mapping[str, int]
    """items of the latest days that have fewer items than were published"""
    segments: tuple[Segment, ...]
    warnings: tuple[str, ...] = ()
    """sentences; none in manifests of an earlier version"""
    foreign_keys: tuple[str, ...] = ()
    """objects that the manifest names and that the run cannot have written: they are not read"""

    @property
    def read_table_arn(self) -> str:
        """Returns the ARN of the table whose items were read; on this machine, an export may be of
        another table than the stack's."""
        return (self.export_arn or self.table_arn).partition("/export/")[0]

    @property
    def parts(self) -> int:
        return sum(segment.parts for segment in self.segments)

    @property
    def rejected_in_all(self) -> int:
        return sum(self.rejected.values())

    @property
    def balances(self) -> bool:
        """Returns whether scanned = excluded + incomplete + rejected + counted, here and in every
        segment."""
        not_counted = self.excluded + self.incomplete + self.rejected_in_all
        return self.scanned == not_counted + self.counted and all(
            segment.balances for segment in self.segments
        )

    @property
    def kpi_names(self) -> tuple[str, ...]:
        """Returns the KPIs in the definition's order; empty if no day has figures."""
        return next((tuple(day.kpis) for day in self.days if day.kpis), ())

    @property
    def counting(self) -> frozenset[str]:
        """Returns the KPIs that count items."""
        of_day = next((day.kpis for day in self.days if day.kpis), {})
        return frozenset(name for name, figure in of_day.items() if isinstance(figure, int))

    def items_of(self, day: RunDay) -> int | None:
        """Returns how many items of the day count; None if the manifest does not say so."""
        counted = items_in(day.kpis)
        return self.shrunk_to.get(day.date) if counted is None else counted

    @property
    def has_figures(self) -> bool:
        """Returns whether each of its days has figures. Manifests of an earlier version have
        none."""
        of_days = [items_in(day.kpis) for day in self.days if day.kpis]
        counts = [items for items in of_days if items is not None]
        if counts or not of_days:
            return sum(counts) == self.counted
        return True

    @classmethod
    def from_bytes(cls, body: bytes, *, name: str, run_id: str) -> Self:
        """Reads the manifest of the run with this id. Raises DocumentError, which names the
        manifest as `name`."""
        document = read_document(body, _manifest, name=name, kind="manifest", advice=_ADVICE)
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
            definition=document.definition,
            source=document.source,
            export_arn=document.export_arn,
            as_of=document.as_of or document.planned_at,
            totals={kpi: plain(str(total)) for kpi, total in _totals(document).items()},
            scanned=document.scanned,
            excluded=document.excluded,
            incomplete=document.incomplete,
            rejected=document.rejected,
            counted=document.counted,
            read_units=plain(str(document.read_units)),
            throttles=document.throttles,
            cost_usd={what: plain(str(usd)) for what, usd in document.cost_usd.items()},
            days=tuple(map(RunDay.of, document.days)),
            breakdowns={
                breakdown: tuple(map(BreakdownDay.of, days))
                for breakdown, days in document.breakdowns.items()
            },
            shrunk_to={day.date.isoformat(): day.now for day in document.shrank_days},
            segments=tuple(Segment.of(segment, run_id) for segment in document.by_segment),
            foreign_keys=tuple(key for key in named if not is_quarantine_of(run_id, key)),
            warnings=tuple(document.warnings),
        )


def _manifest(body: bytes) -> Manifest:
    """Reads a manifest; all days that have KPIs must have the same KPIs. Raises
    msgspec.DecodeError."""
    document = Manifest.from_bytes(body)
    for n, day in enumerate(document.days):
        nulls = [name for name, figure in day.kpis.items() if figure is None]
        if 0 < len(nulls) < len(day.kpis):
            raise msgspec.ValidationError(f"Expected a figure - at `$.days[{n}].{nulls[0]}`")
    of_days = [
        (n, tuple(day.kpis))
        for n, day in enumerate(document.days)
        if any(figure is not None for figure in day.kpis.values())
    ]
    for n, names in of_days:
        if set(names) != set(of_days[0][1]):
            expected = f"{', '.join(of_days[0][1])}, as the first day has, got {', '.join(names)}"
            raise msgspec.ValidationError(f"Expected {expected} - at `$.days[{n}]`")
    return document


def _totals(document: Manifest) -> Mapping[str, Decimal]:
    """Returns the totals. A manifest of schema version 1 has the two of the default definition
    elsewhere."""
    if document.totals or document.total_fare is msgspec.UNSET:
        return document.totals
    return {"trip_count": Decimal(document.counted), "total_fare": document.total_fare}


def without_count(totals: Mapping[str, str], counted: int) -> dict[str, str]:
    """Returns the totals except those of KPIs that count items."""
    count = next((name for name, total in totals.items() if total == str(counted)), None)
    return {name: total for name, total in totals.items() if name != count}


def summary_of(manifest: bytes) -> dict[str, Any] | None:
    """Returns the run's summary (MergePartials' output) from its manifest; None if it is not
    readable."""
    with suppress(msgspec.DecodeError):
        document = msgspec.json.decode(manifest, type=dict[str, Any])
        return {name: document[name] for name in Summary.__struct_fields__ if name in document}
    return None


_ADVICE = (
    "restore it as it was, or, while the run's parts are under staging/, go through the run again "
    "with `rerun`, which writes it again"
)


def manifests(out: Path) -> dict[str, Path]:
    """Returns the manifests of the finished runs of `out`, by their ids."""
    files = [file for file in sorted(out.glob(layout.manifest_key("*"))) if file.is_file()]
    named = ((layout.run_of_manifest(str(file.relative_to(out))), file) for file in files)
    return {run_id: file for run_id, file in named if run_id is not None}


def finished_run(out: Path, run_id: str | None) -> FinishedRun:
    """Returns the run of `out` with that id, or the one that finished last.

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


def counting_kpis(out: Path) -> frozenset[str]:
    """Returns the KPIs that count items, as the manifests of `out` say; without a manifest, that of
    the default definition."""
    found: frozenset[str] = frozenset()
    for manifest in manifests(out).values():
        with suppress(ResultsError):
            found |= read_manifest(manifest).counting
    return found or frozenset({"trip_count"})


def read_manifest(manifest: Path) -> FinishedRun:
    """Reads the bytes of a manifest."""
    try:
        body = manifest.read_bytes()
    except OSError as error:
        raise ResultsError(f"{manifest} cannot be read ({error.strerror})") from error
    run_id = manifest.parent.name.removeprefix("run=")
    return FinishedRun.from_bytes(body, name=str(manifest), run_id=run_id)
