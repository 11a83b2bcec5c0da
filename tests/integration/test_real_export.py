"""A data set in the form of a real export, to the last digit what two independent readers make of
its files: plain Python, and DuckDB."""

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.exports import StoredExport
from tests.integration.pipeline import Pipeline
from trip_kpis.core.export import lines

DAYS = [f"2024-05-{day:02d}" for day in range(20, 28)]
FARES = [
    "12.5",
    "0.1",
    "1E+2",
    "1.5E-7",
    "-0",
    "-0.0",
    "0",
    "-12.340",
    "999999999.999999999999999999",
    "-999999999.999999999999999999",
    "0.000000000000000001",
    "1E-18",
    "123456789.012345678901234567",
    "100000000.00000000000000000",
]
TOO_MUCH = [
    "12345678901234567890123456789012345678",
    "33.333333333333333333333333333333333333",
    "-1.2345678901234567890123456789012345678E-10",
    "1E-19",
    "1E+125",
    "1E-130",
    "1000000000",
]
"""Numbers of DynamoDB that no fare can be"""
TEXTS = [
    "Zürich",
    "東京",
    "😀",
    "line\nfeed",
    'tab\t"quote" \\ back',
    "\u2028\u2029\u0085",
    "e\u0301",
]


def fare_of(number: int) -> dict[str, Any]:
    """In a Number or a String."""
    return {"SN"[number % 3 > 0]: FARES[number % len(FARES)]}


def item(number: int) -> dict[str, Any]:
    """With a Binary key, and attributes of every type that nobody asks for."""
    key = bytes([number % 256, number // 256, 0xFF, 0x00])
    return {
        "trip_id": {"B": base64.b64encode(key).decode()},
        "fare_amount": fare_of(number),
        "estimated_fare_amount": {"N": "12"},
        "pickup_datetime": {"S": f"{DAYS[number % 8]}T{number % 24:02d}:19:00.{number % 1000:03d}"},
        "city": {"S": TEXTS[number % len(TEXTS)]},
        "flags": {"BOOL": number % 2 == 0},
        "nothing": {"NULL": True},
        "codes": {"BS": ["AP8=", "AQ=="]},
        "numbers": {"NS": ["1", "2.5", "1E+3"]},
        "names": {"SS": TEXTS},
        "place": {"M": {"fare_amount": {"N": "7"}, "at": {"L": [{"N": "1"}, {"M": {}}]}}},
    }


def large(number: int) -> dict[str, Any]:
    """Of 400 KB."""
    return {**item(number), "padding": {"S": "é" * 204_000}}


def rejected(number: int, fare: str) -> dict[str, Any]:
    return {**item(number), "fare_amount": {"N": fare}}


def files() -> list[list[dict[str, Any]]]:
    """As of a table of several partitions: one has a few items, one a huge one, one none."""
    of = [item(n) for n in range(3_000)]
    wrong = [rejected(4_000 + n, fare) for n, fare in enumerate(TOO_MUCH)]
    without = [{k: v for k, v in item(5_000 + n).items() if k != "fare_amount"} for n in range(7)]
    return [of[:1_500], [], [*of[1_500:1_600], large(3_001)], of[1_600:], [], [*wrong, *without]]


@dataclass(frozen=True, slots=True)
class Read:
    """What was published, and who had read it."""

    pipeline: Pipeline
    export: StoredExport
    summary: dict[str, Any]
    directory: Path
    """with the data files"""


@pytest.fixture(params=["large", "small"])
def read(
    exporting: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Read]:
    """In blocks of the ordinary size, and in small ones."""
    if request.param == "small":
        monkeypatch.setattr(lines, "BLOCK_BYTES", 5_000)
    monkeypatch.setenv("MAX_REJECTED_SHARE", "1")
    exporting.make_table(keys=(("trip_id", "B"),))
    export = exporting.put_export(*files(), prefix="")
    summary = exporting.run(export_manifest=export.url)
    for key in export.data_keys:
        (tmp_path / key.rpartition("/")[2]).write_bytes(export.body(key))
    yield Read(exporting, export, summary, tmp_path)


def published(read: Read) -> dict[str, dict[str, Any]]:
    """The figures of each day, each number as it is written."""
    return {
        key.partition("date=")[2][:10]: json.loads(body, parse_float=Decimal, parse_int=Decimal)
        for key, body in read.pipeline.objects("kpis/").items()
    }


def fares_by_day(directory: Path) -> dict[str, list[Decimal]]:
    """By Python's own gzip, json and Decimal."""
    fares: dict[str, list[Decimal]] = {}
    for file in directory.glob("*.json.gz"):
        with gzip.open(file, "rt", encoding="utf-8", newline="\n") as text:
            for line in text:
                read = json.loads(line)["Item"]
                written = read.get("fare_amount", {})
                fare = written.get("N", written.get("S"))
                if fare is not None and fare not in TOO_MUCH:
                    fares.setdefault(read["pickup_datetime"]["S"][:10], []).append(Decimal(fare))
    return fares


def test_every_figure_is_what_plain_python_makes_of_the_files(read: Read) -> None:
    days = published(read)
    expected = fares_by_day(read.directory)
    assert days.keys() == expected.keys() == set(DAYS)
    for day, fares in expected.items():
        found = days[day]
        assert found["trip_count"] == len(fares)
        total = sum(map(Fraction, fares))
        assert Fraction(found["total_fare"]) == total
        assert (found["min_fare"], found["max_fare"]) == (min(fares), max(fares))
        assert abs(Fraction(found["average_fare"]) - total / len(fares)) <= Fraction(1, 2_000_000)


QUERY = """
SELECT strftime(Item.pickup_datetime.S::TIMESTAMP, '%Y-%m-%d') AS day, count(*),
    sum(fare), min(fare), max(fare)
FROM (
    SELECT Item, coalesce(Item.fare_amount.N, Item.fare_amount.S)::DECIMAL(38, 18) AS fare
    FROM read_json($files, format = 'newline_delimited', maximum_object_size = 10_000_000,
        columns = {Item: 'STRUCT(pickup_datetime STRUCT(S VARCHAR),
            fare_amount STRUCT(N VARCHAR, S VARCHAR))'})
    WHERE NOT list_contains($too_much, coalesce(Item.fare_amount.N, Item.fare_amount.S))
)
GROUP BY day
"""


def test_every_figure_is_what_duckdb_makes_of_the_files(read: Read) -> None:
    found = published(read)
    given = {"files": str(read.directory / "*.json.gz"), "too_much": TOO_MUCH}
    with duckdb.connect() as connection:
        rows = connection.execute(QUERY, given).fetchall()
    assert {day for day, *_ in rows} == found.keys() == set(DAYS)
    for day, *figures in rows:
        names = ("trip_count", "total_fare", "min_fare", "max_fare")
        assert [found[day][name] for name in names] == figures


def test_counts_are_the_manifests(read: Read) -> None:
    summary = read.summary
    assert summary["scanned"] == read.export.written.item_count == 3_000 + 1 + len(TOO_MUCH) + 7
    assert (summary["counted"], summary["incomplete"]) == (3_001, 7)
    assert sum(summary["rejected"].values()) == len(TOO_MUCH)
    assert summary["segments"] == 6


def test_a_rejected_item_has_its_binary_key_and_its_number_as_it_was(read: Read) -> None:
    found = [
        json.loads(line)
        for body in read.pipeline.objects("quarantine/").values()
        for line in body.splitlines()
    ]
    assert {(one["key"]["trip_id"]["B"], one["value"]["N"]) for one in found} == {
        (rejected(4_000 + n, fare)["trip_id"]["B"], fare) for n, fare in enumerate(TOO_MUCH)
    }
