"""Any assignment of trips to segments, pages and parts publishes the same bytes.

The expected bytes come from `bench.known`: fractions, and no word of the product's code.
"""

import random
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bench.known import KnownDay, decimal_text
from tests.day_rows import COLUMNS
from tests.samples import RULES, header, page, plan, prove, trip
from trip_kpis.core.log.part_builder import PartBuilder, Position
from trip_kpis.core.log.parts import decode, encode
from trip_kpis.core.run.totals import Totals, published

fares = st.one_of(
    st.integers(-(10**27) + 1, 10**27 - 1).map(lambda units: Fraction(units, 10**18)),
    st.integers(-10_000, 10_000).map(lambda cents: Fraction(cents, 100)),
)
trips = st.lists(
    st.tuples(
        st.dates(date(2024, 5, 20), date(2024, 5, 24))
        | st.dates(date(2000, 1, 1), date(2100, 12, 31)),
        fares,
    ),
    max_size=30,
)


def oracle(of: list[tuple[date, Fraction]]) -> list[bytes]:
    return [
        KnownDay.of(fare for when, fare in of if when == day).kpi_json(day.isoformat())
        for day in sorted({when for when, _ in of})
    ]


def items(of: list[tuple[date, Fraction]]) -> list[dict[str, Any]]:
    return [
        trip(
            f"t-{n}",
            fare_amount={"S" if n % 2 else "N": decimal_text(fare)},
            pickup_datetime={"S": f"{day.isoformat()} 13:19:00"},
        )
        for n, (day, fare) in enumerate(of)
    ]


def cut(of: list[Any], rng: random.Random) -> list[list[Any]]:
    """Into consecutive pieces, at least one, some of them empty."""
    ends = sorted(rng.randrange(len(of) + 1) for _ in range(rng.randrange(4)))
    return [of[a:b] for a, b in zip([0, *ends], [*ends, len(of)], strict=True)]


def parts_of(segment: int, pages: list[list[Any]], of: Any, rng: random.Random) -> Iterator[bytes]:
    """The files that a worker leaves which is stopped at any page."""
    position, builder = Position(), PartBuilder(position=Position(), rules=RULES)
    for number, of_page in enumerate(pages):
        last = number == len(pages) - 1
        filtered = rng.randrange(3)
        end_key = None if last else {"trip_id": {"S": f"segment {segment} page {number}"}}
        builder.add(page(of_page, filtered=filtered, end_key=end_key))
        if last or rng.random() < 0.5:
            yield encode(
                header(
                    plan_sha256=of.sha256,
                    segment=segment,
                    part=position.next_part,
                    start=position.start,
                    end=builder.end,
                    counts=builder.counts,
                ),
                builder.partials.table(),
            )
            position = builder.after
            builder = PartBuilder(position=position, rules=RULES)


@given(trips, st.integers(1, 20), st.randoms(use_true_random=False))
def test_any_cut_gives_the_oracles_bytes(
    of: list[tuple[date, Fraction]], total_segments: int, rng: random.Random
) -> None:
    segments: list[list[Any]] = [[] for _ in range(total_segments)]
    shuffled = items(of)
    rng.shuffle(shuffled)
    for item in shuffled:
        rng.choice(segments).append(item)
    run = plan(total_segments=total_segments)
    files = [
        body
        for number, segment in enumerate(segments)
        for body in parts_of(number, cut(segment, rng), run, rng)
    ]
    rng.shuffle(files)

    totals = Totals(RULES.definition)
    parts = [decode(body, key="k", columns=COLUMNS) for body in files]
    for _, table in parts:
        totals.add(table)
    proof = prove(run, [header for header, _ in parts])
    figures = published(totals.table(), RULES.definition, counted=proof.counts.counted)

    assert [day.to_bytes() for day in figures.days] == oracle(of)
    assert proof.counts.counted == len(of)
    assert proof.counts.balances
