"""What a builder holds in memory until it is appended."""

import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from tests.samples import RULES, page, trip
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.log.part_builder import PartBuilder, Position

MB = 2**20


def a_builder() -> PartBuilder:
    return PartBuilder(position=Position(), rules=RULES)


@pytest.fixture
def traced() -> Iterator[None]:
    """The memory that Python takes is counted; it does not depend on the machine's speed."""
    a_builder().add(page([trip("a", fare_amount={"L": []})]))  # imports
    tracemalloc.start()
    yield
    tracemalloc.stop()


def trips_with_lists(*, trips: int, numbers: int) -> list[dict[str, Any]]:
    fare = {"L": [{"N": str(10_000 + n)} for n in range(numbers)]}
    return [trip(f"t-{n}", fare_amount=fare) for n in range(trips)]


@pytest.mark.usefixtures("traced")
def test_a_builder_takes_as_much_memory_as_it_says() -> None:
    pages = [page(trips_with_lists(trips=50, numbers=1_000)) for _ in range(4)]
    builder = a_builder()
    before, _ = tracemalloc.get_traced_memory()
    for one in pages:
        builder.add(one)
    held = tracemalloc.get_traced_memory()[0] - before
    assert builder.counts.rejected == {Reason.FARE_WRONG_TYPE: 200}
    assert builder.quarantine_bytes > 2 * MB
    assert held < 1.05 * builder.quarantine_bytes + MB / 4


@pytest.mark.usefixtures("traced")
def test_a_page_is_not_decoded_into_memory_as_a_whole() -> None:
    """As an object, each number takes fifteen times the bytes that it has in the answer."""
    one = page(trips_with_lists(trips=200, numbers=1_000))
    builder = a_builder()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    builder.add(one)
    peak = tracemalloc.get_traced_memory()[1] - before
    assert peak < 3 * len(one.body)


def test_the_quarantine_has_a_line_for_every_rejected_trip() -> None:
    builder = a_builder()
    builder.add(page([trip("a", fare_amount={"S": "zwölf"}), trip("b")]))
    builder.add(page([trip("c", pickup_datetime=None)]))
    assert builder.quarantine == (
        b'{"key": {"trip_id": {"S": "a"}}, "reason": "fare_not_a_number", '
        b'"attribute": "fare_amount", "value": {"S": "zw\xc3\xb6lf"}}\n'
        b'{"key": {"trip_id": {"S": "c"}}, "reason": "time_missing", '
        b'"attribute": "pickup_datetime", "value": null}\n'
    )
    assert builder.quarantine_bytes == len(builder.quarantine)


@pytest.mark.parametrize(
    "value",
    [
        {"S": 'a "quoted"\n\\ \x00 \x7f / \u2028 🚕'},
        {"L": [{"N": "1"}, {"M": {"é": {"NULL": True}}}, {"L": []}]},
        {"M": {}},
        {"SS": ["b", "ä"]},
        {"B": "AP8="},
        {"BOOL": False},
    ],
)
def test_a_line_is_the_json_of_the_value_as_it_came(value: dict[str, Any]) -> None:
    builder = a_builder()
    builder.add(page([trip("a", fare_amount=value)]))
    document = {
        "key": {"trip_id": {"S": "a"}},
        "reason": "fare_not_a_number" if "S" in value else "fare_wrong_type",
        "attribute": "fare_amount",
        "value": value,
    }
    assert builder.quarantine.decode() == json.dumps(document, ensure_ascii=False) + "\n"
