"""Tables for people: drawn on a terminal, plain lines elsewhere; nothing is truncated."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.cli.terminal import say
from ops.runs.figures import visible


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and the format of the column below it."""

    heading: str
    is_number: bool = False


def show_table(
    console: Console, title: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]
) -> None:
    """Shows a table; if the terminal is too narrow for it, a block of lines for each row."""
    shown = [[visible(cell) for cell in row] for row in rows]
    table = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, pad_edge=False
    )
    for column in columns:
        table.add_column(
            column.heading, justify="right" if column.is_number else "left", no_wrap=True
        )
    for row in shown:
        table.add_row(*map(Text, row))
    if not console.is_terminal:
        _plain(console, title, columns, shown)
    elif is_shown_whole(console, table):
        console.print(table)
    else:
        _blocks(console, title, columns, shown)


def is_shown_whole(console: Console, table: Table) -> bool:
    """Returns whether the table fits, so that no cell is wrapped or truncated."""
    wide = console.options.update(width=10_000)
    return console.measure(table, options=wide).maximum <= console.width


def _plain(
    console: Console, title: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]
) -> None:
    say(console, title)
    for line in _aligned(columns, [[column.heading for column in columns], *rows]):
        say(console, line)


def show_headed_rows(
    console: Console, title: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]
) -> None:
    """Shows a table of plain lines. Where it is too wide for them, the first cell of each row has a
    line of its own, above the others."""
    shown = [
        [column.heading for column in columns],
        *([visible(cell) for cell in row] for row in rows),
    ]
    lines = _aligned(columns, shown)
    if max(map(len, lines)) > console.width:
        rest = _aligned(columns[1:], [row[1:] for row in shown])
        lines = [
            line for row, cells in zip(shown, rest, strict=True) for line in (row[0], f"  {cells}")
        ]
    for line in (title, *lines):
        say(console, line.rstrip())


def _aligned(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[n]) for row in rows) for n in range(len(columns))]
    return [
        "  ".join(
            cell.rjust(width) if column.is_number else cell.ljust(width)
            for cell, width, column in zip(row, widths, columns, strict=True)
        ).rstrip()
        for row in rows
    ]


def _blocks(
    console: Console, title: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]
) -> None:
    widest = max(len(column.heading) for column in columns)
    say(console, title)
    for row in rows:
        say(console, "")
        for column, cell in zip(columns, row, strict=True):
            if cell:
                say(console, f"{column.heading.ljust(widest)}  {cell}")
