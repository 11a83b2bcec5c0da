"""Reads the objects of a day: `kpi.json`, and the `kpis.jsonl` of a breakdown.

Both describe themselves: a number is a KPI, and a text or null is what a group has in common.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from ops.runs.documents import read_document
from trip_kpis.core.layout import DayObjects, is_known
from trip_kpis.core.run.figures import check_figures

_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DOCUMENT = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupKpis:
    """The KPIs of a day, or of one group of it, exactly."""

    date: str
    group: Mapping[str, str | None]
    """the attributes that all items of the group share; empty for a whole day"""
    kpis: Mapping[str, Decimal]
    """the figures by name, in the object's order"""

    def text(self, kpi: str) -> str:
        """Returns the figure's digits, as the object has them; empty if it does not have the
        KPI."""
        return format(self.kpis[kpi], "f") if kpi in self.kpis else ""


def read_kpis(body: bytes, *, name: str) -> GroupKpis:
    """Reads a `kpi.json`. Raises DocumentError, which names the object as `name`."""
    return read_document(body, _day, name=name, kind="kpi.json", advice=_ADVICE)


def read_groups(body: bytes, *, name: str) -> list[GroupKpis]:
    """Reads a `kpis.jsonl`, in its order. Raises DocumentError, which names the object as
    `name`."""
    return [
        read_document(line, _kpis, name=f"{name}, line {n},", kind="kpis.jsonl", advice=_ADVICE)
        for n, line in enumerate(body.splitlines(), start=1)
    ]


_ADVICE = "another program may have written it. Remove it, and the next run publishes the day again"


def _day(body: bytes) -> GroupKpis:
    found = _kpis(body)
    if found.group:
        raise msgspec.ValidationError(f"Expected `number` - at `$.{next(iter(found.group))}`")
    return found


def _kpis(body: bytes) -> GroupKpis:
    """Reads the KPIs of a line; raises msgspec.ValidationError if this program cannot have written
    it."""
    members = _DOCUMENT.decode(body)
    date = members.pop("date", None)
    if not isinstance(date, str) or not _DATE.fullmatch(date):
        raise msgspec.ValidationError("Expected a day such as 2024-05-25 - at `$.date`")
    group: dict[str, str | None] = {}
    kpis: dict[str, Decimal] = {}
    for name, value in members.items():
        if value is None or isinstance(value, str):
            group[name] = value
        elif isinstance(value, int | Decimal) and not isinstance(value, bool):
            kpis[name] = _figure(name, value)
        else:
            raise msgspec.ValidationError(f"Expected `number` - at `$.{name}`")
    if not kpis:
        raise msgspec.ValidationError("Expected at least one KPI")
    return GroupKpis(date=date, group=group, kpis=kpis)


def _figure(name: str, value: int | Decimal) -> Decimal:
    figure = Decimal(value)
    try:
        check_figures(figure)
    except ValueError as error:
        raise msgspec.ValidationError(f"{error} - at `$.{name}`") from error
    return figure


def kpi_names(of: Iterable[GroupKpis]) -> list[str]:
    """Returns the KPIs of all of them, in their order."""
    return [*dict.fromkeys(name for one in of for name in one.kpis)]


def day_of(file: Path) -> str:
    """Returns the day, ISO 8601, of one of `kpi_files` or `breakdown_files`."""
    return file.parent.name.removeprefix("date=")


def kpi_files(out: Path) -> list[Path]:
    """Returns the `kpi.json` of every day under `out`, in the order of the days."""
    return _files(out, DayObjects().key("*"))


def breakdown_files(out: Path, breakdown: str) -> list[Path]:
    """Returns the `kpis.jsonl` of every day of this breakdown, in the order of the days."""
    return _files(out, DayObjects(breakdown).key("*"))


def breakdowns_in(out: Path) -> list[str]:
    """Returns the names of the breakdowns that have objects in `out`."""
    files = _files(out, DayObjects("*").key("*"))
    return sorted({file.parent.parent.name.removeprefix("by=") for file in files})


def _files(out: Path, pattern: str) -> list[Path]:
    files = sorted(out.glob(pattern))
    return [file for file in files if is_known(str(file.relative_to(out))) and file.is_file()]
