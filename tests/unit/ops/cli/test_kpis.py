"""`ops kpis`: what is published, as one table."""

import csv
import json
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from pyarrow import parquet

from ops.cli.main import MISTAKE, main
from tests.runs_left import leave_run
from tests.unit.ops.cli.test_loading import ended

DIGITS = "3066.250000000000000001"


def kpis(out: Path, *arguments: str | Path) -> Result:
    runner = CliRunner(mix_stderr=False)
    return runner.invoke(main, ["kpis", "--out", str(out), *map(str, arguments)])


def leave_groups(out: Path, day: str, *groups: str) -> None:
    """Each as JSON, without the day."""
    file = out / f"breakdowns/by=city/date={day}/kpis.jsonl"
    file.parent.mkdir(parents=True)
    lines = [f'{{"date":"{day}",{group}}}\n' for group in groups]
    file.write_text("".join(lines), encoding="utf-8")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Three days of a finished run, and a breakdown of two of them."""
    leave_run(tmp_path)
    leave_groups(
        tmp_path,
        "2024-05-01",
        '"city":null,"trip_count":1,"total_fare":7',
        '"city":"=HYPERLINK(1)","trip_count":2,"total_fare":-3',
    )
    leave_groups(tmp_path, "2024-05-02", f'"city":"Köln, Süd","trip_count":3,"total_fare":{DIGITS}')
    return tmp_path


def test_the_days_are_shown_with_all_digits(out: Path) -> None:
    done = kpis(out)
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[:2] == [
        ["Published", "KPIs"],
        ["date", "trip_count", "total_fare", "average_fare", "max_fare", "min_fare"],
    ]
    assert rows[3][:3] == ["2024-05-02", "3", "1,009.750000000000000001"]
    assert len(rows) == 5


def test_only_the_days_that_were_asked_for(out: Path) -> None:
    document = json.loads(kpis(out, "--from", "2024-05-02", "--to", "2024-05-02", "--json").stdout)
    (row,) = document["rows"]
    assert (row["date"], row["kpis"]["trip_count"]) == ("2024-05-02", 3)
    assert row["kpis"]["total_fare"] == "1009.750000000000000001"
    assert len(json.loads(kpis(out, "--from", "2024-05-02", "--json").stdout)["rows"]) == 2
    assert len(json.loads(kpis(out, "--to", "2024-05-02", "--json").stdout)["rows"]) == 2
    assert kpis(out, "--from", "2030-01-01").stdout == "No KPIs are published for these days.\n"


def test_csv_has_the_digits_of_the_objects_and_no_formula(out: Path, tmp_path: Path) -> None:
    there = kpis(out, "--breakdown", "city", "--csv", "-").stdout
    assert list(csv.reader(StringIO(there))) == [
        ["date", "city", "trip_count", "total_fare"],
        ["2024-05-01", "", "1", "7"],
        ["2024-05-01", "'=HYPERLINK(1)", "2", "-3"],
        ["2024-05-02", "Köln, Süd", "3", DIGITS],
    ]
    done = kpis(out, "--breakdown", "city", "--csv", tmp_path / "cities.csv")
    assert (done.stdout, "Wrote 3 rows to" in done.stderr) == ("", True)
    assert (tmp_path / "cities.csv").read_text(encoding="utf-8") == there


def test_parquet_has_exact_decimals_and_whole_counts(out: Path, tmp_path: Path) -> None:
    file = tmp_path / "cities.parquet"
    assert kpis(out, "--breakdown", "city", "--parquet", file).exit_code == 0
    table = parquet.read_table(file)
    assert {field.name: field.type for field in table.schema} == {
        "date": pa.date32(),
        "city": pa.string(),
        "trip_count": pa.int64(),
        "total_fare": pa.decimal128(38, 18),
    }
    assert table.to_pylist()[1:] == [
        {
            "date": date(2024, 5, 1),
            "city": "=HYPERLINK(1)",
            "trip_count": 2,
            "total_fare": Decimal(-3),
        },
        {
            "date": date(2024, 5, 2),
            "city": "Köln, Süd",
            "trip_count": 3,
            "total_fare": Decimal(DIGITS),
        },
    ]
    assert table["city"][0].as_py() is None


@pytest.mark.parametrize("name", ["town", "*", "../by=city"])
def test_a_breakdown_that_is_not_there_is_named_with_those_that_are(out: Path, name: str) -> None:
    done = kpis(out, "--breakdown", name)
    assert done.exit_code == MISTAKE
    assert f"has no breakdown {name!r}: there are city" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--from", "2024-05-02", "--to", "2024-05-01"), "--from 2024-05-02 is after --to"),
        (("--csv", "-", "--json"), "cannot be combined"),
        (("--csv", "/dev/null/none.csv"), "cannot be written"),
        (("--parquet", "/dev/null/none.parquet"), "cannot be written"),
    ],
)
def test_a_mistake_is_said(out: Path, arguments: tuple[str, ...], says: str) -> None:
    done = kpis(out, *arguments)
    assert (done.exit_code, says in done.stderr) == (MISTAKE, True)


def test_pyarrow_is_loaded_for_parquet_alone(out: Path, tmp_path: Path) -> None:
    call = ("kpis", "--out", str(out), "--breakdown", "city")
    status, modules, _ = ended(tmp_path, *call, "--csv", str(tmp_path / "cities.csv"))
    assert (status, "pyarrow" in modules) == (0, False)
    status, modules, _ = ended(tmp_path, *call, "--parquet", str(tmp_path / "cities.parquet"))
    assert (status, "pyarrow" in modules) == (0, True)
