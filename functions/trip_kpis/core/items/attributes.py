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

Step = str | int
"""A step into a map by a name, or into a list by an element's number, from 0 on."""

AttributePath = tuple[Step, ...]
"""The steps from an item's top level downwards; the first step is a name."""


_ESCAPED = re.compile(r"\\[.\[\\\s]")
_ELEMENT = re.compile(r"\[(?P<number>[0-9]{1,5})\](?=[.\[]|\Z)")
_PATH_PART = re.compile(rf"{_ELEMENT.pattern}|{_ESCAPED.pattern}|.", re.DOTALL)


def parse_path(dotted: str, *, setting: str) -> AttributePath:
    r"""Parses ``charges[0].fare_amount`` to ``("charges", 0, "fare_amount")``; inverts
    `dotted_path`.

    A dot or an opening bracket behind a backslash belongs to the name: ``fare\.amount`` ->
    ``("fare.amount",)``. So do a backslash and a blank behind one. Any other backslash is one of
    the name's own characters.

    Raises SettingError, naming `setting`, for an empty name, or one with a blank around it that is
    not behind a backslash.
    """
    steps: list[list[str] | int] = [[]]
    for match in _PATH_PART.finditer(dotted):
        part, last = match[0], steps[-1]
        if match["number"]:
            if last == []:
                raise _no_path(dotted, setting)
            steps.append(int(match["number"]))
        elif part == ".":
            steps.append([])
        elif isinstance(last, list):
            last.append(part)
        else:
            raise _no_path(dotted, setting)
    names = [step for step in steps if isinstance(step, list)]
    if not all(name and not name[0].isspace() and not name[-1].isspace() for name in names):
        raise _no_path(dotted, setting)
    return tuple(
        step if isinstance(step, int) else "".join(part[-1] for part in step) for step in steps
    )


def _no_path(dotted: str, setting: str) -> SettingError:
    return SettingError(
        f"{setting} is {dotted!r}: an attribute path is one name, or names with dots between "
        "them for nested maps, such as trip_end.fare_amount, and [0] for a list's first element; "
        r"a dot or a bracket that belongs to a name is written \. or \[, and a blank around a name "
        "is written with a backslash before it"
    )


def dotted_path(path: AttributePath) -> str:
    r"""Formats ``("charges", 0, "fare_amount")`` as ``charges[0].fare_amount``; a dot in a name
    becomes ``\.``."""
    first, *rest = path
    return "".join(
        [
            _escaped(str(first)),
            *(f"[{step}]" if isinstance(step, int) else f".{_escaped(step)}" for step in rest),
        ]
    )


def _escaped(name: str) -> str:
    escaped = re.sub(r"\\(?=[.\[\\\s]|\Z)", r"\\\\", name).replace(".", r"\.")
    escaped = re.sub(r"\[(?=[0-9]{1,5}\](?:[.\[]|\Z))", r"\\[", escaped)
    escaped = re.sub(r"\s\Z", r"\\\g<0>", escaped)
    return re.sub(r"^\s", r"\\\g<0>", escaped)


def find(item: Item, path: AttributePath) -> AttributeValue | None:
    """Returns the value at `path`; None if the value, or a map or list on the way to it, is
    absent."""
    value = item.get(str(path[0]))
    for step in path[1:]:
        if value is None:
            return None
        if isinstance(step, int):
            elements = value.get("L", ())
            value = elements[step] if step < len(elements) else None
        else:
            value = value.get("M", {}).get(step)
    return value


def is_missing(value: AttributeValue | None) -> bool:
    """Returns whether a value is absent, NULL or an empty String: all three mean that there is no
    value."""
    return value is None or "NULL" in value or value.get("S") == ""


def key_to_json(key: Item | None) -> dict[str, dict[str, str]] | None:
    """Returns a key in DynamoDB JSON as it is transmitted: a Binary becomes base64 text."""
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
    """Returns two paths of which one is inside the other, if there are any; DynamoDB refuses to
    project both.

    Equal paths do not count: they are projected once.
    """
    distinct = sorted(set(paths), key=lambda path: tuple(map(repr, path)))
    for outer, inner in pairwise(distinct):
        if inner[: len(outer)] == outer:
            return outer, inner
    return None
