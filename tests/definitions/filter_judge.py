"""Which items a FilterExpression lets through: by DynamoDB's rules, and by moto's.

moto's parser reads the expression in both cases. Its evaluation differs from DynamoDB's:

- values of different types are compared as Python compares them: the BOOL true equals the Number 1,
  a Binary equals a String of its base64 text, an absent attribute equals NULL;
- ``<`` and BETWEEN raise TypeError for a String and a Number, where DynamoDB's do not hold;
- it accepts an operand that DynamoDB refuses: ``<`` with a BOOL, begins_with with a Number;
- it reads one digit only between brackets: it cannot parse ``#a[10]``.

In both, Numbers compare by value (1E+2 equals 100.0), Strings by their UTF-8 bytes, a condition on
an absent attribute does not hold, and ``<>`` holds for an absent attribute or another type.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
"""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any

from moto.dynamodb import comparisons
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.dynamo_type import Item as MotoItem

Value = Mapping[str, Any]
Item = Mapping[str, Value]

MOST_BYTES, MOST_OPERANDS_OF_IN, MOST_OPERATORS = 4096, 100, 300
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""

_ORDERS: dict[type, Callable[[Any, Any], bool]] = {
    comparisons.OpLessThan: lt,
    comparisons.OpLessThanOrEqual: le,
    comparisons.OpGreaterThan: gt,
    comparisons.OpGreaterThanOrEqual: ge,
}
_ORDERED_TYPES = {"N", "S", "B"}
_TYPES = {"B", "BOOL", "BS", "L", "M", "N", "NS", "NULL", "S", "SS"}


def passes(request: Mapping[str, Any], items: Iterable[Item]) -> list[bool]:
    """Of each item, whether DynamoDB returns it for this request.

    `request` may have more than FilterExpression, ExpressionAttributeNames and
    ExpressionAttributeValues; without a FilterExpression every item passes. Raises ValueError for
    an expression that DynamoDB refuses.
    """
    if "FilterExpression" not in request:
        return [True for _ in items]
    tree = _tree(request)
    _check_operands(tree)
    return [_holds(tree, item) for item in items]


def passes_in_moto(request: Mapping[str, Any], items: Iterable[Item]) -> list[bool]:
    """The same as moto, and so the embedded AWS, evaluates it."""
    if "FilterExpression" not in request:
        return [True for _ in items]
    tree = _tree(request)
    return [bool(tree.expr(_moto_item(item))) for item in items]


def _moto_item(item: Item) -> Any:
    return MotoItem(hash_key=DynamoType({"S": "any"}), range_key=None, attrs=dict(item))


def _tree(request: Mapping[str, Any]) -> Any:
    expression = request["FilterExpression"]
    names = request.get("ExpressionAttributeNames")
    values = request.get("ExpressionAttributeValues")
    if len(expression.encode()) > MOST_BYTES:
        raise ValueError(f"an expression of {len(expression.encode())} bytes")
    if len(re.findall(r"\b(?:AND|OR|NOT|IN|BETWEEN)\b|[<=>]+|\w\(", expression)) > MOST_OPERATORS:
        raise ValueError("too many operators")
    for sign, given in (("#", names), (":", values)):
        if given is not None and not given:
            raise ValueError("names and values must not be empty")
        used = set(re.findall(rf"{sign}[A-Za-z0-9_]+", expression))
        if sign == "#":  # names of a projection count too
            used |= set(re.findall(r"#[A-Za-z0-9_]+", request.get("ProjectionExpression", "")))
        if used != set(given or {}):
            raise ValueError(f"used {sorted(used)}, given {sorted(given or {})}")
    for value in (values or {}).values():
        if "N" in value and _number(value["N"]) is None:
            raise ValueError(f"{value} is no Number of DynamoDB's")
    return get_filter_expression(expression, names, values)


def _number(text: str) -> Decimal | None:
    """None beyond DynamoDB's 38 digits and its range."""
    number = Decimal(text)
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    if len(digits) > 38 or (number and not -130 <= number.adjusted() <= 125):
        return None
    return number


def _check_operands(tree: Any) -> None:
    """Raises ValueError for an operand whose type DynamoDB refuses."""
    kind = type(tree)
    if isinstance(tree, comparisons.OpAnd | comparisons.OpOr | comparisons.OpNot):
        for side in (tree.lhs, tree.rhs):
            if side is not None:
                _check_operands(side)
    elif kind in _ORDERS:
        _check_types(_ORDERED_TYPES, tree.lhs, tree.rhs)
    elif kind is comparisons.FuncBetween:
        _check_types(_ORDERED_TYPES, tree.attr, tree.start, tree.end)
        if tree.start.get_type(None) != tree.end.get_type(None):
            raise ValueError("BETWEEN has bounds of two types")
    elif kind is comparisons.FuncBeginsWith:
        _check_types({"S", "B"}, tree.attr, tree.substr)
    elif kind is comparisons.FuncAttrType:
        _check_types({"S"}, tree.type)
        if tree.type.value not in _TYPES:
            raise ValueError(f"{tree.type.value} is no type")
    elif kind is comparisons.FuncIn and len(tree.possible_values) > MOST_OPERANDS_OF_IN:
        raise ValueError("IN has too many operands")


def _check_types(types: set[str], *operands: Any) -> None:
    for operand in operands:
        if isinstance(operand, comparisons.AttributeValue) and operand.type not in types:
            raise ValueError(f"an operand has the type {operand.type}")


def _holds(tree: Any, item: Item) -> bool:
    match tree:
        case comparisons.OpAnd():
            return _holds(tree.lhs, item) and _holds(tree.rhs, item)
        case comparisons.OpOr():
            return _holds(tree.lhs, item) or _holds(tree.rhs, item)
        case comparisons.OpNot():
            return not _holds(tree.lhs, item)
        case comparisons.OpEqual():
            return _equal(_value(tree.lhs, item), _value(tree.rhs, item))
        case comparisons.OpNotEqual():
            return not _equal(_value(tree.lhs, item), _value(tree.rhs, item))
        case comparisons.FuncAttrExists():
            return _value(tree.attr, item) is not None
        case comparisons.FuncAttrType():
            value = _value(tree.attr, item)
            kind = _value(tree.type, item)["S"]
            return value is not None and kind in value
        case comparisons.FuncBeginsWith():
            value, start = _value(tree.attr, item), _value(tree.substr, item)
            both_strings = value is not None and start is not None and "S" in value and "S" in start
            return both_strings and value["S"].startswith(start["S"])
        case comparisons.FuncBetween():
            value = _value(tree.attr, item)
            return _ordered(ge, value, _value(tree.start, item)) and _ordered(
                le, value, _value(tree.end, item)
            )
        case comparisons.FuncIn():
            value = _value(tree.attr, item)
            return any(_equal(value, _value(one, item)) for one in tree.possible_values)
    if type(tree) in _ORDERS:
        return _ordered(_ORDERS[type(tree)], _value(tree.lhs, item), _value(tree.rhs, item))
    raise NotImplementedError(f"{tree!r} is not judged here")


def _value(operand: Any, item: Item) -> Any:
    """The value of a path or a placeholder, in DynamoDB JSON; None where it is absent."""
    match operand:
        case comparisons.AttributeValue():
            return {operand.type: operand.value}
        case comparisons.AttributePath():
            value: Any = {"M": item}
            for step in operand.path:
                if isinstance(step, int):
                    elements = value.get("L", [])
                    value = elements[step] if step < len(elements) else None
                else:
                    value = value.get("M", {}).get(step)
                if value is None:
                    return None
            return value
    raise NotImplementedError(f"{operand!r} is not judged here")


def _equal(left: Value | None, right: Value | None) -> bool:
    if left is None or right is None or left.keys() != right.keys():
        return False
    [(kind, one)], [other] = left.items(), right.values()
    match kind:
        case "N":
            return Decimal(one) == Decimal(other)
        case "NS":
            return {Decimal(text) for text in one} == {Decimal(text) for text in other}
        case "SS" | "BS":
            return set(one) == set(other)
        case "L":
            return len(one) == len(other) and all(map(_equal, one, other))
        case "M":
            return one.keys() == other.keys() and all(_equal(one[n], other[n]) for n in one)
    return bool(one == other)


def _ordered(compare: Callable[[Any, Any], bool], left: Value | None, right: Value | None) -> bool:
    if left is None or right is None or left.keys() != right.keys():
        return False
    [(kind, one)], [other] = left.items(), right.values()
    if kind == "N":
        return compare(Decimal(one), Decimal(other))
    if kind == "S":
        return compare(one.encode(), other.encode())
    return False  # BOOL and the others have no order; Binary is not needed here
