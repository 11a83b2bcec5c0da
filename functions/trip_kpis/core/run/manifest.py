"""The documents of a finished run: the manifest, and the summary."""

import datetime
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from trip_kpis import __version__
from trip_kpis.core.definition.model import Definition, Function
from trip_kpis.core.items.numbers import EXACT, plain
from trip_kpis.core.log.counts import Count
from trip_kpis.core.prices import Cost, cost
from trip_kpis.core.run.figures import BreakdownDay, DayKpis, Figure, Published, check_figures
from trip_kpis.core.run.plan import Plan
from trip_kpis.core.run.publication import Outcome, Publication
from trip_kpis.core.run.run_metrics import Measure

if TYPE_CHECKING:  # ops reads manifests without loading Arrow
    from trip_kpis.core.run.proof import Proof

_DAYS_LISTED = 20
"""in a summary, the latest days only: it is part of the state machine's state; the manifest has all
days"""


class ShrunkDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day whose trip count became smaller."""

    date: datetime.date
    published: Count
    """the trip count before this run"""
    now: Count


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """MergePartials' output, with which a manifest begins.

    Sums are Strings: JSON numbers on their way through the state machine are doubles. A field with
    a default is one that ops does without: manifests of earlier versions lack some.
    """

    run_id: str
    days_published: Count = 0
    days_unchanged: Count = 0
    days_superseded: Count = 0
    days_vanished: Count = 0
    days_removed: Count = 0
    days_shrunk: Count = 0
    days_skipped: Count = 0
    days_not_yet: Count = 0
    days_open: Count = 0
    open_days: list[datetime.date] = []
    """the latest of these days"""
    days_shrank: Count = 0
    shrank_days: list[ShrunkDay] = []
    """the latest of these days"""
    trips: Count = 0
    total_fare: Decimal | msgspec.UnsetType = msgspec.UNSET
    """only if the definition has a KPI of this name"""
    totals: dict[str, Decimal] = {}
    """totals of the KPIs that can be added up over all days, by name"""
    definition: str = "trips"
    """the name of the KPI definition"""
    source: str = "scan"
    """`scan` or `export`"""
    export_arn: str | None = None
    as_of: datetime.datetime | None = None
    """the instant of the export; for a scan, the time of the plan; None in manifests of earlier
    versions"""
    scanned: Count
    excluded: Count = 0
    incomplete: Count
    rejected: dict[str, Count]
    """counts by reason"""
    counted: Count
    segments: Count = 0
    parts: Count = 0
    invocations: Count = 0
    segments_by_invocations: dict[str, Count] = {}
    pages: Count = 0
    read_units: float
    throttles: dict[str, Count] = {}
    """counts by the reason that DynamoDB gave"""
    cost_usd: dict[str, float]
    seconds: float
    """from the plan to the last day; over all attempts, if the run was resumed"""
    max_concurrency: Count = 0
    limited_by: str = ""
    """the reason for `max_concurrency`"""
    warnings: list[str] = []
    """sentences"""

    def __post_init__(self) -> None:
        """Raises ValueError for values that no run can have."""
        if "total" not in self.cost_usd:
            raise ValueError("cost_usd has no total")
        check_figures(*self.totals.values(), self.seconds, self.read_units, *self.cost_usd.values())
        if self.total_fare is not msgspec.UNSET:
            check_figures(self.total_fare)


class ManifestDay(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a day, and the run's own figures of it, even if another run's are published.

    In the document the KPIs are members of the day itself. Sums, averages, minima and maxima are
    Strings, of the characters that `kpi.json` has. Without items of the day they are null.
    Manifests of earlier versions lack the fields that have a default.
    """

    date: datetime.date
    outcome: str
    """one of `publication.Outcome`, in manifests of this version"""
    sha256: str | None
    """SHA-256 of the day's kpi.json, if this run's figures are published"""
    kpis: dict[str, Figure | None] = {}
    """the figures by name, in the definition's order"""
    open: bool = False
    """whether the day ends after the run's plan"""
    published_trip_count: Count | None = None
    """the published count before, if the run has fewer items"""

    def __post_init__(self) -> None:
        """Raises ValueError for figures that no run can have."""
        check_figures(*(figure for figure in self.kpis.values() if figure is not None))


class ManifestBreakdownDay(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the object of a breakdown for one day."""

    date: datetime.date
    outcome: str
    sha256: str | None
    """SHA-256 of the object, if this run's figures are published"""
    groups: Count | None = None
    """groups in the run; None if it has no items of the day"""
    published_trip_count: Count | None = None


class ManifestSegment(msgspec.Struct, frozen=True, kw_only=True):
    """What the run read in one segment, and the objects with its rejected trips."""

    segment: Count
    parts: Count
    invocations: Count
    """distinct invocations that appended to it"""
    pages: Count
    scanned: Count
    incomplete: Count
    rejected: dict[str, Count]
    excluded: Count = 0
    counted: Count
    read_units: float
    throttles: dict[str, Count] = {}
    worker_ms: Count
    quarantine_keys: list[str]

    def __post_init__(self) -> None:
        """Raises ValueError for a figure that no run can have."""
        check_figures(self.read_units)


_Moment = Annotated[datetime.datetime, msgspec.Meta(tz=True)]


class Manifest(Summary, frozen=True, kw_only=True):
    """``runs/run=<run_id>/manifest.json``: the proof of a finished run."""

    schema_version: int = 0
    code_version: str
    table_arn: str
    table_id: str
    plan_sha256: str = ""
    definition_sha256: str = ""
    planned_at: _Moment
    finished_at: _Moment
    days: list[ManifestDay]
    breakdowns: dict[str, list[ManifestBreakdownDay]] = {}
    """the days by the breakdown's name"""
    by_segment: list[ManifestSegment]

    def to_bytes(self) -> bytes:
        """Returns one line, as Athena's JSON SerDe needs it."""
        document = _builtins(self)
        document["days"] = [_with_kpis_as_members(day) for day in document["days"]]
        return (json.dumps(document, default=_text, separators=(",", ":")) + "\n").encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> "Manifest":
        """Inverts `to_bytes`. Raises msgspec.DecodeError for what is no manifest."""
        document = msgspec.json.decode(body, type=dict[str, Any])
        days = document.get("days")
        if isinstance(days, list):
            document["days"] = [_with_kpis_apart(day) for day in days]
        return msgspec.convert(document, cls, builtin_types=())


_DAY_FIELDS = frozenset(ManifestDay.__struct_fields__) - {"kpis"}


def _with_kpis_as_members(day: dict[str, Any]) -> dict[str, Any]:
    """Moves the KPIs from their field to the place of that field."""
    members: dict[str, Any] = {}
    for name, value in day.items():
        members |= value if name == "kpis" else {name: value}
    return members


def _with_kpis_apart(day: Any) -> Any:
    """Inverts `_with_kpis_as_members`."""
    if not isinstance(day, dict):
        return day
    fields = {name: value for name, value in day.items() if name in _DAY_FIELDS}
    kpis = {name: value for name, value in day.items() if name not in _DAY_FIELDS}
    return fields | {"kpis": kpis}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A run that has published every day."""

    plan: Plan
    proof: "Proof"
    figures: Published
    publication: Publication
    """the publication of the days"""
    breakdowns: Mapping[str, Publication]
    """the publications by the breakdown's name"""
    finished_at: datetime.datetime

    @property
    def seconds(self) -> float:
        """Returns the seconds from the plan to the last day; over all attempts, if the run was
        resumed."""
        return round(
            (
                self.finished_at - datetime.datetime.fromisoformat(self.plan.planned_at)
            ).total_seconds(),
            3,
        )

    @property
    def totals(self) -> dict[str, Decimal]:
        """Returns the totals of the KPIs that can be added up over all days, by name."""
        totals: dict[str, Decimal] = {}
        for kpi in self.plan.definition.kpis:
            if kpi.function in {Function.COUNT, Function.SUM}:
                total = Decimal(0)
                for day in self.figures.days:
                    total = EXACT.add(total, Decimal(day.kpis[kpi.name]))
                totals[kpi.name] = total
        return totals

    @property
    def days_published(self) -> int:
        """Returns the number of days that this run has written."""
        return sum(outcome is Outcome.PUBLISHED for outcome in self.publication.outcomes.values())

    @property
    def warnings(self) -> tuple[str, ...]:
        """Returns the warnings of the plan, and of everything that was published."""
        published = (self.publication, *self.breakdowns.values())
        of_published = dict.fromkeys(one for of in published for one in of.warnings)
        return (*self.plan.warnings, *of_published)

    @property
    def cost(self) -> Cost:
        segments = self.proof.segments
        return cost(
            read_units=self.proof.counts.read_units,
            gb_seconds=sum(segment.gb_seconds for segment in segments),
            segments=len(segments),
            invocations=sum(segment.invocations for segment in segments),
            parts=sum(segment.parts for segment in segments),
            days=len(self.figures.days) * (1 + len(self.figures.breakdowns)),
            usd_per_read_unit=self.plan.estimate.usd_per_read_unit,
            exported_bytes=self._exported_bytes,
        )

    @property
    def _exported_bytes(self) -> int:
        """Returns the bytes of the export that the run itself has made: other exports are paid for
        already."""
        export = self.plan.export
        return export.billed_bytes if export and self.plan.makes_export else 0


def summary(run: Finished) -> dict[str, Any]:
    """Returns MergePartials' output: a Summary as JSON values."""
    found: dict[str, Any] = json.loads(
        json.dumps(_builtins(Summary(**_summary(run))), default=_text)
    )
    return found


def _summary(run: Finished) -> dict[str, Any]:
    counts, days = run.proof.counts, Counter(run.publication.outcomes.values())
    segments, shrank = run.proof.segments, sorted(run.publication.shrank.items())
    now = {day.day: day.items for day in run.figures.days}
    totals = run.totals
    return {
        "run_id": run.plan.run_id,
        **{f"days_{outcome}": days[outcome] for outcome in Outcome},
        "days_open": len(run.publication.open_days),
        "open_days": sorted(run.publication.open_days)[-_DAYS_LISTED:],
        "days_shrank": len(shrank),
        "shrank_days": [
            ShrunkDay(date=day, published=published, now=now[day])
            for day, published in shrank[-_DAYS_LISTED:]
        ],
        "trips": counts.counted,
        **({"total_fare": totals["total_fare"]} if "total_fare" in totals else {}),
        "totals": totals,
        "definition": run.plan.kpi_definition.name,
        "source": run.plan.source,
        "export_arn": None if run.plan.export is None else run.plan.export.export_arn,
        "as_of": datetime.datetime.fromisoformat(run.plan.as_of),
        "segments": len(segments),
        "parts": sum(segment.parts for segment in segments),
        "invocations": sum(segment.invocations for segment in segments),
        "segments_by_invocations": {
            str(invocations): of_segments
            for invocations, of_segments in sorted(
                Counter(segment.invocations for segment in segments).items()
            )
        },
        **counts.to_json(),
        "cost_usd": run.cost.to_json(),
        "seconds": run.seconds,
        "max_concurrency": run.plan.max_concurrency,
        "limited_by": run.plan.limited_by,
        "warnings": list(run.warnings),
    }


def measured(run: Finished) -> Mapping[Measure, float]:
    """Returns the metrics of a run that has published its days, for the dashboard."""
    pages = [segment.counts.pages for segment in run.proof.segments]
    return {
        Measure.INVOCATIONS_PER_SEGMENT: max(one.invocations for one in run.proof.segments),
        Measure.SEGMENT_SKEW: max(pages) / (sum(pages) / len(pages)),
        Measure.COST_USD: run.cost.total,
        Measure.DAYS_PUBLISHED: run.days_published,
    }


def manifest(run: Finished) -> Manifest:
    """Returns the run's manifest."""
    plan, publication = run.plan, run.publication
    figures = {day.day: day for day in run.figures.days}
    return Manifest(
        **_summary(run),
        schema_version=plan.schema_version,
        code_version=__version__,
        table_arn=plan.table_arn,
        table_id=plan.table_id,
        plan_sha256=plan.sha256,
        definition_sha256=plan.kpi_definition.sha256,
        planned_at=datetime.datetime.fromisoformat(plan.planned_at),
        finished_at=run.finished_at,
        days=[
            _day(day, outcome, figures.get(day), publication, plan.definition)
            for day, outcome in sorted(publication.outcomes.items())
        ],
        breakdowns={
            name: _breakdown(run.figures.breakdowns[name], of)
            for name, of in run.breakdowns.items()
        },
        by_segment=[
            ManifestSegment(
                segment=segment.segment,
                parts=segment.parts,
                invocations=segment.invocations,
                worker_ms=segment.worker_ms,
                quarantine_keys=list(segment.quarantine_keys),
                **segment.counts.to_json(),
            )
            for segment in run.proof.segments
        ],
    )


def _day(
    day: datetime.date,
    outcome: Outcome,
    figures: DayKpis | None,
    publication: Publication,
    definition: Definition,
) -> ManifestDay:
    nothing: dict[str, Figure | None] = dict.fromkeys(kpi.name for kpi in definition.kpis)
    return ManifestDay(
        date=day,
        outcome=str(outcome),
        sha256=publication.digests.get(day),
        kpis=nothing if figures is None else dict(figures.kpis),
        open=day in publication.open_days,
        published_trip_count=publication.shrank.get(day),
    )


def _breakdown(
    days: Sequence[BreakdownDay], publication: Publication
) -> list[ManifestBreakdownDay]:
    groups = {day.day: day.groups for day in days}
    return [
        ManifestBreakdownDay(
            date=day,
            outcome=str(outcome),
            sha256=publication.digests.get(day),
            groups=groups.get(day),
            published_trip_count=publication.shrank.get(day),
        )
        for day, outcome in sorted(publication.outcomes.items())
    ]


def _builtins(document: msgspec.Struct) -> Any:
    """Converts the document to values that `json.dumps` writes with `default=_text`."""
    return msgspec.to_builtins(document, builtin_types=(Decimal, datetime.datetime))


def _text(value: Decimal | datetime.datetime) -> str:
    """Formats numbers without trailing zeros, and times with microseconds and an offset."""
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat(timespec="microseconds")
