"""The groups of a run's breakdowns, as many as the page has room for."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from typing import Any

from ops.runs.day_kpis import GroupKpis, breakdown_files, day_of, read_groups
from ops.runs.figures import heading, plain, shortened, words
from ops.runs.finished_run import FinishedRun
from ops.runs.staging_reader import read_plan
from ops.runs.storage import Directory
from trip_kpis.core.definition.model import Function
from trip_kpis.core.items.numbers import EXACT

MOST_GROUPS = 50
"""the most groups of a breakdown on the page"""

MOST_CHARACTERS = 1_200_000
"""characters of the figures of all breakdowns in the page; each breakdown has the same share"""

_LONGEST = 100
"""the most characters of a group's value"""

_Values = tuple[str | None, ...]
_Combine = Callable[[Decimal, Decimal], Decimal]

_OVER_DAYS: Mapping[Function, _Combine] = {
    Function.COUNT: EXACT.add,
    Function.SUM: EXACT.add,
    Function.MIN: min,
    Function.MAX: max,
}
"""how the figures of days are combined to the figure of all days; averages cannot be combined"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The figures of a group, as text."""

    values: _Values
    """values of the breakdown's attributes"""
    by_day: tuple[tuple[str, ...], ...]
    """for each KPI, the figure of each day; empty for a day without the group"""
    over_days: tuple[str, ...]
    """for each KPI, the figure of all days; empty if days cannot be combined"""

    def drawn(self) -> dict[str, Any]:
        """Returns the figures for the script. No figure has a comma."""
        return {
            "values": [None if one is None else shortened(one, _LONGEST) for one in self.values],
            "byDay": [",".join(of_kpi) for of_kpi in self.by_day],
            "overDays": self.over_days,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ByGroup:
    """A breakdown with its largest groups."""

    name: str
    attributes: tuple[str, ...]
    kpis: tuple[str, ...]
    size: str
    """the KPI that decides how large a group is"""
    counting: frozenset[str]
    days: tuple[str, ...]
    groups_by_day: tuple[int, ...]
    groups_in_all: int
    largest: tuple[Group, ...]
    """the groups, the largest first"""
    published: int
    """number of objects that the run published"""
    as_published: int
    """number of these objects whose bytes are still the same"""
    otherwise: int
    """number of objects that group by other attributes: they are left out"""

    def drawn(self, most_characters: int) -> dict[str, Any]:
        """Returns the largest groups for the script, as many as fit into so many characters."""
        groups = [group.drawn() for group in self.largest]
        lengths = accumulate(len(json.dumps(group)) for group in groups)
        fitting = sum(length <= most_characters for length in lengths)
        return {
            "name": self.name,
            "attributes": self.attributes,
            "kpis": [
                {"name": words(kpi), "heading": heading(kpi), "counts": kpi in self.counting}
                for kpi in self.kpis
            ],
            "size": self.kpis.index(self.size),
            "days": self.days,
            "groupsByDay": self.groups_by_day,
            "groupsInAll": self.groups_in_all,
            "groups": groups[:fitting],
        }


def by_groups(out: Path, run: FinishedRun) -> tuple[ByGroup, ...]:
    """Returns each of the run's breakdowns. Raises ResultsError for a kpis.jsonl that cannot be
    read."""
    return tuple(_by_group(out, run, name) for name in run.breakdowns) if run.kpi_names else ()


def _by_group(out: Path, run: FinishedRun, name: str) -> ByGroup:
    """Reads the objects of a breakdown twice, so that only the largest groups' figures are in
    memory."""
    there = breakdown_files(out, name)
    files = _alike(there)
    size = next((kpi for kpi in run.kpi_names if kpi in run.counting), run.kpi_names[0])
    over_days = _over_days(out, run)
    sizes: dict[_Values, Decimal] = {}
    groups_by_day = []
    for file in files:
        groups = _groups(file)
        groups_by_day.append(len(groups))
        for values, row in groups:
            of_day = row.kpis.get(size, Decimal(0))
            before = sizes.get(values)
            sizes[values] = of_day if before is None else over_days.get(size, max)(before, of_day)
    largest = sorted(sizes, key=lambda values: sizes[values], reverse=True)[:MOST_GROUPS]
    of_run = {day.date: day.sha256 for day in run.breakdowns[name] if day.sha256}
    return ByGroup(
        name=name,
        attributes=_attributes(files[-1]) if files else (),
        kpis=run.kpi_names,
        size=size,
        counting=run.counting,
        days=tuple(map(day_of, files)),
        groups_by_day=tuple(groups_by_day),
        groups_in_all=len(sizes),
        largest=tuple(_figures(files, largest, run.kpi_names, over_days)),
        published=len(of_run),
        as_published=sum(
            of_run.get(day_of(file)) == hashlib.sha256(file.read_bytes()).hexdigest()
            for file in files
        ),
        otherwise=len(there) - len(files),
    )


def _over_days(out: Path, run: FinishedRun) -> Mapping[str, _Combine]:
    """Returns how each KPI's days are combined, if they can be. The run's plan knows what is a
    minimum or a maximum; its manifest alone only what can be added up."""
    plan = read_plan(Directory(out), run.run_id)
    if plan is None:
        return dict.fromkeys(run.totals, EXACT.add)
    return {
        kpi.name: _OVER_DAYS[kpi.function]
        for kpi in plan.definition.kpis
        if kpi.function in _OVER_DAYS
    }


def _figures(
    files: list[Path],
    largest: list[_Values],
    kpis: tuple[str, ...],
    over_days: Mapping[str, _Combine],
) -> Iterator[Group]:
    rows: dict[_Values, dict[int, GroupKpis]] = {values: {} for values in largest}
    for n, file in enumerate(files):
        for values, row in _groups(file):
            if values in rows:
                rows[values][n] = row
    for values, by_day in rows.items():
        yield Group(
            values=values,
            by_day=tuple(
                tuple(by_day[n].text(kpi) if n in by_day else "" for n in range(len(files)))
                for kpi in kpis
            ),
            over_days=tuple(
                _combined(
                    (row.kpis[kpi] for row in by_day.values() if kpi in row.kpis),
                    over_days.get(kpi),
                )
                for kpi in kpis
            ),
        )


def _combined(figures: Iterable[Decimal], combine: _Combine | None) -> str:
    combined = None
    for figure in figures:
        if combine is not None:
            combined = figure if combined is None else combine(combined, figure)
    return "" if combined is None else plain(str(combined))


def _groups(file: Path) -> list[tuple[_Values, GroupKpis]]:
    rows = read_groups(file.read_bytes(), name=str(file))
    return [(tuple(row.group.values()), row) for row in rows]


def _attributes(file: Path) -> tuple[str, ...]:
    with file.open("rb") as opened:
        (row,) = read_groups(opened.readline(), name=str(file))
    return tuple(row.group)


def _alike(files: list[Path]) -> list[Path]:
    """Returns the objects that group by the same attributes as the latest: an earlier definition
    may have used other attributes for a breakdown with this name."""
    filled = [file for file in files if file.stat().st_size]
    return [file for file in filled if _attributes(file) == _attributes(filled[-1])]
