"""The demo of a run that fails in one segment, of what the operator sees then, and of going on."""

import json
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from ops.demo import SEGMENTS, announced_month, show_comparison
from ops.embedded.scan_layers import scans_denied_where
from ops.follow import Follower
from ops.local_stack import Where
from ops.outcome import Outcome
from ops.run import rerun, run
from ops.show import rerun_command, show_outcome, show_pages

PAGE_BYTES = 6_000
"""so that a segment of the demo has several pages; in DynamoDB a page has 1 MB"""


def show_broken_demo(console: Console, out: Path, segment: int) -> bool:
    """Lets `segment` break at its second page, as when a role loses its permission meanwhile, and
    then goes on with the run. Did all come about as it should: the run failed by that segment and
    published nothing, the re-run finished it, and the figures are exactly the known ones?
    """
    month = announced_month(console)
    _say(
        console,
        f"In segment {segment} of {SEGMENTS} DynamoDB will refuse every page but the first, as if "
        "the function's role had lost its permission in the middle of the run.",
    )
    denied = scans_denied_where(lambda scan: scan.segment == segment and scan.start_key is not None)
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
        _say(console, "That is not how the run was to end.", "bold red")
        return False
    _say(
        console,
        f"Nothing lies under {out}/kpis/. {broken.pages.read:,} pages of the table were read.\n",
    )
    console.print(Panel(_what_to_do(broken, out), title="what to do", border_style="green"))
    _say(console, f"The permission is back. Going on with the run:\n  {rerun_command(broken, out)}")
    with Follower(console) as follower:
        finished = rerun(broken.run_id, out=out, follower=follower)
    show_outcome(console, finished, out)
    show_pages(console, finished)
    return finished.succeeded and show_comparison(console, month, out)


def _failed_by(outcome: Outcome, segment: int) -> bool:
    failed = [child.input.get("segment") for child in outcome.failed_segments]
    return not outcome.succeeded and failed == [segment]


def _published(out: Path) -> bool:
    return any((out / "kpis").glob("date=*/kpi.json"))


def _what_to_do(broken: Outcome, out: Path) -> Text:
    again = json.dumps({"run_id": broken.run_id})
    return Text.assemble(
        "In AWS, once the cause is mended, there are two ways. Neither reads again what a segment "
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
