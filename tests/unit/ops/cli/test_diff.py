"""`ops diff`: which days two runs do not agree on, and by how much."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from ops.cli.main import main
from ops.runs.comparison import ChangedDay
from ops.runs.run_day import Kpis
from tests.day_rows import fares
from tests.runs_left import leave_run
from tests.samples import PLANNED_AT, plan


def diff(out: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["diff", "a", "b", "--out", str(out), *arguments])


def leave_two(out: Path, **of_b: Any) -> None:
    leave_run(out, run_id="a")
    leave_run(out, run_id="b", planned_at=PLANNED_AT + timedelta(days=1), **of_b)
    for plan_json in out.glob("staging/*/plan.json"):
        plan_json.unlink()


def rewrite(out: Path, run_id: str, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = out / f"runs/run={run_id}/manifest.json"
    document = json.loads(manifest.read_bytes())
    change(document)
    manifest.write_text(json.dumps(document))


def one_trip_more(document: dict[str, Any]) -> None:
    """On the second day, with a fare of 10^-18."""
    day = document["days"][1]
    day["trip_count"] += 1
    day["total_fare"] = "1009.750000000000000002"
    day["average_fare"] = "252.4375"
    document["counted"] += 1
    document["totals"] = {"trip_count": "10", "total_fare": "3066.250000000000000004"}


def test_runs_with_the_same_figures_do_not_differ(tmp_path: Path) -> None:
    leave_two(tmp_path)
    done = diff(tmp_path)
    assert done.exit_code == 0
    assert done.output.startswith("3 days the same; trips 0, total fare 0\n")
    assert json.loads(diff(tmp_path, "--json").output)["same"] == 3


def test_a_day_that_changed_is_reported_to_the_last_digit(tmp_path: Path) -> None:
    leave_two(tmp_path)
    rewrite(tmp_path, "b", one_trip_more)
    done = diff(tmp_path)
    assert done.exit_code == 1
    rows = [line.split() for line in done.output.splitlines() if line.startswith("2024")]
    assert rows == [
        ["2024-05-02", "trip_count", "3", "4", "+1"],
        [
            *("2024-05-02", "total_fare"),
            *("1,009.750000000000000001", "1,009.750000000000000002", "+0.000000000000000001"),
        ],
        ["2024-05-02", "average_fare", "336.583333", "252.4375", "-84.145833"],
    ]
    assert "2 days the same, 1 changed; trips +1, total fare +0.000000000000000001\n" in done.output
    document = json.loads(diff(tmp_path, "--json").output)
    (day,) = document["changed"]
    assert day["before"]["total_fare"] == "1009.750000000000000001"
    assert day["difference"] == {
        "trip_count": 1,
        "total_fare": "0.000000000000000001",
        "average_fare": "-84.145833",
    }
    assert document["difference"] == {"trips": 1, "total_fare": "0.000000000000000001"}


def test_days_that_one_run_alone_has_are_reported(tmp_path: Path) -> None:
    leave_two(tmp_path, days=5)
    done = diff(tmp_path)
    assert done.exit_code == 1
    assert "3 days the same, 2 only in b; trips +6, " in done.output
    assert [line.split()[:4] for line in done.output.splitlines() if "trip_count" in line] == [
        ["2024-05-04", "trip_count", "no", "trips"],
        ["2024-05-05", "trip_count", "no", "trips"],
    ]
    back = CliRunner().invoke(main, ["diff", "b", "a", "--out", str(tmp_path)])
    assert "3 days the same, 2 only in b; trips -6, " in back.output


def test_what_is_published_now_does_not_matter(tmp_path: Path) -> None:
    """A day that a later run has published is compared by what this run came to."""
    leave_two(tmp_path)
    for kpi in tmp_path.glob("kpis/*/kpi.json"):
        kpi.unlink()

    def superseded(document: dict[str, Any]) -> None:
        for day in document["days"]:
            day |= {"outcome": "superseded", "sha256": None}

    rewrite(tmp_path, "a", superseded)
    assert diff(tmp_path).exit_code == 0


@pytest.mark.parametrize(("other", "is_reported"), [("name", False), ("sha256", True)])
def test_a_definition_with_another_name_is_no_other_definition(
    tmp_path: Path, other: str, is_reported: bool
) -> None:
    leave_two(tmp_path)
    for run_id in "ab":
        document = json.loads(plan(run_id).to_bytes())
        if run_id == "b":
            document["kpi_definition"][other] = "another"
        (tmp_path / f"staging/run={run_id}/plan.json").write_text(json.dumps(document))
    said = diff(tmp_path).output
    assert ("other kpi_definition: " in said) == is_reported
    assert "[kpis]" not in said


def test_other_settings_are_reported_and_are_no_difference_by_themselves(tmp_path: Path) -> None:
    leave_two(tmp_path)
    assert "Attributes and time zone are not compared" in diff(tmp_path).output
    for run_id, time_zone in (("a", "UTC"), ("b", "Europe/Berlin")):
        file = tmp_path / f"staging/run={run_id}/plan.json"
        file.write_bytes(plan(run_id, time_zone=time_zone).to_bytes())
    rewrite(tmp_path, "b", lambda document: document.update(table_id="another"))
    done = diff(tmp_path)
    assert done.exit_code == 0
    assert "other time_zone: UTC in a, Europe/Berlin in b\n" in done.output
    assert "other table_id: " in done.output
    assert "not compared" not in done.output
    settings = json.loads(diff(tmp_path, "--json").output)["settings"]
    assert {"name": "time_zone", "before": "UTC", "after": "Europe/Berlin"} in settings


def without_figures(document: dict[str, Any]) -> None:
    for day in document["days"]:
        for figure in ("trip_count", "total_fare", "average_fare", "max_fare", "min_fare"):
            del day[figure]


def test_a_manifest_of_an_earlier_version_has_no_figures_and_says_so(tmp_path: Path) -> None:
    leave_two(tmp_path)
    rewrite(tmp_path, "a", without_figures)
    done = diff(tmp_path)
    assert done.exit_code == 2
    assert "manifest of run a does not have the figures of its days" in done.output
    assert done.output.count("\n") == 1
    for command in (["runs"], ["report"], ["quarantine"]):
        assert CliRunner().invoke(main, [*command, "--out", str(tmp_path)]).exit_code == 0, command


def test_a_run_that_is_not_there_is_named(tmp_path: Path) -> None:
    leave_run(tmp_path, run_id="a")
    done = diff(tmp_path)
    assert done.exit_code == 2
    assert done.output.startswith(f"Error: {tmp_path} has no finished run b: there are a. ")
    assert f" -m ops status b --out {tmp_path}" in done.output


@pytest.mark.parametrize("damage", ["a lot", "", None])
def test_a_figure_that_is_no_number_is_damage(tmp_path: Path, damage: object) -> None:
    leave_two(tmp_path)
    rewrite(tmp_path, "b", lambda document: document["days"][0].update(max_fare=damage))
    done = diff(tmp_path)
    assert done.exit_code == 2
    assert "runs/run=b/manifest.json is no manifest" in done.output


figures = st.fixed_dictionaries(
    {"trips": st.integers(1, 10**11), "revenue": fares, "longest": fares}
)


@given(figures, figures)
def test_before_and_the_differences_make_after(before: Kpis, after: Kpis) -> None:
    changes = ChangedDay(date="2024-05-25", before=before, after=after).changes
    # More digits than any figure has: plain + would round to 28.
    for change in changes:
        assert change.before is not None
        assert change.after is not None
        assert change.difference is not None
        one, other = (Fraction(number) for number in (change.before, change.after))
        assert Fraction(change.difference) == other - one != 0
    for name in before.keys() - {change.figure for change in changes}:
        assert before[name] == after[name]


def test_a_kpi_that_one_definition_has_alone_has_no_difference() -> None:
    before, after = {"trips": 2, "revenue": Decimal(3)}, {"trips": 2, "distance": Decimal(4)}
    changes = ChangedDay(date="2024-05-25", before=before, after=after).changes
    assert [(one.figure, one.before, one.after, one.difference) for one in changes] == [
        ("revenue", Decimal(3), None, None),
        ("distance", None, Decimal(4), None),
    ]


def breakdown(groups: int, sha256: str) -> dict[str, Any]:
    return {"date": "2024-05-02", "outcome": "published", "sha256": sha256, "groups": groups}


def test_a_breakdown_whose_object_changed_is_reported(tmp_path: Path) -> None:
    leave_two(tmp_path)
    for run_id, sha256, groups in (("a", "00", 2), ("b", "ff", 3)):
        by = {"vendor": [breakdown(groups, sha256)], "same": [breakdown(2, "00")]}
        rewrite(tmp_path, run_id, lambda of, by=by: of.update(breakdowns=by))  # type: ignore[misc]
    done = diff(tmp_path)
    assert done.exit_code == 1
    assert [line.split() for line in done.output.splitlines() if line.startswith("2024")] == [
        ["2024-05-02", "vendor", "2", "3"]
    ]
    assert json.loads(diff(tmp_path, "--json").output)["breakdowns"] == [
        {"date": "2024-05-02", "breakdown": "vendor", "groups_before": 2, "groups_after": 3}
    ]
