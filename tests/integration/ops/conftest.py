"""Trips in a file, as a user would hand them in."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from bench.known import KnownDay

Item = dict[str, dict[str, Any]]


def trip(number: int, **other: dict[str, Any]) -> Item:
    """A plain trip of one of three days; `other` replaces attributes."""
    return {
        "trip_id": {"S": f"t{number:03d}"},
        "pickup_datetime": {"S": f"2024-05-{1 + number % 3:02d} 10:00:00"},
        "fare_amount": {"S": f"{number}.000000000000000001"},
        "estimated_fare_amount": {"N": "3"},
    } | other


def kpis_of_trips(number: int) -> dict[str, bytes]:
    """What must be published of `trip(0)` to `trip(number - 1)`."""
    fares = [(1 + n % 3, n + Fraction(1, 10**18)) for n in range(number)]
    return {
        f"kpis/date=2024-05-{day:02d}/kpi.json": KnownDay.of(
            fare for on, fare in fares if on == day
        ).kpi_json(f"2024-05-{day:02d}")
        for day in sorted({on for on, _ in fares})
    }


@pytest.fixture
def json_lines(tmp_path: Path) -> Callable[[list[Item]], Path]:
    def write(items: list[Item]) -> Path:
        file = tmp_path / "trips.jsonl"
        file.write_text("".join(json.dumps({"Item": item}) + "\n" for item in items))
        return file

    return write
