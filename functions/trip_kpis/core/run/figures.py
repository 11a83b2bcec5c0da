"""The figures that a day publishes: the KPIs of the day, and of every group of a breakdown.

The average is rounded here, nothing else anywhere.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol

from trip_kpis.core.definition.model import Breakdown, Definition, Function
from trip_kpis.core.items.numbers import EXACT, plain

if TYPE_CHECKING:  # PlanRun and ops have no Arrow
    import pyarrow as pa

_LARGEST_EXPONENT = 40
"""Figures have at most 20 digits before the point and 18 after it. A number with a huge exponent
would be written out with as many digits."""

Figure = int | Decimal
Row = Mapping[str, Any]
"""A row of combined partials: columns to values."""


class DayObject(Protocol):
    """An object that is published for a day."""

    @property
    def day(self) -> date: ...

    @property
    def items(self) -> int:
        """Returns the number of items that are counted in it."""

    def to_bytes(self) -> bytes:
        """Returns the body of the object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayKpis:
    """The KPIs of a day with at least one item."""

    day: date
    items: int
    kpis: Mapping[str, Figure]
    """the figures by name, in the definition's order"""

    @classmethod
    def of(cls, row: Row, definition: Definition) -> "DayKpis":
        return cls(
            day=row["date"], items=row[definition.items_column], kpis=figures(row, definition)
        )

    def to_bytes(self) -> bytes:
        """Returns the body of `kpi.json`: one line, with exact numbers without trailing zeros."""
        return f"{{{_members({'date': self.day.isoformat()}, self.kpis)}}}\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakdownDay:
    """The KPIs of every group of one breakdown on a day.

    The rows stay in Arrow until the body is asked for: a run may have two million of them.
    """

    day: date
    items: int
    rows: "pa.Table"
    breakdown: Breakdown
    definition: Definition

    @property
    def groups(self) -> int:
        return int(self.rows.num_rows)

    @classmethod
    def all_of(
        cls, rows: "pa.Table", breakdown: Breakdown, definition: Definition
    ) -> list["BreakdownDay"]:
        """Yields the days of a breakdown's rows, which are in order."""
        items = rows[definition.items_column].to_numpy()
        found: list[BreakdownDay] = []
        start = 0
        for run in rows["date"].combine_chunks().dictionary_encode().value_counts().to_pylist():
            length = run["counts"]
            found.append(
                cls(
                    day=run["values"],
                    items=int(items[start : start + length].sum()),
                    rows=rows.slice(start, length),
                    breakdown=breakdown,
                    definition=definition,
                )
            )
            start += length
        return found

    def to_bytes(self) -> bytes:
        """Returns the body of `kpis.jsonl`: one line per group."""
        lines = []
        for row in self.rows.to_pylist():
            group = {"date": self.day.isoformat()} | {
                name: row[column]
                for name, column in zip(
                    self.breakdown.attributes, self.breakdown.columns, strict=True
                )
            }
            lines.append(f"{{{_members(group, figures(row, self.definition))}}}\n")
        return "".join(lines).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Everything that a run has to publish."""

    days: Sequence[DayKpis]
    breakdowns: Mapping[str, Sequence[BreakdownDay]]
    """the days by the breakdown's name, in the definition's order"""


def figures(row: Row, definition: Definition) -> dict[str, Figure]:
    """Returns the KPIs of a row, by name."""
    items = row[definition.items_column]
    return {
        kpi.name: average(row[definition.column(kpi)], items)
        if kpi.function is Function.AVERAGE
        else row[definition.column(kpi)]
        for kpi in definition.kpis
    }


def average(total: Decimal, items: int) -> Decimal:
    """Returns the exact mean, rounded half-even to 6 decimal places."""
    # One division, rounded once: dividing to some precision first and rounding the quotient
    # afterwards can turn a value just off a tie into a tie.
    scaled = int(EXACT.scaleb(total, 18))
    divisor = items * 10**12
    quotient, remainder = divmod(scaled, divisor)
    twice = 2 * remainder
    if twice > divisor or (twice == divisor and quotient % 2 == 1):
        quotient += 1
    return Decimal(quotient).scaleb(-6, context=EXACT)


def digest(day: DayObject) -> str:
    """Returns the SHA-256 of a day's body."""
    return sha256(day.to_bytes()).hexdigest()


def check_figures(*values: Decimal | float) -> None:
    """Raises ValueError for a value that cannot be a figure of this program."""
    for value in values:
        figure = Decimal(str(value))
        exponent = figure.as_tuple().exponent
        if not isinstance(exponent, int) or not (
            exponent >= -_LARGEST_EXPONENT and figure.adjusted() <= _LARGEST_EXPONENT
        ):
            raise ValueError(f"{value} cannot be a figure of a run")


def _members(texts: Mapping[str, str | None], kpis: Mapping[str, Figure]) -> str:
    """Formats the members of a JSON object; numbers are exact, which floats would not be."""
    return ",".join(
        [
            *(f"{_quoted(name)}:{_quoted(text)}" for name, text in texts.items()),
            *(f'"{name}":{plain(Decimal(value))}' for name, value in kpis.items()),
        ]
    )


def _quoted(text: str | None) -> str:
    return json.dumps(text, ensure_ascii=False)
