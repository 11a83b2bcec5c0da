"""Items and attribute values in DynamoDB JSON, and paths into them."""

import base64
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from trip_kpis.core.errors import SettingError

AttributeValue = Mapping[str, Any]
"""One value with its type descriptor: ``{"S": "12.5"}``, ``{"N": "12.5"}``, ``{"M": {...}}``.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

Item = Mapping[str, AttributeValue]
"""An item, or a key: attribute names to values."""

AttributePath = tuple[str, ...]
"""The names from an item's top level down through nested maps."""


def parse_path(dotted: str, *, setting: str) -> AttributePath:
    """``trip_end.fare_amount`` -> ``("trip_end", "fare_amount")``.

    Raises SettingError, naming `setting`, for an empty name.
    """
    path = tuple(dotted.split("."))
    if not all(name and name == name.strip() for name in path):
        raise SettingError(
            f"{setting} is {dotted!r}: an attribute path is one name, or names with dots between "
            "them for nested maps, such as trip_end.fare_amount"
        )
    return path


def find(item: Item, path: AttributePath) -> AttributeValue | None:
    """The value at `path`; None where it, or a map on the way to it, is absent."""
    value = item.get(path[0])
    for name in path[1:]:
        nested = value.get("M") if value is not None else None
        if nested is None:
            return None
        value = nested.get(name)
    return value


def is_missing(value: AttributeValue | None) -> bool:
    """Absent, NULL or an empty String: all three say that there is no value."""
    return value is None or "NULL" in value or value.get("S") == ""


def key_to_json(key: Item | None) -> dict[str, dict[str, str]] | None:
    """A key in DynamoDB JSON as it goes over the wire: a Binary becomes base64 text."""
    if key is None:
        return None
    return {
        name: {kind: base64.b64encode(v).decode() if isinstance(v, bytes) else v}
        for name, value in key.items()
        for kind, v in value.items()
    }


def key_from_json(document: Mapping[str, Any] | None) -> Item | None:
    """Inverts `key_to_json`."""
    if document is None:
        return None
    return {
        name: {kind: base64.b64decode(v) if kind == "B" else str(v)}
        for name, value in document.items()
        for kind, v in value.items()
    }


def overlapping(paths: list[AttributePath]) -> tuple[AttributePath, AttributePath] | None:
    """Two paths of which one lies inside the other, if any; DynamoDB refuses to project both.

    Equal paths do not count: they are projected once.
    """
    distinct = sorted(set(paths))
    for outer, inner in pairwise(distinct):
        if inner[: len(outer)] == outer:
            return outer, inner
    return None
