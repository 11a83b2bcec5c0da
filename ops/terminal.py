"""The terminal: whatever is printed there, no value can give it a command."""

from typing import IO, Any

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.segment import Segment

from ops.figures import visible


def terminal(*, stderr: bool = False, file: IO[str] | None = None, **more: Any) -> Console:
    """The only kind of console that the commands print on.

    Values come from tables, files, objects and error messages. Their control characters, with which
    they could move the cursor, hide lines or set the clipboard, are shown by their numbers. Square
    brackets and colons are no markup and no emoji.
    """
    console = Console(stderr=stderr, file=file, markup=False, emoji=False, highlight=False, **more)
    console.push_render_hook(_ControlsAreShown())
    return console


class _ControlsAreShown(RenderHook):
    """Goes around everything that is printed. What rich itself does with the terminal, colours and
    the cursor, is not text and passes."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Shown(one) for one in renderables]


class _Shown:
    def __init__(self, renderable: ConsoleRenderable) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                text = "\n".join(map(visible, segment.text.split("\n")))
                yield Segment(text, segment.style)
