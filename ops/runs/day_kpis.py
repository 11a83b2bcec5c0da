"""A day's `kpi.json`, read."""

from decimal import Decimal
from pathlib import Path

import msgspec
from trip_kpis.core.run.days import check_figures

from ops.runs.documents import read_document
from ops.runs.run_day import Date
from trip_kpis.core import layout
from trip_kpis.core.layout import is_known
from trip_kpis.core.log.counts import Count

FIGURES = ("trip_count", "total_fare", "average_fare", "max_fare", "min_fare")


class DayKpis(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a day, exactly."""

    date: Date
    trip_count: Count
    total_fare: Decimal
    average_fare: Decimal
    max_fare: Decimal
    min_fare: Decimal

    def __post_init__(self) -> None:
        check_figures(self.total_fare, self.average_fare, self.max_fare, self.min_fare)


def read_kpis(body: bytes, *, name: str) -> DayKpis:
    """Raises DocumentError, which names the object as `name`."""
    return read_document(
        body,
        DayKpis,
        name=name,
        kind="kpi.json",
        advice="another program may have written it. Remove it, and the next run publishes the day "
        "again",
    )


def day_of(file: Path) -> str:
    """The day, ISO 8601, of one of `kpi_files`."""
    return file.parent.name.removeprefix("date=")


def kpi_files(out: Path) -> list[Path]:
    """The `kpi.json` of every day under `out`, in the order of the days."""
    files = sorted(out.glob(f"{layout.DAYS}*/kpi.json"))
    return [file for file in files if is_known(str(file.relative_to(out))) and file.is_file()]
