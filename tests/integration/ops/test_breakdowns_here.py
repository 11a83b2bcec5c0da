"""Breakdowns of a run on this machine reach its directory, and leave it with their days."""

import json
from pathlib import Path
from typing import Any

from tests.ops_commands import ops

DEFINITION = """
[item]
day = "at"

[item.where]
status = "done"

[kpis]
orders = { count = true }
revenue = { sum = "price" }

[breakdowns]
city = ["city"]
"""
HEAD = "id,status,city,price,at"
FIRST_DAY = ["1,done,Berlin,2.50,2024-05-25", "2,open,Berlin,9,2024-05-25"]
SECOND_DAY = ["3,done,,0.000000000000000001,2024-05-26", "4,done,Köln,7,2024-05-26"]


def run(folder: Path, rows: list[str], *arguments: str) -> dict[str, Any]:
    """The summary."""
    trips, definition = folder / "orders.csv", folder / "orders.toml"
    trips.write_text("\n".join([HEAD, *rows]) + "\n", encoding="utf-8")
    definition.write_text(DEFINITION)
    done = ops(
        *("run", "--trips", trips, "--key", "id", "--definition", definition),
        *("--out", folder / "out", "--segments", "1", "--json", *arguments),
    )
    assert done.returncode == 0, done.stderr
    assert "kpis/, breakdowns/, runs/" in done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def breakdown(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The lines of each object that is there, by its key."""
    out = folder / "out"
    return {
        str(file.relative_to(out)): [json.loads(line) for line in file.read_bytes().splitlines()]
        for file in sorted(out.glob("breakdowns/**/*.jsonl"))
    }


def test_a_day_that_vanished_is_removed_with_its_breakdown(tmp_path: Path) -> None:
    first = run(tmp_path, [*FIRST_DAY, *SECOND_DAY])
    assert (first["excluded"], first["counted"]) == (1, 3)
    of_first_day = {
        "breakdowns/by=city/date=2024-05-25/kpis.jsonl": [
            {"date": "2024-05-25", "city": "Berlin", "orders": 1, "revenue": 2.5}
        ]
    }
    assert breakdown(tmp_path) == {
        **of_first_day,
        "breakdowns/by=city/date=2024-05-26/kpis.jsonl": [
            {"date": "2024-05-26", "city": None, "orders": 1, "revenue": 1e-18},
            {"date": "2024-05-26", "city": "Köln", "orders": 1, "revenue": 7},
        ],
    }
    csv = ops("kpis", "--out", tmp_path / "out", "--breakdown", "city", "--csv", "-").stdout
    assert csv.splitlines() == [
        "date,city,orders,revenue",
        "2024-05-25,Berlin,1,2.5",
        "2024-05-26,,1,0.000000000000000001",
        "2024-05-26,Köln,1,7",
    ]

    second = run(tmp_path, FIRST_DAY, "--parameter", "VanishedDays=remove")
    assert second["days_removed"] == 1
    assert breakdown(tmp_path) == of_first_day
