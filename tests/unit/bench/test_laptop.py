"""The bench of runs on this machine: what a trip takes, and other figures are not measured."""

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from bench import laptop
from bench.known import KnownDay

ROOT = Path(__file__).resolve().parents[3]
KNOWN = {"2024-05-25": KnownDay.of([Fraction(25, 2)])}


def over(trips: int, *, seconds: float) -> laptop.Input:
    return laptop.Input(command="run", trips=trips, runs=1, wall_seconds=seconds, cpu_seconds=1)


def test_the_start_of_a_run_is_no_time_of_its_trips_but_of_an_exports() -> None:
    few, many = over(50, seconds=5), over(1_050, seconds=15)
    trips, export = laptop.compared(few, many, [over(100_000, seconds=10)])
    assert trips.microseconds_per_trip == pytest.approx(10_000)
    assert trips.ratio == 1
    assert export.microseconds_per_trip == pytest.approx(100)
    assert export.ratio == pytest.approx(100)


def test_other_files_than_the_known_ones_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"published: \[\], known: "):
        laptop._check_files(tmp_path, KNOWN)
    published = tmp_path / "kpis/date=2024-05-25/kpi.json"
    published.parent.mkdir(parents=True)
    published.write_bytes(KNOWN["2024-05-25"].kpi_json("2024-05-25"))
    laptop._check_files(tmp_path, KNOWN)
    published.write_bytes(b"{}")
    with pytest.raises(RuntimeError, match="and must be"):
        laptop._check_files(tmp_path, KNOWN)


def test_a_run_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"nothing\.jsonl"):
        laptop._run("--trips", tmp_path / "nothing.jsonl", KNOWN)


@pytest.mark.slow
def test_runs_over_trips_and_over_an_export_are_measured_from_start_to_report() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "laptop", "--json", "--runs", "1", "--pages", "1",
         "--trips", "20"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    trips, export = json.loads(done.stdout)
    assert (trips["trips"], export["trips"]) == (20, 3_015)
    assert all(one["cpu_seconds"] > 0 for one in (trips, export))


def test_a_table_has_a_row_for_every_input() -> None:
    figures = laptop.Figures(
        command="`ops run --export`, 8 files",
        trips=1_000_980,
        runs=5,
        wall_seconds=33.21,
        cpu_seconds=41.87,
        microseconds_per_trip=33.2,
        ratio=300.4,
    )
    assert laptop.table([figures]).splitlines()[2:] == [
        "| `ops run --export`, 8 files | 1,000,980 | 33.2 s | 41.9 s | 33 µs | 300 |"
    ]
