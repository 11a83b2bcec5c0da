"""`python -m ops estimate` of trips in a file, over a stack of their own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.integration.ops.conftest import trip
from tests.ops_commands import ops

BUDGET = ("--read-units-per-second", "1000000")
"""so large that nothing waits for it"""


def of_file(file: Path, *arguments: str) -> tuple[dict[str, Any], str]:
    """The estimate of the file's trips, and what a person reads beside it."""
    done = ops("estimate", "--trips", file, "--json", *BUDGET, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_trips_in_a_file_are_estimated_over_a_stack_of_their_own(
    json_lines: Callable[..., Path],
) -> None:
    file = json_lines([trip(n) for n in range(7)])
    document, said = of_file(file, "--parameter", "DayAttribute=pickup")
    assert document["item_count"] == document["census"]["items"] == 7
    assert document["census"]["rejected_by_reason"]["time_missing"]["in_table"] == 7
    assert document["advice"][0]["code"] == "attribute_absent"
    assert "\x1b" not in said


def test_a_flattened_column_counts_in_an_estimate_as_in_a_run(tmp_path: Path) -> None:
    """And what is noteworthy in the files is said."""
    file = tmp_path / "trips.csv"
    file.write_text(
        "trip_id,pickup_datetime,trip_end.fare_amount,estimated_fare_amount\n"
        "t1,2024-05-01 10:00:00,1.5,2\n"
        "t1,2024-05-01 10:00:00,2.5,2\n"
    )
    flattened = ("--parameter", "FareAttribute=trip_end.fare_amount")
    document, said = of_file(file, "--same-key", "last", *flattened)
    trips = {name: one["in_table"] for name, one in document["census"]["trips"].items()}
    assert trips == {"counted": 1, "excluded": 0, "incomplete": 0, "rejected": 0}
    assert "1 of the 2 rows of" in said
    assert r"FareAttribute is trip_end\.fare_amount here" in said
