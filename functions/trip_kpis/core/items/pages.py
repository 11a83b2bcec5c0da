"""A page of items from any source, of which only the values that a plan needs are decoded.

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
"""A position in a segment, after which a source can continue: JSON that only the source
understands."""


class Leaf(msgspec.Struct, frozen=True, gc=False):
    """An attribute value that may be a number or a text, or mean that there is no value.

    With none of its fields it is absent (ABSENT itself), of another type, or could not be decoded
    on its own; only the whole item has it.
    """

    S: str | None = None
    N: str | None = None
    NULL: bool | None = None
    BOOL: ClassVar[bool | None] = None

    @property
    def is_missing(self) -> bool:
        """Returns whether the value is certainly absent, NULL or an empty String."""
        return self is ABSENT or self is _NO_FLAG or self.NULL is not None or self.S == ""

    @property
    def is_decoded(self) -> bool:
        """Returns whether the value, or its absence, is known without decoding the whole item."""
        return (
            self.S is not None
            or self.N is not None
            or self.BOOL is not None
            or self.NULL is not None
            or self is ABSENT
            or self is _NO_FLAG
        )


class _Flag(Leaf, frozen=True, gc=False):
    """A leaf that may also be a Boolean: decoding one more field takes time."""

    BOOL: bool | None = None  # type: ignore[misc]


ABSENT, _UNDECODED, _NO_FLAG = Leaf(), Leaf(), _Flag()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Items that were read in one request, or in one block."""

    columns: Sequence[Sequence[Leaf]]
    """for every requested path, the value of each item of the page"""
    scanned: int
    """items that the source read, also those that it has filtered out"""
    read_units: float = 0.0
    end: Cursor | None
    """the cursor after its last item; None only at the segment's end"""
    body: bytes = field(repr=False)
    """the items as they came from the source"""
    undecoded: Callable[[bytes], Sequence[msgspec.Raw]] = field(repr=False)
    """finds the items in `body`, and does not decode them"""
    resumes_at_once: bool = True
    """a worker that resumes at its end does not have to repeat any work"""
    sought_ms: int = 0
    """milliseconds that finding the beginning of the page took, if that takes time"""

    @property
    def length(self) -> int:
        """Returns the number of items that the filter left of the page; 0 does not mean the end."""
        return len(self.columns[0])

    def items(self, numbers: Iterable[int], *, paths: Iterable[AttributePath]) -> Iterator[Item]:
        """Yields these items of the page, one after the other, with the values at these paths.

        They are in DynamoDB JSON as it goes over the wire, but the content of a list or a set, and
        of a map that no path leads through, stays as it came (msgspec.Raw): as objects, the
        elements of a list can take a hundred times the bytes that they have in the table.
        """
        wanted, places = list(numbers), _places(paths)
        items = self.undecoded(self.body) if wanted else []
        for number in wanted:
            yield _members(items[number], places)


class Columns:
    """Decodes the values at some paths, and nothing else of an item."""

    def __init__(
        self, paths: Sequence[AttributePath], flags: Set[AttributePath] = frozenset()
    ) -> None:
        """Creates the decoder; `flags` are the paths at which there may be a Boolean."""
        leaves = {path: _NO_FLAG if path in flags else ABSENT for path in paths}
        self.item = _map_of({path: leaf for path, leaf in leaves.items() if _is_decodable(path)})
        """the type as which an item must be decoded"""
        self._ways = list(map(_way_to, paths))

    def of(self, items: Sequence[Any]) -> list[list[Leaf]]:
        """Returns a column for each of the paths, in their order; `items` are of the type
        `item`."""
        return [list(map(way, items)) for way in self._ways]


def all_members(undecoded: msgspec.Raw) -> Item:
    """Returns all attributes of an item, or of a map. Lists and sets stay undecoded."""
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
"""A tree of steps: below each step, the steps into its map or list."""


def _places(paths: Iterable[AttributePath]) -> _Places:
    """Returns the tree of all steps of the paths; nothing is below the last step of a path."""
    places: _Places = {}
    for path in paths:
        below = places
        for step in path:
            below = below.setdefault(step, {})
    return places


def _members(undecoded: msgspec.Raw, places: _Places) -> Item:
    """Returns the values of an item, or of a map, at these places."""
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
"""Paths, and the value that an absent attribute has there."""


def _map_of(leaves: _Leaves) -> type[msgspec.Struct]:
    """Returns a struct type with a field for every one of the paths and for nothing else."""
    fields: list[tuple[str, type[msgspec.Struct], msgspec.Struct]] = []
    names = sorted({str(path[0]) for path in leaves})
    for name in names:
        below = {path[1:]: leaf for path, leaf in leaves.items() if path[0] == name}
        default = _value_with(below)
        fields.append((_place(name), type(default), default))
    places = {_place(name): name for name in names}
    return msgspec.defstruct("Map", fields, rename=places, frozen=True, gc=False)


def _value_with(leaves: _Leaves) -> msgspec.Struct:
    """Returns the value of an absent attribute, for itself (an empty path) or for its members.

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
    """Returns whether msgspec can find the field: not by a name with a quote, a backslash or a
    control character."""
    return not any(isinstance(step, str) and re.search(r'["\\\x00-\x1f]', step) for step in path)


def _way_to(path: AttributePath) -> Callable[[Any], Leaf]:
    """Returns the way from an item's struct to the value at the path."""
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
    """Returns a field's name for an attribute's name, whatever characters that has."""
    return f"at_{name.encode().hex()}"
