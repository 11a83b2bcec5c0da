"""The demo of a run that fails in one segment, of what the operator sees then, and of going on."""

import json
from collections.abc import Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from ops.cli.demo_month import SEGMENTS, announced_month, show_comparison
from ops.cli.follow import Follower
from ops.cli.screens import show_outcome, show_pages
from ops.embedded.scan_layers import ScanRequest, scans_denied_where
from ops.embedded.server import Middleware, layered
from ops.local.local_stack import Where
from ops.local.run import rerun, run
from ops.runs.next_steps import rerun_command
from ops.runs.outcome import Outcome

PAGE_BYTES = 6_000
"""so that a segment of the demo has several pages; in DynamoDB a page has 1 MB"""
_PAGES_BEFORE = 2
"""that the broken segment reads"""


def show_broken_demo(console: Console, out: Path, segment: int) -> bool:
    """Lets `segment` break after two pages, which are lost, as when a role loses its permissions
    meanwhile, and then resumes the run. Did all come about as it should: the run failed by
    that segment and published nothing, the re-run finished it and read just the lost pages again,
    and the figures are exactly the known ones?
    """
    month = announced_month(console)
    _say(
        console,
        f"In segment {segment} of {SEGMENTS}, once two pages are read, DynamoDB will refuse the "
        "next one and S3 what is to be appended, as if the function's role had lost its "
        "permissions in the middle of the run.",
    )
    denied = layered(_scans_denied(segment), _appends_denied(segment))
    with Follower(console) as follower:
        broken = run(
            month.trips,
            out=out,
            execution_input={"total_segments": SEGMENTS},
            parameters={},
            where=Where(middleware=denied, page_bytes=PAGE_BYTES),
            follower=follower,
        )
    show_outcome(console, broken, out)
    if not _failed_by(broken, segment) or _published(out):
        _say(console, "The run did not end as expected.", "bold red")
        return False
    _say(
        console,
        f"Nothing is under {out}/kpis/. {broken.pages.read:,} pages of the table were read.\n",
    )
    console.print(Panel(_what_to_do(broken, out), title="what to do", border_style="green"))
    command = rerun_command(broken.run_id, out)
    _say(console, f"The permissions are restored. Resuming the run:\n  {command}")
    with Follower(console) as follower:
        finished = rerun(broken.run_id, out=out, parameters={}, where=Where(), follower=follower)
    show_outcome(console, finished, out)
    show_pages(console, finished)
    lost = finished.pages.again == _PAGES_BEFORE
    return finished.succeeded and show_comparison(console, month, out) and lost


def _scans_denied(segment: int) -> Middleware:
    read = 0

    def denied(scan: ScanRequest) -> bool:
        nonlocal read
        if scan.segment != segment:
            return False
        read += 1
        return read > _PAGES_BEFORE

    return scans_denied_where(denied)


def _appends_denied(segment: int) -> Middleware:
    """Answers a write to the segment's log as S3 answers whom no policy allows it."""

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


def _failed_by(outcome: Outcome, segment: int) -> bool:
    failed = [child.segment for child in outcome.failed_segments]
    return not outcome.succeeded and failed == [segment]


def _published(out: Path) -> bool:
    return any((out / "kpis").glob("date=*/kpi.json"))


def _what_to_do(broken: Outcome, out: Path) -> Text:
    again = json.dumps({"run_id": broken.run_id})
    return Text.assemble(
        "In AWS, once the cause is fixed, there are two ways. Neither reads again what a segment "
        "has appended to its log.\n\n",
        ("1. Redrive", "bold"),
        " (within 14 days): in the console, open the failed execution and press Redrive. It runs "
        "again the segments that failed or were aborted, then the merge.\n\n",
        ("2. New execution", "bold"),
        " (at any time, after a redeployment too): start the state machine with the input\n\n",
        (f"{again}\n\n", "bold"),
        "Segments that are finished cost one small read each. The embedded AWS has no Redrive; "
        "this second way is the one that is shown now.",
    )


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style), soft_wrap=True)
