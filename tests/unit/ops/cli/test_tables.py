"""Tables are drawn on a terminal that is wide enough; nowhere is anything cut off."""

import io

import pytest
from rich.console import Console

from ops.cli.tables import Column, show_table

COLUMNS = (Column("run"), Column("trips", is_number=True))
RUN_ID = "run-" + "x" * 76
ROWS = [[RUN_ID, "1,234,567"], ["b", "7"]]


def shown(width: int, *, terminal: bool) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=terminal, color_system=None)
    show_table(console, "Runs", COLUMNS, ROWS)
    return file.getvalue()


@pytest.mark.parametrize("width", [20, 80, 200])
@pytest.mark.parametrize("terminal", [False, True])
def test_every_value_is_whole_in_any_width(width: int, terminal: bool) -> None:
    lines = [line for line in shown(width, terminal=terminal).splitlines() if RUN_ID in line]
    assert len(lines) == 1
    assert "1,234,567" in shown(width, terminal=terminal)


def test_without_a_terminal_columns_stand_below_each_other() -> None:
    title, *lines = shown(20, terminal=False).splitlines()
    assert title == "Runs"
    assert lines == [
        f"run{' ' * 77}      trips",
        f"{RUN_ID}  1,234,567",
        f"b{' ' * 79}          7",
    ]


def test_a_narrow_terminal_gets_a_block_of_lines_for_each_row() -> None:
    assert shown(80, terminal=True).splitlines()[1:4] == [
        "",
        f"run    {RUN_ID}",
        "trips  1,234,567",
    ]
    assert "──" in shown(200, terminal=True)


def test_what_a_terminal_would_obey_is_shown_by_its_number() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=False)
    evil = "\x1b]0;taken over\x07 \x9b31m \u202egnp.exe\n[bold]Zürich 東京"
    show_table(console, "Trips", [Column("trip")], [[evil]])
    assert file.getvalue() == (
        "Trips\ntrip\n"
        r"\u001b]0;taken over\u0007 \u009b31m \u202egnp.exe\u000a[bold]Zürich 東京"
        "\n"
    )
