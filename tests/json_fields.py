"""The fields of `--json` documents: as docs/ops.md has them, and as a document has them."""

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / "docs" / "ops.md"

Fields = dict[str, set[str]]
"""types by the paths of fields: ``executions[].name``, ``rejected.<reason>``"""

_LINK = re.compile(r"\[([^\]]+)\]\(#[a-z-]+\)")


def documented(heading: str) -> Fields:
    """The table under this heading of the page, with those of the records that it links to."""
    page = PAGE.read_text(encoding="utf-8")
    start = rf"^### {re.escape(heading)}\n"
    (section,) = re.findall(rf"{start}(.*?)(?=^##|\Z)", page, re.M | re.S | re.I)
    fields: Fields = {}
    for name, kind in re.findall(r"^\| (`[^`]+`|…) \| ([^|]+) \|", section, re.M):
        path = name.strip("`").replace("…", "")
        types = {one.strip() for one in _LINK.sub("object", kind).split(" or ")}
        if path:
            fields[path] = {one.partition(" of ")[0] for one in types}
        for element in (one for one in types if one == "list of text"):
            fields[f"{path}[]"] = {element.removeprefix("list of ")}
        for record in _LINK.findall(kind):
            inner = f"{path}[]." if kind.startswith("list") else f"{path}." if path else ""
            for field, of_field in documented(record).items():
                fields.setdefault(f"{inner}{field}", of_field)
    return fields


def check_fields(
    heading: str, documents: Iterable[Any], *, unseen: Collection[str] = frozenset()
) -> None:
    """All fields of the documents are documented, with their types; and all that is documented is
    in one of the documents, but for the `unseen`."""
    known = documented(heading)
    seen: Fields = {}
    for document in documents:
        for path, kind in _walked(document, "", known):
            seen.setdefault(path, set()).add(kind)
    assert sorted(seen) == sorted(known.keys() - {*unseen})
    for path, kinds in seen.items():
        also = {"integer"} if "number" in known[path] else set()
        assert "any" in known[path] or kinds <= known[path] | also, path


def _walked(value: Any, path: str, known: Fields) -> Iterator[tuple[str, str]]:
    if path:
        yield path, _kind(value)
    if known.get(path) == {"any"}:
        return
    if isinstance(value, list):
        for one in value:
            for inner, kind in _walked(one, f"{path}[]", known):
                # An object in a list needs no line of its own: its fields have theirs.
                if inner != f"{path}[]" or kind != "object":
                    yield inner, kind
    elif isinstance(value, dict):
        prefix = f"{path}." if path else ""
        free = next((one for one in known if re.fullmatch(rf"{re.escape(prefix)}<\w+>", one)), None)
        for name, one in value.items():
            inner = f"{prefix}{name}"
            yield from _walked(one, inner if inner in known else free or inner, known)


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case _:
            return "object"
