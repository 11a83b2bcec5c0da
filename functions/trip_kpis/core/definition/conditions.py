"""The conditions of `[item.where]`, applied to the values of one item.

`filter_expression` has the same conditions for DynamoDB, `reading.columns` for a page of plain
values; this is the rule that both follow.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any

from trip_kpis.core.items.attributes import AttributePath, AttributeValue, is_missing
from trip_kpis.core.items.numbers import comparable

Wanted = str | Decimal | bool
"""A value that a definition compares with: a String, a number or a Boolean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equals:
    """The value is one of the values; or, negated, none of them."""

    path: AttributePath
    values: tuple[Wanted, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginsWith:
    """The value is a String that begins with one of the texts."""

    path: AttributePath
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exists:
    """The item has a value; or it has none."""

    path: AttributePath
    wanted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The value is above, at least, below or at most a number or a String; Strings are compared by
    their UTF-8."""

    path: AttributePath
    operator: str
    limit: str | Decimal


Condition = Equals | BeginsWith | Exists | Compared

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "above": gt,
    "at_least": ge,
    "below": lt,
    "at_most": le,
}


def is_absent(value: AttributeValue | None, null_values: Set[str]) -> bool:
    """Returns whether a value is absent, NULL, an empty String, or one of the definition's
    null_values."""
    return is_missing(value) or (value is not None and value.get("S") in null_values)


def holds(condition: Condition, value: AttributeValue | None, null_values: Set[str]) -> bool:
    """Returns whether the value that an item has at the condition's path meets the condition."""
    there = None if is_absent(value, null_values) else value
    match condition:
        case Equals():
            return _is_one_of(there, condition.values) is not condition.negated
        case BeginsWith():
            return there is not None and there.get("S", "").startswith(condition.texts)
        case Exists():
            return (there is not None) is condition.wanted
        case Compared():
            return _compares(there, condition.operator, condition.limit)


def number_of(value: AttributeValue) -> Decimal | None:
    """Returns the number of a Number, or of a String that contains one."""
    text = value.get("N", value.get("S"))
    return comparable(text) if isinstance(text, str) else None


def _is_one_of(value: AttributeValue | None, wanted: tuple[Wanted, ...]) -> bool:
    return value is not None and any(_equals(value, one) for one in wanted)


def _equals(value: AttributeValue, wanted: Wanted) -> bool:
    if isinstance(wanted, bool):
        return value.get("BOOL") is wanted
    if isinstance(wanted, str):
        return value.get("S") == wanted
    return number_of(value) == wanted


def _compares(value: AttributeValue | None, operator: str, limit: str | Decimal) -> bool:
    if value is None:
        return False
    compare = COMPARISONS[operator]
    if isinstance(limit, str):
        text = value.get("S")
        return text is not None and compare(text.encode(), limit.encode())
    number = number_of(value)
    return number is not None and compare(number, limit)
