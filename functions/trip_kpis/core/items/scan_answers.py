"""Decodes DynamoDB's answers to Scan requests as pages."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

import msgspec

from trip_kpis.core.items.attributes import AttributePath, Item, key_from_json
from trip_kpis.core.items.pages import Columns, Page, all_members


class ScanAnswers:
    """Decodes the answers to Scan requests that ask for some paths."""

    def __init__(
        self, paths: Sequence[AttributePath], flags: Set[AttributePath] = frozenset()
    ) -> None:
        """Creates the decoder; `flags` are the paths at which there may be a Boolean."""
        self._columns = Columns(paths, flags)
        self._answers = msgspec.json.Decoder(_Answer[self._columns.item])  # type: ignore[name-defined]

    def page(self, body: bytes) -> Page:
        """Decodes a page, whose cursor is LastEvaluatedKey. Raises msgspec.DecodeError for what is
        no answer to a Scan."""
        answer = self._answers.decode(body)
        return Page(
            columns=self._columns.of(answer.items),
            scanned=answer.scanned_count,
            read_units=answer.consumed_capacity.capacity_units,
            end=answer.last_evaluated_key or None,
            body=body,
            undecoded=_undecoded_items,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WholePage:
    """One answer to a Scan request without filter and projection: its complete items."""

    items: Sequence[Item]
    """the items; the content of lists and sets is not decoded (msgspec.Raw)"""
    read_units: float
    end_key: Item | None
    """LastEvaluatedKey; None at the segment's end"""


def whole_page(body: bytes) -> WholePage:
    """Decodes the page with every attribute. Raises msgspec.DecodeError for what is no answer to a
    Scan."""
    answer = _UNDECODED_ITEMS.decode(body)
    return WholePage(
        items=[all_members(item) for item in answer.items],
        read_units=answer.consumed_capacity.capacity_units,
        end_key=key_from_json(answer.last_evaluated_key or None),
    )


@lru_cache(maxsize=8)
def scan_answers(
    *paths: AttributePath, flags: frozenset[AttributePath] = frozenset()
) -> ScanAnswers:
    """Returns a decoder whose pages have a column for each of the paths, in this order; `flags` are
    the paths at which there may be a Boolean."""
    return ScanAnswers(paths, flags)


_OneItem = TypeVar("_OneItem")


class _Capacity(msgspec.Struct, rename="pascal", frozen=True, gc=False):
    capacity_units: float = 0.0


class _Answer(msgspec.Struct, Generic[_OneItem], rename="pascal", gc=False):
    scanned_count: int
    items: list[_OneItem] = []
    consumed_capacity: _Capacity = _Capacity()
    last_evaluated_key: dict[str, dict[str, str]] | None = None


_UNDECODED_ITEMS = msgspec.json.Decoder(_Answer[msgspec.Raw])


def _undecoded_items(body: bytes) -> Sequence[msgspec.Raw]:
    return _UNDECODED_ITEMS.decode(body).items
