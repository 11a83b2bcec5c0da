"""Items and attribute values in DynamoDB JSON, and paths into them."""

import base64
import re
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


_ESCAPED = re.compile(r"\\[.\\\s]")
_PATH_PART = re.compile(rf"{_ESCAPED.pattern}|.", re.DOTALL)


def parse_path(dotted: str, *, setting: str) -> AttributePath:
    r"""``trip_end.fare_amount`` -> ``("trip_end", "fare_amount")``; inverts `dotted_path`.

    A dot behind a backslash belongs to the name: ``fare\.amount`` -> ``("fare.amount",)``. So do a
    backslash and a blank behind one. Any other backslash is one of the name's own characters.

    Raises SettingError, naming `setting`, for an empty name, or one with a blank around it that is
    not behind a backslash.
    """
    names: list[list[str]] = [[]]
    for part in _PATH_PART.findall(dotted):
        if part == ".":
            names.append([])
        else:
            names[-1].append(part)
    if not all(name and not name[0].isspace() and not name[-1].isspace() for name in names):
        raise SettingError(
            f"{setting} is {dotted!r}: an attribute path is one name, or names with dots between "
            "them for nested maps, such as trip_end.fare_amount; a dot that belongs to a name is "
            r"written \., and a blank around a name is written with a backslash before it"
        )
    return tuple("".join(part[-1] for part in name) for name in names)


def dotted_path(path: AttributePath) -> str:
    r"""``("trip_end", "fare_amount")`` -> ``trip_end.fare_amount``; a dot in a name becomes
    ``\.``."""
    return ".".join(map(_escaped, path))


def _escaped(name: str) -> str:
    escaped = re.sub(r"\\(?=[.\\\s]|\Z)", r"\\\\", name).replace(".", r"\.")
    escaped = re.sub(r"\s\Z", r"\\\g<0>", escaped)
    return re.sub(r"^\s", r"\\\g<0>", escaped)


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
    """Two paths of which one is inside the other, if any; DynamoDB refuses to project both.

    Equal paths do not count: they are projected once.
    """
    distinct = sorted(set(paths))
    for outer, inner in pairwise(distinct):
        if inner[: len(outer)] == outer:
            return outer, inner
    return None
