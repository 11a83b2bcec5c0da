"""The terminal to which commands write: nothing from a table or a bucket can control it."""

import json
import sys
from collections.abc import Iterable
from typing import NoReturn

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook
from rich.measure import Measurement
from rich.segment import Segment

from ops.runs.execution import EndedExecution
from ops.runs.figures import visible


def console(*, stderr: bool = False) -> Console:
    """Returns a console that shows control characters by their numbers, and interprets no markup.

    Values, keys, run ids and errors come from a table, a bucket or an account, where others may
    have put anything into them: a sequence that moves the cursor, or that renames the window.
    """
    made = Console(stderr=stderr, markup=False, emoji=False)
    made.push_render_hook(_OnlyVisible())
    return made


def say(console: Console, line: str) -> None:
    """Prints a line without changes."""
    console.print(line, highlight=False, soft_wrap=True, markup=False)


def remark(line: str) -> None:
    """Prints a line on standard error, because it is not a result of the command."""
    say(console(stderr=True), line)


def end(ended: EndedExecution, *, as_json: bool) -> NoReturn:
    """Exits with 0 for a run that succeeded and 1 for one that failed."""
    if as_json:
        print(json.dumps(ended.summary_to_json()), flush=True)
    sys.exit(0 if ended.succeeded else 1)


class _OnlyVisible(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Visible(one) for one in renderables]


class _Visible:
    """Text for the console without control characters; rich's own control codes stay."""

    def __init__(self, shown: RenderableType) -> None:
        self._shown = shown

    def __rich_console__(self, on: Console, options: ConsoleOptions) -> Iterable[Segment]:
        for segment in on.render(self._shown, options):
            if segment.control:
                yield segment
            else:
                lines = map(visible, segment.text.split("\n"))
                yield Segment("\n".join(lines), segment.style)

    def __rich_measure__(self, on: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(on, options, self._shown)
