"""A KPI definition as values; `parsing` reads it from its document."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from trip_kpis.core.definition.conditions import Condition
from trip_kpis.core.items.attributes import AttributePath, dotted_path
from trip_kpis.core.items.numbers import ONE

_Value = TypeVar("_Value")


class Function(StrEnum):
    """How a KPI is calculated from the items of a day."""

    COUNT = "count"
    SUM = "sum"
    AVERAGE = "average"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A number of an item: the sum of the values at these paths, each multiplied by the scale."""

    paths: tuple[AttributePath, ...]
    scale: Decimal = ONE
    missing: Decimal | None = None
    """the number that counts if there is no value, before the scale; None: the item is
    incomplete"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """A figure of a day, and of a group of a breakdown."""

    name: str
    function: Function
    measure: Measure | None = None
    """the number; None: the KPI counts items"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """The same KPIs again for every value that the items of a day have at these paths."""

    name: str
    paths: tuple[AttributePath, ...]

    @property
    def attributes(self) -> tuple[str, ...]:
        """Returns the names of the values: the last steps of the paths, or whole paths if two would
        be equal."""
        short = [_last_step(path) for path in self.paths]
        return tuple(
            dotted_path(path) if short.count(one) > 1 else one
            for path, one in zip(self.paths, short, strict=True)
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Returns the columns of a partial that contain the values."""
        return tuple(map(group_column, self.paths))


def group_column(path: AttributePath) -> str:
    """Returns the column of a value to group by; no KPI has such a name."""
    return f"by {dotted_path(path)}"


def _last_step(path: AttributePath) -> str:
    """Returns the last name, and the element numbers after it: ``charges[0]``."""
    after_name = next(n for n, step in enumerate(reversed(path)) if isinstance(step, str))
    name, *elements = path[len(path) - after_name - 1 :]
    return f"{name}{''.join(f'[{number}]' for number in elements)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The place of the time that decides an item's day."""

    paths: tuple[AttributePath, ...]
    """one path, or the path of the date and the path of the time"""
    after: str = ""
    """the prefix of the String; the time follows it"""


class Combined(StrEnum):
    """How the values of a column are combined; Arrow and pandas use these names."""

    SUM = "sum"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """A column of a partial: of a measure, or of the number of items."""

    column: str
    combined: Combined
    measure: int | None
    """the number of the measure; None: the column counts items"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A whole definition, which contains the stack's attribute paths."""

    name: str
    day: Day
    complete: tuple[AttributePath, ...]
    """paths that must have a value"""
    kpis: tuple[Kpi, ...]
    numbers: tuple[AttributePath, ...] = ()
    """paths that must contain a number, although no KPI uses them"""
    where: tuple[Condition, ...] = ()
    null_values: frozenset[str] = frozenset()
    """Strings that mean that there is no value, in addition to the empty String"""
    breakdowns: tuple[Breakdown, ...] = ()
    fares: frozenset[AttributePath] = frozenset()
    """the paths of the stack's fares: their rejection reasons are called `fare_…`"""
    measures: tuple[Measure, ...] = field(init=False)
    """the measures of the KPIs, each once"""
    group_paths: tuple[AttributePath, ...] = field(init=False)
    """the group paths of the breakdowns, each once"""
    paths: tuple[AttributePath, ...] = field(init=False)
    """all paths that the reading of an item needs, each once"""
    needed: tuple[AttributePath, ...] = field(init=False)
    """all paths at which an item must have a value; without one, it is incomplete"""
    aggregates: tuple[Aggregate, ...] = field(init=False)
    """the columns of a partial; the first counts items"""

    def __post_init__(self) -> None:
        measures = _distinct(kpi.measure for kpi in self.kpis if kpi.measure is not None)
        of_measures = [path for measure in measures for path in measure.paths]
        groups = _distinct(path for breakdown in self.breakdowns for path in breakdown.paths)
        needed = _distinct(
            [
                *self.complete,
                *(path for one in measures if one.missing is None for path in one.paths),
                *self.numbers,
            ]
        )
        paths = _distinct(
            [*of_measures, *needed, *self.day.paths, *(one.path for one in self.where), *groups]
        )
        derived = {
            "measures": measures,
            "group_paths": groups,
            "paths": paths,
            "needed": needed,
            "aggregates": tuple(_aggregates(self.kpis, measures)),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    @property
    def flag_paths(self) -> frozenset[AttributePath]:
        """Returns the paths at which a Boolean has a meaning."""
        return frozenset([*(one.path for one in self.where), *self.group_paths])

    @property
    def number_paths(self) -> tuple[AttributePath, ...]:
        """Returns all paths that are read as a number, each once."""
        measured = (path for measure in self.measures for path in measure.paths)
        return _distinct([*measured, *self.numbers])

    def column(self, kpi: Kpi) -> str:
        """Returns the aggregate from which the KPI is calculated; an average also needs the number
        of items."""
        measure = None if kpi.measure is None else self.measures.index(kpi.measure)
        return next(
            one.column
            for one in self.aggregates
            if (one.combined, one.measure) == (_COMBINED[kpi.function], measure)
        )

    @property
    def items_column(self) -> str:
        """Returns the aggregate that counts items."""
        return self.aggregates[0].column


_COMBINED = {
    Function.COUNT: Combined.SUM,
    Function.SUM: Combined.SUM,
    Function.AVERAGE: Combined.SUM,
    Function.MIN: Combined.MIN,
    Function.MAX: Combined.MAX,
}


def _aggregates(kpis: tuple[Kpi, ...], measures: tuple[Measure, ...]) -> Iterable[Aggregate]:
    """Names each aggregate after its KPI; an aggregate that only an average needs has its own
    name."""
    counting = [kpi.name for kpi in kpis if kpi.function is Function.COUNT]
    yield Aggregate(
        column=next(iter(counting), "number of items"), combined=Combined.SUM, measure=None
    )
    for number, measure in enumerate(measures):
        of_measure = [kpi for kpi in kpis if kpi.measure == measure]
        for combined in Combined:
            using = [kpi for kpi in of_measure if _COMBINED[kpi.function] is combined]
            named = [kpi.name for kpi in using if kpi.function is not Function.AVERAGE]
            if using:
                column = next(iter(named), f"sum of {using[0].name}")
                yield Aggregate(column=column, combined=combined, measure=number)


def _distinct(values: Iterable[_Value]) -> tuple[_Value, ...]:
    return tuple(dict.fromkeys(values))
