"""Pages of a scan, made up in advance: the bytes of every answer, and the figures of the trips."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

from bench.known import KnownDay, KnownDays, known_days, of_many
from bench.trips import DAY, ESTIMATE, FARE, KEY, PAGE_BYTES, Item, Shape, make_up_trip

DISTINCT_PAGES = 8
"""A table repeats them: more would only take longer to make up."""
_PROJECTED = (KEY, DAY, FARE, ESTIMATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer to a Scan request but for its end, which tells one page of a table from another."""

    body: bytes
    """open: what is left out is a comma, further members and the closing brace"""
    crc: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUpPage:
    """1 MB of a table. Projected means the key and what the KPIs need, filtered means without the
    trips that have no estimated fare."""

    scanned: int
    days: KnownDays
    answers: dict[tuple[bool, bool], Answer]
    """by (projected, filtered)"""


def make_up_pages(
    shape: Shape, *, pages: int = DISTINCT_PAGES, rejected_per_page: int = 0, seed: int = 11
) -> list[MadeUpPage]:
    """Makes up pages, the same ones for the same seed."""
    return [
        _page(shape, random.Random(f"{seed}/{page}"), page, rejected_per_page)
        for page in range(pages)
    ]


def days_of_table(pages: Sequence[MadeUpPage], *, length: int) -> dict[str, KnownDay]:
    """Returns the days of a table that is `length` pages long and repeats these pages."""
    rounds, more = divmod(length, len(pages))
    return of_many((page.days, rounds + (number < more)) for number, page in enumerate(pages))


def _page(shape: Shape, chance: random.Random, number: int, rejected_per_page: int) -> MadeUpPage:
    ends = [PAGE_BYTES * trip // shape.trips_per_page for trip in range(shape.trips_per_page + 1)]
    trips = [
        make_up_trip(
            chance,
            number * shape.trips_per_page + trip,
            shape=shape,
            size=ends[trip + 1] - ends[trip],
            rejected=trip < rejected_per_page,
        )
        for trip in range(shape.trips_per_page)
    ]
    return MadeUpPage(
        scanned=len(trips),
        days=known_days(trips),
        answers={
            (projected, filtered): _answer(
                [trip.item for trip in trips], projected=projected, filtered=filtered
            )
            for projected in (False, True)
            for filtered in (False, True)
        },
    )


def _answer(items: list[Item], *, projected: bool, filtered: bool) -> Answer:
    kept = [item for item in items if ESTIMATE in item] if filtered else items
    if projected:
        kept = [{name: item[name] for name in _PROJECTED if name in item} for item in kept]
    members = {"Count": len(kept), "Items": kept, "ScannedCount": len(items)}
    body = json.dumps(members, separators=(",", ":")).encode().removesuffix(b"}")
    return Answer(body=body, crc=crc32(body))
