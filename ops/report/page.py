"""Creates the page: the report as one HTML file that needs no other file."""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ops.report.charts import charts, kpi_columns
from ops.report.days import Day
from ops.report.groups import MOST_CHARACTERS, ByGroup
from ops.report.rejected import EXAMPLES, RejectedFor
from ops.report.timeline import Timeline
from ops.runs import figures
from ops.runs.finished_run import FinishedRun, without_count
from ops.runs.marked_days import MarkedDays

SEGMENTS_SHOWN = 400
"""A run may have 10,000. Those that took the most time are shown."""

_SCRIPTS = ("chart.js", "days.js", "groups.js", "segments.js", "tables.js", "theme.js")
"""one after the other, they are one script"""

EMBEDDED_ACCOUNT = "123456789012"
"""of the embedded AWS; AWS gives it to nobody"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that the page shows."""

    run: FinishedRun
    days: tuple[Day, ...]
    groups: tuple[ByGroup, ...]
    rejected: tuple[RejectedFor, ...]
    timeline: Timeline
    executions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A decimal number in a column."""

    exact: str
    short: str
    """with two decimal places"""
    fill: str
    """what `exact` lacks to have as many decimal places as the longest of its column"""


def page(report: Report) -> str:
    """Returns the HTML.

    The page's own policy lets no script run but the one that it names by its hash, and nothing be
    loaded from anywhere: what a trip's attributes hold stays text.
    """
    script = "\n".join(map(_asset, _SCRIPTS))
    run = report.run
    pauses = report.timeline.pauses(run, attempts=len(report.executions))
    paused = sum((one.ended - one.began for one in pauses), timedelta())
    slowest = sorted(run.segments, key=lambda segment: -segment.worker_ms)[:SEGMENTS_SHOWN]
    segments = sorted(slowest, key=lambda segment: segment.segment)
    shown = {segment.segment for segment in segments}
    spans = [one for one in report.timeline.spans if one.segment in shown]
    kpis = kpi_columns(run, report.days)
    shown_charts = charts(run, report.days)
    template = _environment().get_template("page.html")
    return template.render(
        run=run,
        report=report,
        marked=MarkedDays.of_run(run),
        segments=segments,
        spans=spans,
        kpis=kpis,
        counting=run.counting,
        charts=shown_charts,
        day_rows=list(zip(report.days, _figures(report.days, kpis), strict=True)),
        totals=without_count(run.totals, run.counted),
        segment_rows=_rows(
            segments,
            (segment.read_units for segment in segments),
            (figures.seconds(segment.worker_ms) for segment in segments),
        ),
        cost=_dollars(run.cost_usd["total"]),
        examples=EXAMPLES,
        cost_rows=_rows(run.cost_usd, run.cost_usd.values()),
        figures=figures,
        style=_asset("page.css"),
        script=script,
        script_hash=_source_hash(script),
        is_local=f":{EMBEDDED_ACCOUNT}:" in run.table_arn,
        as_of_what=_as_of_what(run),
        paused=_lasting(paused) if paused else "",
        running=_lasting(run.finished_at - run.planned_at - paused),
        drawn={
            "days": [
                one.drawn({kpi: n for n, kpi in enumerate(kpis, start=1)}) for one in shown_charts
            ],
            "breakdowns": _breakdowns(report),
            "spans": [
                (
                    *(one.segment, one.turn, one.began.isoformat(timespec="milliseconds")),
                    *(one.seconds, one.scanned, one.parts),
                )
                for one in spans
            ],
            "segments": [(segment.segment, segment.worker_ms) for segment in segments],
            "pauses": [
                (one.began.isoformat(), one.ended.isoformat(), _lasting(one.ended - one.began))
                for one in pauses
            ],
        },
    )


def _rows(of: Iterable[Any], *columns: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    """Returns the rows of a table: what each is about, and its figures."""
    return zip(of, *map(column, columns), strict=True)


def _figures(days: Sequence[Day], kpis: Sequence[str]) -> list[dict[str, Figure]]:
    """Returns the figures of each day, by KPI."""
    columns = {kpi: column([day.figures.get(kpi, "") for day in days]) for kpi in kpis}
    return [{kpi: columns[kpi][n] for kpi in kpis} for n in range(len(days))]


def _breakdowns(report: Report) -> list[dict[str, Any]]:
    """Returns the breakdowns that have groups; their charts have the period of the days."""
    found = [one for one in report.groups if one.largest] if report.days else []
    return [one.drawn(MOST_CHARACTERS // len(found)) for one in found]


def _as_of_what(run: FinishedRun) -> str:
    """Returns how exact the as-of time is; empty for a scan, which has no instant."""
    if run.source != "export":
        return ""
    return ", exactly" if run.export_arn else ", at the latest"


def _lasting(time: timedelta) -> str:
    return figures.lasting(str(time.total_seconds()))


def _dollars(usd: str) -> str:
    return f"${figures.short(usd)}" if Decimal(usd) >= Decimal("0.01") else "under $0.01"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("ops.report", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def column(numbers: Iterable[str]) -> list[Figure]:
    """Formats the figures of one column of a table."""
    parted = [(exact, *exact.partition(".")[1:]) for exact in numbers]
    places = max((len(fraction) for _, _, fraction in parted), default=0)
    return [
        Figure(
            exact=exact,
            short=figures.short(exact) if exact else "",
            fill=""
            if not places or not exact
            else ("" if point else ".") + "0" * (places - len(fraction)),
        )
        for exact, point, fraction in parted
    ]


def _asset(name: str) -> str:
    return (files("ops.report") / "assets" / name).read_text(encoding="utf-8")


def _source_hash(script: str) -> str:
    """Returns the hash by which Content-Security-Policy names a script in the page."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
