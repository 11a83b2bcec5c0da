"""Whatever a value has in it, a terminal shows it and does nothing."""

import io
import re
from pathlib import Path

import pytest
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ops.cli.terminal import console

ROOT = Path(__file__).resolve().parents[4]
EVIL = "a\x1b]0;renamed\x07b\x1b[2Jc\r\u202ed\x9b31m"
SHOWN = (r"a\u001b]0;renamed", r"b\u001b[2Jc", r"\u202ed")


def table() -> Table:
    made = Table(title=EVIL)
    made.add_column("column", no_wrap=True)
    made.add_row(Text(EVIL))
    return made


@pytest.mark.parametrize(
    "renderable",
    [EVIL, Text(EVIL), Panel(Text(EVIL)), table()],
    ids=["text", "Text", "Panel", "Table"],
)
@pytest.mark.parametrize("is_terminal", [False, True])
def test_control_characters_are_shown_by_their_numbers(
    renderable: object, is_terminal: bool
) -> None:
    on = console()
    on.file, on._force_terminal, on.width = io.StringIO(), is_terminal, 200
    on.print(renderable, markup=False)
    written = on.file.getvalue()
    of_rich = re.sub(r"\x1b\[[0-9;]*m", "", written) if is_terminal else written
    assert not set(of_rich) & {"\x1b", "\x07", "\r", "\u202e", "\x9b"}
    assert all(part in of_rich for part in SHOWN)


def test_every_command_writes_to_such_a_console() -> None:
    found = [
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "ops").rglob("*.py")
        if re.search(r"\bConsole\(", file.read_text(encoding="utf-8"))
    ]
    assert found == ["ops/cli/terminal.py"]


def test_square_brackets_and_colons_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """A value with a closing tag would raise an error, one with a link would be one."""
    console().print("[link=http://x]a[/link] [/b] :warning:", soft_wrap=True)
    assert capsys.readouterr().out == "[link=http://x]a[/link] [/b] :warning:\n"
