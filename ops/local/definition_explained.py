"""Explains a KPI definition in sentences."""

from collections.abc import Iterable

from trip_kpis.core.definition.conditions import (
    BeginsWith,
    Compared,
    Condition,
    Equals,
    Exists,
    Wanted,
)
from trip_kpis.core.definition.filter_expression import is_exact
from trip_kpis.core.definition.model import Definition, Function, Kpi
from trip_kpis.core.items.attributes import AttributePath, dotted_path
from trip_kpis.core.items.numbers import ONE, plain
from trip_kpis.core.layout import DayObjects

_FUNCTIONS = {
    Function.SUM: "the sum",
    Function.AVERAGE: "the average, rounded half-even to 6 places,",
    Function.MIN: "the minimum",
    Function.MAX: "the maximum",
}


def explained(definition: Definition) -> tuple[str, ...]:
    """Returns a sentence for everything that the definition decides."""
    said = []
    if definition.where:
        conditions = ", and ".join(map(condition_in_words, definition.where))
        said.append(f"An item is looked at if {conditions}; else it is excluded.")
    else:
        said.append("Every item of the table is looked at.")
    if definition.needed:
        said.append(f"It is incomplete if it has no value at {_either(definition.needed)}.")
    if definition.null_values:
        words = _either(f'"{word}"' for word in sorted(definition.null_values))
        said.append(f"A String that is {words} means that there is no value, as NULL and an empty "
                    "String do.")  # fmt: skip
    said.append(f"Its day is that of {_day(definition)}.")
    said += [f"{kpi.name} is {_kpi(kpi)}." for kpi in definition.kpis]
    if definition.numbers:
        said.append(f"{_all(definition.numbers)} must be a number, although no KPI uses it.")
    said.append(f"A day is published as {DayObjects().key('<day>')}.")
    said += [
        f"The same KPIs for every {_all(breakdown.paths)} of a day are published as "
        f"{DayObjects(breakdown.name).key('<day>')}."
        for breakdown in definition.breakdowns
    ]
    return tuple(said)


def who_decides(definition: Definition) -> tuple[tuple[str, bool], ...]:
    """Returns each condition, and whether DynamoDB alone decides it. What it cannot decide, such as
    a number in a String, it sends, and the worker decides."""
    return tuple((condition_in_words(one), is_exact(one)) for one in definition.where)


def condition_in_words(condition: Condition) -> str:
    path = dotted_path(condition.path)
    match condition:
        case Equals(negated=False):
            return f"{path} is {_either(map(_wanted, condition.values))}"
        case Equals():
            return f"{path} is not {_either(map(_wanted, condition.values))}"
        case BeginsWith():
            return f"{path} begins with {_either(map(_wanted, condition.texts))}"
        case Exists():
            return f"{path} has {'a' if condition.wanted else 'no'} value"
        case Compared():
            return f"{path} is {condition.operator.replace('_', ' ')} {_wanted(condition.limit)}"


def _wanted(value: Wanted) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else plain(value)


def _day(definition: Definition) -> str:
    day = definition.day
    if len(day.paths) > 1:
        return (
            f"the date in {dotted_path(day.paths[0])} and the time in {dotted_path(day.paths[1])}"
        )
    path = dotted_path(day.paths[0])
    return f'the time behind "{day.after}" in {path}' if day.after else f"the time in {path}"


def _kpi(kpi: Kpi) -> str:
    measure = kpi.measure
    if measure is None:
        return "the number of items that count"
    of = _all(measure.paths)
    if len(measure.paths) > 1:
        of = f"each item's sum of {of}"
    scaled = "" if measure.scale == ONE else f", times {plain(measure.scale)}"
    missing = ""
    if measure.missing is not None:
        missing = f"; an item without a value there counts with {plain(measure.missing)}"
    return f"{_FUNCTIONS[kpi.function]} of {of}{scaled}{missing}"


def _all(paths: Iterable[AttributePath]) -> str:
    return _listed(map(dotted_path, paths), "and")


def _either(words: Iterable[str | AttributePath]) -> str:
    return _listed((one if isinstance(one, str) else dotted_path(one) for one in words), "or")


def _listed(words: Iterable[str], conjunction: str) -> str:
    *others, last = words
    return f"{', '.join(others)} {conjunction} {last}" if others else last
