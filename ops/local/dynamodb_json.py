"""Items in DynamoDB JSON, and the rules by which DynamoDB itself would refuse them.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

import base64
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ops.runs.figures import shortened

Item = dict[str, dict[str, Any]]
"""An item as boto3's client takes it: attribute names to ``{"S": "…"}`` and the like."""

MOST_ITEM_BYTES = 400 * 1024
_MOST_LEVELS = 32
_MOST_DIGITS = 38
_LEAST_EXPONENT, _MOST_EXPONENT = -130, 125
"""of a Number in scientific notation"""
KEY_TYPES = ("S", "N", "B")
"""the types that a key attribute can have"""
_MOST_KEY_BYTES = (2048, 1024)
"""of the hash key, of the sort key"""
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,5})?")
_LONGEST_SHOWN = 60


class RefusedByDynamoDbError(ValueError):
    """DynamoDB would refuse the item. The message names the attribute, the value and the rule."""


def read_item(document: Any) -> Item:
    """Converts an item from JSON to the form that boto3's client takes, with Binary values as
    bytes.

    Raises RefusedByDynamoDbError.
    """
    if not isinstance(document, dict) or not document:
        raise RefusedByDynamoDbError(
            f"an item is a JSON object of attributes, not {_shown(document)}"
        )
    item = {_name(name): _value(value, name, level=1) for name, value in document.items()}
    check_size(item)
    return item


def check_size(item: Item) -> None:
    """Raises RefusedByDynamoDbError for an item that is too large."""
    sizes = {name: _bytes_of_text(name) + _size(value) for name, value in item.items()}
    size = sum(sizes.values())
    if size > MOST_ITEM_BYTES:
        raise RefusedByDynamoDbError(
            f"the item has {size:,} bytes: DynamoDB takes {MOST_ITEM_BYTES:,} at the most. Most of "
            f"them are in {max(sizes, key=lambda name: sizes[name])!r}: leave it out or shorten it"
        )


def check_key(item: Item, key_attributes: tuple[str, ...]) -> None:
    """Raises RefusedByDynamoDbError if the item has no value that can be its key."""
    for name, most in zip(key_attributes, _MOST_KEY_BYTES, strict=False):
        kind, value = next(iter(item.get(name, {"": ""}).items()))
        if kind not in KEY_TYPES or not value:
            found = "no value" if kind in ("", *KEY_TYPES) else f"a value of type {kind}"
            raise RefusedByDynamoDbError(
                f"it has {found} for the key attribute {name!r}: every item needs a String, Number "
                "or Binary that is not empty; name another attribute with --key or --sort-key"
            )
        if _size({kind: value}) > most:
            raise RefusedByDynamoDbError(
                f"its key attribute {name!r} has more than {most:,} bytes, which DynamoDB refuses"
            )


def write_item(item: Item) -> dict[str, Any]:
    """Inverts `read_item`."""
    return {name: _wire_value(value) for name, value in item.items()}


def _name(name: str) -> str:
    if not name:
        raise RefusedByDynamoDbError("an attribute has an empty name")
    _text(name, "an attribute's name")
    return name


def _value(value: Any, path: str, *, level: int) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) != 1:
        raise RefusedByDynamoDbError(
            f"{path} is {_shown(value)}: a value has its type, such as "
            '{"S": "text"} or {"N": "12.5"}'
        )
    if level > _MOST_LEVELS:
        raise RefusedByDynamoDbError(f"{path} is nested deeper than {_MOST_LEVELS} levels")
    ((kind, inner),) = value.items()
    match kind:
        case "S":
            return {kind: _text(inner, path)}
        case "N":
            return {kind: _number(inner, path)}
        case "B":
            return {kind: _binary(inner, path)}
        case "BOOL" if isinstance(inner, bool):
            return {kind: inner}
        case "NULL" if inner is True:
            return {kind: inner}
        case "SS" | "NS" | "BS" if isinstance(inner, list):
            read = {"SS": _text, "NS": _number, "BS": _binary}[kind]
            return {kind: _set([read(one, path) for one in inner], kind, path)}
        case "M" if isinstance(inner, dict):
            return {
                kind: {
                    _name(name): _value(one, f"{path}.{name}", level=level + 1)
                    for name, one in inner.items()
                }
            }
        case "L" if isinstance(inner, list):
            return {
                kind: [
                    _value(one, f"{path}[{number}]", level=level + 1)
                    for number, one in enumerate(inner)
                ]
            }
    raise RefusedByDynamoDbError(f"{path} is {_shown(value)}: {_wanted(kind)}")


def _wanted(kind: str) -> str:
    return {
        "BOOL": "BOOL is true or false, without quotes",
        "NULL": "NULL is true, without quotes",
        "SS": "a set is a JSON array",
        "NS": "a set is a JSON array",
        "BS": "a set is a JSON array",
        "M": "a Map is a JSON object",
        "L": "a List is a JSON array",
    }.get(kind, f"DynamoDB has no type {kind!r}, only S, N, B, BOOL, NULL, SS, NS, BS, M and L")


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise RefusedByDynamoDbError(f"{path} is {_shown(value)}: a String is written in quotes")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise RefusedByDynamoDbError(
            f"{path} has half of a surrogate pair ({value[error.start]!r}), which is no Unicode "
            "character"
        ) from error
    return value


def _number(value: Any, path: str) -> str:
    """Returns the number as DynamoDB returns it: no plus sign, no bare point."""
    if not isinstance(value, str):
        raise RefusedByDynamoDbError(
            f'{path} is {_shown(value)}: a Number is written in quotes, {{"N": "{value}"}}'
        )
    if not (value.isascii() and _NUMBER.fullmatch(value)):
        raise RefusedByDynamoDbError(f"{path} is {_shown(value)}, which is not a Number")
    number = Decimal(value)
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    if len(digits) > _MOST_DIGITS:
        raise RefusedByDynamoDbError(
            f"{path} is {_shown(value)}: a Number has {_MOST_DIGITS} significant digits at the most"
        )
    if digits and not _LEAST_EXPONENT <= number.adjusted() <= _MOST_EXPONENT:
        raise RefusedByDynamoDbError(
            f"{path} is {_shown(value)}: a Number's size is from 1E{_LEAST_EXPONENT} to below "
            f"1E{_MOST_EXPONENT + 1}"
        )
    return str(number)


def _binary(value: Any, path: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError) as error:
        raise RefusedByDynamoDbError(
            f"{path} is {_shown(value)}, which is not base64 text"
        ) from error


def _set(values: list[Any], kind: str, path: str) -> list[Any]:
    distinct = set(map(Decimal, values)) if kind == "NS" else set(values)
    if not values or len(distinct) < len(values):
        what = "twice the same value" if values else "no values"
        raise RefusedByDynamoDbError(f"{path} is a set with {what}, which DynamoDB refuses")
    return values


def _size(value: Mapping[str, Any]) -> int:
    """Returns the approximate size in bytes.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    ((kind, inner),) = value.items()
    match kind:
        case "S":
            return _bytes_of_text(inner)
        case "N":
            return (len(Decimal(inner).as_tuple().digits) + 1) // 2 + 1
        case "B":
            return len(inner)
        case "SS" | "NS" | "BS":
            return sum(_size({kind[0]: one}) for one in inner)
        case "M":
            return 3 + sum(1 + _bytes_of_text(name) + _size(one) for name, one in inner.items())
        case "L":
            return 3 + sum(1 + _size(one) for one in inner)
    return 1


def _bytes_of_text(text: str) -> int:
    return len(text.encode())


def _wire_value(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, inner),) = value.items()
    match kind:
        case "B":
            return {kind: base64.b64encode(inner).decode()}
        case "BS":
            return {kind: [base64.b64encode(one).decode() for one in inner]}
        case "M":
            return {kind: {name: _wire_value(one) for name, one in inner.items()}}
        case "L":
            return {kind: [_wire_value(one) for one in inner]}
    return {kind: inner}


def _shown(value: Any) -> str:
    return shortened(ascii(value), _LONGEST_SHOWN)
