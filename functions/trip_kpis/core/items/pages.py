"""A page of items, of which only what a plan needs is decoded, whichever source it comes from.

A trip has a dozen attributes that no KPI asks for, and decoding all of them costs ten times what
the rest of the work does. So a decoder gets the attributes' places beforehand and skips everything
else; an item that has to be looked at as a whole is decoded when somebody asks for it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, ClassVar, cast

import msgspec

from trip_kpis.core.items.attributes import AttributePath, AttributeValue, Item, Step

Cursor = Mapping[str, Any]
"""A place in a segment, after which a source can go on: JSON that its source alone understands."""


class Leaf(msgspec.Struct, frozen=True, gc=False):
    """An attribute value that may be a number or a text, or say that there is none.

    With none of its fields it is absent (ABSENT itself), of another type, or could not be decoded
    on its own; only the whole item has it.
    """

    S: str | None = None
    N: str | None = None
    NULL: bool | None = None
    BOOL: ClassVar[bool | None] = None

    @property
    def is_missing(self) -> bool:
        """Surely: absent, NULL or an empty String."""
        return self is ABSENT or self is _NO_FLAG or self.NULL is not None or self.S == ""

    @property
    def is_decoded(self) -> bool:
        """What it is, and that it is absent, is known without the whole item."""
        return (
            self.S is not None
            or self.N is not None
            or self.BOOL is not None
            or self.NULL is not None
            or self is ABSENT
            or self is _NO_FLAG
        )


class _Flag(Leaf, frozen=True, gc=False):
    """One that may also be a truth value: decoding a field more is not free."""

    BOOL: bool | None = None  # type: ignore[misc]


ABSENT, _UNDECODED, _NO_FLAG = Leaf(), Leaf(), _Flag()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Items that were read at once."""

    columns: Sequence[Sequence[Leaf]]
    """for every path that was asked for, the value of each item that is there"""
    scanned: int
    """items that the source read, also those that it has filtered out"""
    read_units: float = 0.0
    end: Cursor | None
    """after its last item; None at the segment's end, and only there"""
    body: bytes = field(repr=False)
    """the items as they came"""
    undecoded: Callable[[bytes], Sequence[msgspec.Raw]] = field(repr=False)
    """finds them there"""
    resumes_at_once: bool = True
    """a worker that goes on at its end has nothing to do again"""
    sought_ms: int = 0
    """how long it took to find the place at which the page begins, where that is not at once"""

    @property
    def length(self) -> int:
        """Items that the filter left of the page; 0 does not mean the end."""
        return len(self.columns[0])

    def items(self, numbers: Iterable[int], *, paths: Iterable[AttributePath]) -> Iterator[Item]:
        """These of the page's items, one after the other, with what they have at these paths.

        They are in DynamoDB JSON as it goes over the wire, but the content of a list or a set, and
        of a map that no path leads through, stays as it came (msgspec.Raw): as objects, the
        elements of a list can take a hundred times the bytes that they have in the table.
        """
        wanted, places = list(numbers), _places(paths)
        items = self.undecoded(self.body) if wanted else []
        for number in wanted:
            yield _members(items[number], places)


class Columns:
    """The values at certain paths, of items that are decoded no further than that."""

    def __init__(
        self, paths: Sequence[AttributePath], flags: Set[AttributePath] = frozenset()
    ) -> None:
        """`flags` are those of the paths where there may be a truth value."""
        leaves = {path: _NO_FLAG if path in flags else ABSENT for path in paths}
        self.item = _map_of({path: leaf for path, leaf in leaves.items() if _is_decodable(path)})
        """the type that an item is to be decoded as"""
        self._ways = list(map(_way_to, paths))

    def of(self, items: Sequence[Any]) -> list[list[Leaf]]:
        """A column for each of the paths, in their order; `items` are of the type `item`."""
        return [list(map(way, items)) for way in self._ways]


def all_members(undecoded: msgspec.Raw) -> Item:
    """What an item, or the content of a map, has. Lists and sets stay undecoded."""
    return {
        name: {
            kind: all_members(content) if kind == "M" else _content(kind, content, {})
            for kind, content in _UNDECODED_MEMBERS.decode(value).items()
        }
        for name, value in _UNDECODED_MEMBERS.decode(undecoded).items()
    }


_UNDECODED_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_UNDECODED_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])
_SCALARS = {"S", "N", "B", "BOOL", "NULL"}
_Places = dict[Step, "_Places"]
"""Steps, and below each those into the map or the list that there may be."""


def _places(paths: Iterable[AttributePath]) -> _Places:
    """All steps of the paths; below the last step of a path there are none."""
    places: _Places = {}
    for path in paths:
        below = places
        for step in path:
            below = below.setdefault(step, {})
    return places


def _members(undecoded: msgspec.Raw, places: _Places) -> Item:
    """What an item, or the content of a map, has at these places."""
    members = _UNDECODED_MEMBERS.decode(undecoded)
    return {
        name: _value(members[name], below)
        for name, below in places.items()
        if isinstance(name, str) and name in members
    }


def _value(undecoded: msgspec.Raw, below: _Places) -> AttributeValue:
    return {
        kind: _content(kind, content, below)
        for kind, content in _UNDECODED_MEMBERS.decode(undecoded).items()
    }


def _content(kind: str, undecoded: msgspec.Raw, below: _Places) -> Any:
    if kind in _SCALARS:
        return msgspec.json.decode(undecoded)
    if kind == "L" and any(isinstance(step, int) for step in below):
        return [
            _value(element, below[number]) if number in below else element
            for number, element in enumerate(_UNDECODED_ELEMENTS.decode(undecoded))
        ]
    return _members(undecoded, below) if kind == "M" and below else undecoded


_Leaves = Mapping[AttributePath, Leaf]
"""Paths, and what an absent value is there."""


def _map_of(leaves: _Leaves) -> type[msgspec.Struct]:
    """A struct with a place for every one of the paths and for nothing else."""
    fields: list[tuple[str, type[msgspec.Struct], msgspec.Struct]] = []
    names = sorted({str(path[0]) for path in leaves})
    for name in names:
        below = {path[1:]: leaf for path, leaf in leaves.items() if path[0] == name}
        default = _value_with(below)
        fields.append((_place(name), type(default), default))
    places = {_place(name): name for name in names}
    return msgspec.defstruct("Map", fields, rename=places, frozen=True, gc=False)


def _value_with(leaves: _Leaves) -> msgspec.Struct:
    """What an absent value is that may be asked for itself (an empty path), or for its members.

    The elements of a list all get the places that any of them is asked for.
    """
    itself = leaves.get(())
    if itself is not None and len(leaves) == 1:
        return itself
    fields: list[tuple[str, Any, Any]] = []
    if into_map := {
        path: leaf for path, leaf in leaves.items() if path and isinstance(path[0], str)
    }:
        nested = _map_of(into_map)
        fields.append(("M", nested, nested()))
    if into_list := {
        path[1:]: leaf for path, leaf in leaves.items() if path and isinstance(path[0], int)
    }:
        fields.append(("L", list[type(_value_with(into_list))], []))  # type: ignore[misc]
    bases = () if itself is None else (type(itself),)
    value: msgspec.Struct = msgspec.defstruct("Value", fields, bases=bases, frozen=True, gc=False)()
    return value


def _is_decodable(path: AttributePath) -> bool:
    """msgspec finds no field by a name with a quote, a backslash or a control character."""
    return not any(isinstance(step, str) and re.search(r'["\\\x00-\x1f]', step) for step in path)


def _way_to(path: AttributePath) -> Callable[[Any], Leaf]:
    """From an item's struct to the value at the path."""
    if not _is_decodable(path):
        return lambda _: _UNDECODED
    names = [step for step in path if isinstance(step, str)]
    if len(names) == len(path):
        return attrgetter(".M.".join(map(_place, names)))

    def way(item: Any) -> Leaf:
        value = getattr(item, _place(names[0]))
        for step in path[1:]:
            if isinstance(step, str):
                value = getattr(value.M, _place(step))
            elif step < len(value.L):
                value = value.L[step]
            else:
                return ABSENT
        return cast(Leaf, value)

    return way


def _place(name: str) -> str:
    """A field's name for an attribute's, whatever characters that has."""
    return f"at_{name.encode().hex()}"
