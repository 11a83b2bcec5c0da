"""The published KPIs as one table: a row for each day, or for each group of a breakdown."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

from ops.atomic_write import atomic_file
from ops.runs.day_kpis import (
    GroupKpis,
    breakdown_files,
    day_of,
    kpi_files,
    kpi_names,
    read_groups,
    read_kpis,
)
from ops.runs.errors import ResultsError
from ops.runs.export import never_computed, written_by

_DIGITS, _PLACES = 38, 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """A period of days, ISO 8601, with its first and last day; None: no limit on that side."""

    first: str | None = None
    last: str | None = None

    def __contains__(self, day: str) -> bool:
        return (self.first or day) <= day <= (self.last or day)


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiTable:
    """The published KPIs in the order of the days and, within a day, of its object."""

    breakdown: str | None
    """the breakdown's name; None: the days"""
    rows: tuple[GroupKpis, ...]
    counting: frozenset[str]
    """the KPIs that count items"""

    @property
    def attributes(self) -> list[str]:
        """Returns the names of the attributes of the groups."""
        return [*dict.fromkeys(name for row in self.rows for name in row.group)]

    @property
    def kpis(self) -> list[str]:
        return kpi_names(self.rows)

    def to_json(self) -> dict[str, Any]:
        """Returns the table for --json; figures that are not counts are text, as in the
        manifest."""
        return {
            "breakdown": self.breakdown,
            "rows": [
                {"date": row.date, "group": dict(row.group), "kpis": self._figures_of(row)}
                for row in self.rows
            ],
        }

    def _figures_of(self, row: GroupKpis) -> dict[str, int | str]:
        return {
            kpi: int(figure) if kpi in self.counting else row.text(kpi)
            for kpi, figure in row.kpis.items()
        }

    def write_csv(self, lines: TextIO) -> None:
        """Writes a CSV. Figures have all digits of the objects; an attribute that a group does not
        have is empty, which no value can be."""
        writer = csv.writer(lines, lineterminator="\n")
        attributes, kpis = self.attributes, self.kpis
        writer.writerow(["date", *map(never_computed, attributes), *kpis])
        for row in self.rows:
            group = [never_computed(row.group.get(name) or "") for name in attributes]
            writer.writerow([row.date, *group, *map(row.text, kpis)])

    def to_csv(self, file: Path) -> None:
        """Writes a CSV file."""
        with (
            written_by("--csv", file),
            atomic_file(file) as whole,
            TextIOWrapper(whole, encoding="utf-8", newline="") as lines,
        ):
            self.write_csv(lines)

    def to_parquet(self, file: Path) -> None:
        """Writes a Parquet file: counts are int64, other figures decimal128(38,18). Raises
        ResultsError where the file cannot be written, or a figure has more digits."""
        import pyarrow as pa
        from pyarrow import parquet

        exact = pa.decimal128(_DIGITS, _PLACES)
        columns = {"date": pa.array([date.fromisoformat(row.date) for row in self.rows])}
        columns["date"] = columns["date"].cast(pa.date32())
        for name in self.attributes:
            columns[name] = pa.array([row.group.get(name) for row in self.rows], pa.string())
        for kpi in self.kpis:
            figures = [row.kpis.get(kpi) for row in self.rows]
            if kpi in self.counting:
                counts = [None if one is None else int(one) for one in figures]
                columns[kpi] = pa.array(counts, pa.int64())
                continue
            try:
                columns[kpi] = pa.array(figures, exact)
            except pa.ArrowInvalid as error:
                raise ResultsError(
                    f"{kpi} has a figure with more digits than decimal({_DIGITS},{_PLACES}) holds: "
                    "write a CSV with --csv instead"
                ) from error
        with written_by("--parquet", file), atomic_file(file) as whole:
            parquet.write_table(pa.table(columns), whole)


def kpi_table(
    out: Path, *, breakdown: str | None, days: Days, counting: frozenset[str]
) -> KpiTable:
    """Returns the table of these days in `out`. `counting` names KPIs that count items; one of
    these names that has other figures does not. Raises DocumentError for an object that cannot be
    read."""
    rows: list[GroupKpis] = []
    for file in kpi_files(out) if breakdown is None else breakdown_files(out, breakdown):
        if day_of(file) in days:
            body, name = file.read_bytes(), str(file)
            rows += (
                [read_kpis(body, name=name)] if breakdown is None else read_groups(body, name=name)
            )
    whole = {kpi for kpi in counting if all(_is_whole(row.kpis.get(kpi)) for row in rows)}
    return KpiTable(breakdown=breakdown, rows=tuple(rows), counting=frozenset(whole))


def _is_whole(figure: Decimal | None) -> bool:
    return figure is None or figure == figure.to_integral_value()
