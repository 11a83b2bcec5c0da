"""The page: what the report shows, as one HTML file that needs nothing else."""

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from ops.report.days import Day
from ops.report.rejected import RejectedFor
from ops.report.timeline import Timeline
from ops.runs import figures
from ops.runs.finished_run import FinishedRun
from ops.runs.marked_days import MarkedDays

SEGMENTS_SHOWN = 400
"""A run may have 10,000. Those that took the most time are shown."""

_SCRIPTS = ("plot.js", "days.js", "segments.js", "tables.js", "theme.js")
"""one after the other, they are one script"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that the page tells."""

    run: FinishedRun
    days: tuple[Day, ...]
    rejected: tuple[RejectedFor, ...]
    timeline: Timeline
    executions: tuple[str, ...]


def page(report: Report) -> str:
    """The HTML.

    The page's own policy lets no script run but the two that it names by their hashes, and nothing
    be loaded from anywhere: what a trip's attributes hold stays text.
    """
    scripts = (get_plotlyjs(), "\n".join(map(_asset, _SCRIPTS)))
    run = report.run
    slowest = sorted(run.segments, key=lambda segment: -segment.worker_ms)[:SEGMENTS_SHOWN]
    segments = sorted(slowest, key=lambda segment: segment.segment)
    shown = {segment.segment for segment in segments}
    spans = [one for one in report.timeline.spans if one.segment in shown]
    template = _environment().get_template("page.html")
    return template.render(
        run=run,
        report=report,
        marked=MarkedDays.of_run(run),
        segments=segments,
        spans=spans,
        figures=figures,
        style=_asset("page.css"),
        scripts=scripts,
        script_hashes=" ".join(map(_source_hash, scripts)),
        drawn={
            "days": [
                (
                    *(d.date, d.trip_count, d.total_fare, d.average_fare, d.max_fare, d.min_fare),
                    d.is_open,
                )
                for d in report.days
            ],
            "spans": [
                (
                    *(one.segment, one.turn, one.began.isoformat(timespec="milliseconds")),
                    *(one.seconds, one.scanned, one.parts),
                )
                for one in spans
            ],
            "segments": [(segment.segment, segment.worker_ms) for segment in segments],
        },
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("ops.report", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _asset(name: str) -> str:
    return (files("ops.report") / "assets" / name).read_text(encoding="utf-8")


def _source_hash(script: str) -> str:
    """As Content-Security-Policy names a script that is in the page."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
