"""One page of a scan: DynamoDB's answer, of which only what a plan needs is decoded.

A trip has a dozen attributes that no KPI asks for, and decoding all of them costs ten times what
the rest of the work does. So the decoder is told the attributes' places beforehand and skips
everything else; an item that has to be looked at as a whole is decoded when somebody asks for it.
"""

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from typing import Generic, TypeVar

import msgspec

from trip_kpis.core.attributes import AttributePath, Item
from trip_kpis.core.parts import key_from_json


class Leaf(msgspec.Struct, frozen=True, gc=False):
    """An attribute value that may be a fare or a time.

    Neither `S` nor `N`: it is absent, of another type, or could not be decoded on its own; the item
    as a whole tells.
    """

    S: str | None = None
    N: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer to a Scan request."""

    columns: Sequence[Sequence[Leaf]]
    """for every path that was asked for, the value of each item that the filter left"""
    scanned: int
    """items that DynamoDB read, before its filter"""
    read_units: float
    end_key: Item | None
    """LastEvaluatedKey; None at the segment's end, and only there"""
    body: bytes = field(repr=False)

    @property
    def length(self) -> int:
        """Items that the filter left of the page; 0 does not mean the end."""
        return len(self.columns[0])

    def items(self, numbers: Iterable[int]) -> list[Item]:
        """These of the page's items, as a whole, in DynamoDB JSON as it goes over the wire."""
        raw = _UNDECODED_ITEMS.decode(self.body).items
        return [msgspec.json.decode(raw[number]) for number in numbers]


class PageDecoder:
    """Decodes the answers to Scan requests that ask for certain paths."""

    def __init__(self, paths: Sequence[AttributePath]) -> None:
        self._columns = [attrgetter(".M.".join(map(_place, path))) for path in paths]
        self._answers = msgspec.json.Decoder(_Answer[_map_of(set(paths))])  # type: ignore[misc]

    def decode(self, body: bytes) -> Page:
        """The page. Raises msgspec.DecodeError for what is no answer to a Scan."""
        answer = self._answers.decode(body)
        return Page(
            columns=[list(map(column, answer.items)) for column in self._columns],
            scanned=answer.scanned_count,
            read_units=answer.consumed_capacity.capacity_units,
            end_key=key_from_json(answer.last_evaluated_key or None),
            body=body,
        )


@lru_cache(maxsize=8)
def page_decoder(*paths: AttributePath) -> PageDecoder:
    """A decoder whose pages have a column for each of the paths, in this order."""
    return PageDecoder(paths)


_OneItem = TypeVar("_OneItem")


class _Capacity(msgspec.Struct, rename="pascal", frozen=True, gc=False):
    capacity_units: float = 0.0


class _Answer(msgspec.Struct, Generic[_OneItem], rename="pascal", gc=False):
    scanned_count: int
    items: list[_OneItem] = []
    consumed_capacity: _Capacity = _Capacity()
    last_evaluated_key: dict[str, dict[str, str]] | None = None


_UNDECODED_ITEMS = msgspec.json.Decoder(_Answer[msgspec.Raw])


_UNMATCHED = re.compile(r'["\\\x00-\x1f]')
"""msgspec finds no field by a name with one of these; its values are left undecoded."""


def _map_of(paths: Set[AttributePath]) -> type[msgspec.Struct]:
    """A struct with a place for every one of the paths and for nothing else."""
    places: dict[str, str] = {}
    fields: list[tuple[str, type[msgspec.Struct], msgspec.Struct]] = []
    for name in sorted({path[0] for path in paths}):
        within = {path[1:] for path in paths if path[0] == name}
        value: type[msgspec.Struct] = Leaf
        if () not in within:
            nested = _map_of(within)
            value = msgspec.defstruct("Nested", [("M", nested, nested())], frozen=True, gc=False)
        if not _UNMATCHED.search(name):
            places[_place(name)] = name
        fields.append((_place(name), value, value()))
    return msgspec.defstruct("Map", fields, rename=places, frozen=True, gc=False)


def _place(name: str) -> str:
    """A field's name for an attribute's, whatever characters that has."""
    return f"at_{name.encode().hex()}"
