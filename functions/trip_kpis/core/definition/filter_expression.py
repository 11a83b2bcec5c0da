"""A definition's request to DynamoDB: the attributes and items that DynamoDB sends.

What the filter drops, `conditions` excludes or finds incomplete; what it lets pass is judged again.
A number may also be in a String, in a notation that DynamoDB cannot read: Strings pass there.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
"""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import takewhile
from typing import Any

from trip_kpis.core.definition.conditions import (
    BeginsWith,
    Compared,
    Condition,
    Equals,
    Exists,
    Wanted,
)
from trip_kpis.core.definition.model import Definition
from trip_kpis.core.items.attributes import AttributePath, AttributeValue
from trip_kpis.core.items.numbers import plain

_OPERATORS = {"above": ">", "at_least": ">=", "below": "<", "at_most": "<="}
_MOST_IN_A_LIST = 100
"""the most operands of one IN"""


def request(definition: Definition, key_attributes: Iterable[str]) -> dict[str, Any]:
    """Returns ProjectionExpression, FilterExpression and their placeholders. Every name has a
    placeholder, so that reserved words are no problem.

    Without conditions, incomplete items are filtered out; with them, the conditions alone decide.
    """
    expressions = _Expressions(null_values=definition.null_values)
    wanted = [*definition.paths, *((name,) for name in key_attributes)]
    projection = ", ".join(map(expressions.path, _outermost(map(_without_elements, wanted))))
    if definition.where:
        conditions = list(map(expressions.condition, definition.where))
    else:
        conditions = list(expressions.complete(definition.needed))
    names, values = expressions.names, expressions.values
    return {
        "ProjectionExpression": projection,
        **({"FilterExpression": " AND ".join(conditions)} if conditions else {}),
        "ExpressionAttributeNames": {mark: name for name, mark in names.items()},
        **({"ExpressionAttributeValues": values} if values else {}),
    }


def is_exact(condition: Condition) -> bool:
    """Returns whether DynamoDB alone can decide the condition: it does not compare with a
    number."""
    match condition:
        case Equals():
            return not any(isinstance(value, Decimal) for value in condition.values)
        case Compared():
            return isinstance(condition.limit, str)
        case _:
            return True


def _without_elements(path: AttributePath) -> AttributePath:
    """Returns the path to the whole list: a projection of single elements moves them to its
    beginning."""
    return tuple(takewhile(lambda step: isinstance(step, str), path))


def _outermost(paths: Iterable[AttributePath]) -> Iterator[AttributePath]:
    """Returns the paths that are not inside another one, because DynamoDB refuses such paths."""
    distinct = dict.fromkeys(paths)
    for path in distinct:
        if not any(path[:length] in distinct for length in range(1, len(path))):
            yield path


@dataclass(slots=True, kw_only=True)
class _Expressions:
    """Builds expressions, with a placeholder for every name and every value."""

    null_values: Set[str]
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, AttributeValue] = field(default_factory=dict)

    def path(self, path: AttributePath) -> str:
        text = ""
        for step in path:
            if isinstance(step, int):
                text += f"[{step}]"
            else:
                mark = self.names.setdefault(step, f"#n{len(self.names)}")
                text += f".{mark}" if text else mark
        return text

    def complete(self, needed: Iterable[AttributePath]) -> Iterator[str]:
        """Matches items that certainly have a value; other forms of a missing value are decided
        when the item is read."""
        paths = list(map(self.path, needed))
        yield from (f"attribute_exists({path})" for path in paths)
        yield from (f"{path} <> {self._value({'S': ''}, ':empty')}" for path in paths)

    def condition(self, condition: Condition) -> str:
        path = self.path(condition.path)
        match condition:
            case Equals(negated=False):
                return f"({self._equals(path, condition.values)})"
            case Equals():
                # A String that holds the number passes here. Types first: in the embedded DynamoDB,
                # true is 1, and a Binary is a String.
                either = [
                    f"{self._is_a(kind, path)} AND ({self._in(path, values)})"
                    for kind, values in _by_type(condition.values).items()
                ]
                return f"NOT ({' OR '.join(either)})"
            case BeginsWith():
                texts = [
                    f"begins_with({path}, {self._value({'S': text})})" for text in condition.texts
                ]
                return f"({' OR '.join(texts)}){self._no_null_word(path)}"
            case Exists():
                is_some = f"{path} <> {self._value({'S': ''})}{self._no_null_word(path)}"
                is_null = self._is_a("NULL", path)
                there = f"attribute_exists({path}) AND NOT {is_null} AND {is_some}"
                return there if condition.wanted else f"NOT ({there})"
            case Compared():
                value = self._value(_attribute_value(condition.limit))
                compared = f"{path} {_OPERATORS[condition.operator]} {value}"
                if isinstance(condition.limit, str):
                    is_some = f"{path} <> {self._value({'S': ''})}"
                    no_word = self._no_null_word(path)
                    return f"{self._is_a('S', path)} AND {is_some} AND {compared}{no_word}"
                # Types first: the embedded DynamoDB fails to compare a String with a Number.
                return f"({self._is_a('S', path)} OR {self._is_a('N', path)} AND {compared})"

    def _equals(self, path: str, values: tuple[Wanted, ...]) -> str:
        either = [self._in(path, values)]
        if any(isinstance(value, Decimal) for value in values):
            either.append(self._is_a("S", path))
        return " OR ".join(either)

    def _in(self, path: str, values: tuple[Wanted, ...]) -> str:
        marks = [self._value(_attribute_value(value)) for value in values]
        if len(marks) == 1:
            return f"{path} = {marks[0]}"
        lists = [marks[n : n + _MOST_IN_A_LIST] for n in range(0, len(marks), _MOST_IN_A_LIST)]
        return " OR ".join(f"{path} IN ({', '.join(one)})" for one in lists)

    def _is_a(self, kind: str, path: str) -> str:
        return f"attribute_type({path}, {self._value({'S': kind})})"

    def _no_null_word(self, path: str) -> str:
        if not self.null_values:
            return ""
        return f" AND NOT ({self._in(path, tuple(sorted(self.null_values)))})"

    def _value(self, value: AttributeValue, mark: str | None = None) -> str:
        for known, one in self.values.items():
            if one == value:
                return known
        mark = mark or f":v{len(self.values)}"
        self.values[mark] = value
        return mark


def _by_type(values: tuple[Wanted, ...]) -> dict[str, tuple[Wanted, ...]]:
    """Groups the values by the type descriptor that they have in DynamoDB."""
    by_type: dict[str, tuple[Wanted, ...]] = {}
    for value in values:
        (kind,) = _attribute_value(value)
        by_type[kind] = (*by_type.get(kind, ()), value)
    return by_type


def _attribute_value(wanted: Wanted) -> AttributeValue:
    if isinstance(wanted, bool):
        return {"BOOL": wanted}
    return {"S": wanted} if isinstance(wanted, str) else {"N": plain(wanted)}
