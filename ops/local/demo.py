"""The demo: a made-up month, run, with one segment broken if wanted, and compared with the figures
that it was made from."""

import json
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from ops.embedded.scan_layers import ScanRequest, scans_denied_where
from ops.embedded.server import Middleware, layered
from ops.local.local_stack import Where
from ops.local.made_up_trips import MadeUpMonth
from ops.local.run import Follower, rerun, run
from ops.local.run_source import TableOfTrips
from ops.runs.day_kpis import day_of, kpi_files
from ops.runs.execution import EndedExecution

PAGE_BYTES = 6_000
"""small, so that a segment of the demo has several pages; in DynamoDB a page has 1 MB"""
PAGES_BEFORE = 2
"""pages that the broken segment reads, and that are lost"""


def run_month(
    month: MadeUpMonth, out: Path, *, segments: int, follower: Follower
) -> EndedExecution:
    """Runs the month; raises what `ops.local.run.run` raises."""
    return _run(month, out, segments, Where(), follower)


def break_month(
    month: MadeUpMonth, out: Path, *, segments: int, broken: int, follower: Follower
) -> EndedExecution:
    """As `run_month`, but the segment `broken` fails after PAGES_BEFORE pages: DynamoDB refuses the
    next one and S3 what is to be appended, as when a role loses its permissions meanwhile."""
    denied = layered(_scans_denied(broken), _appends_denied(broken))
    where = Where(middleware=denied, page_bytes=PAGE_BYTES)
    return _run(month, out, segments, where, follower)


def resume_month(run_id: str, out: Path, *, follower: Follower) -> EndedExecution:
    """Resumes the broken run, with all permissions."""
    return rerun(run_id, out=out, parameters={}, where=Where(), follower=follower)


def differing_days(month: MadeUpMonth, out: Path) -> list[str]:
    """Returns the days with a figure in `out` that is not exactly the expected one, and unexpected
    days."""
    published = {
        day_of(file): json.loads(file.read_bytes(), parse_float=Decimal) for file in kpi_files(out)
    }
    known = {
        day.isoformat(): (day_.trip_count, day_.total_fare, day_.min_fare, day_.max_fare)
        for day, day_ in month.days.items()
    }
    figures = {
        day: (
            kpi["trip_count"],
            *(Fraction(kpi[name]) for name in ("total_fare", "min_fare", "max_fare")),
        )
        for day, kpi in published.items()
    }
    return sorted(
        day for day in known.keys() | figures.keys() if known.get(day) != figures.get(day)
    )


def _run(
    month: MadeUpMonth, out: Path, segments: int, where: Where, follower: Follower
) -> EndedExecution:
    return run(
        TableOfTrips(month.trips),
        out=out,
        execution_input={"total_segments": segments},
        parameters={},
        where=where,
        follower=follower,
        fresh=True,
    )


def _scans_denied(segment: int) -> Middleware:
    read = 0

    def denied(scan: ScanRequest) -> bool:
        nonlocal read
        if scan.segment != segment:
            return False
        read += 1
        return read > PAGES_BEFORE

    return scans_denied_where(denied)


def _appends_denied(segment: int) -> Middleware:
    """Answers a write to the segment's log with S3's error for a caller without permission."""

    def layer(application: WSGIApplication) -> WSGIApplication:
        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            is_append = (
                environ["REQUEST_METHOD"] == "PUT"
                and "/staging/" in environ["PATH_INFO"]
                and f"/segment={segment:05d}/" in environ["PATH_INFO"]
            )
            if not is_append:
                return application(environ, start_response)
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response("403 Forbidden", [("Content-Type", "application/xml")])
            return [b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"]

        return answer

    return layer
