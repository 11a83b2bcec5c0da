"""What the report's page has of breakdowns."""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ops.report.groups import MOST_GROUPS, ByGroup, by_groups
from ops.report.written import write_report
from ops.runs.errors import ResultsError
from ops.runs.finished_run import read_manifest
from tests.runs_left import EVIL, FIRST, leave_breakdown, leave_run

DAYS = [str(FIRST + timedelta(days=n)) for n in range(3)]


def line(day: str, group: str | None, *, trips: int, total: str, attribute: str = "vendor_id",
         low: str = "1", high: str = "9") -> dict[str, object]:  # fmt: skip
    return {
        "date": day,
        attribute: group,
        "trip_count": trips,
        "total_fare": Decimal(total),
        "average_fare": Decimal("1.5"),
        "max_fare": Decimal(high),
        "min_fare": Decimal(low),
    }


SMALL_AND_LARGE = [
    line(DAYS[0], None, trips=1, total="100000000000.000000000000000001", low="-3"),
    line(DAYS[0], "a", trips=5, total="0.1"),
    line(DAYS[1], "a", trips=6, total="0.2", high="12.50"),
    line(DAYS[2], None, trips=2, total="-0.000000000000000003"),
]


def read(manifest: Path) -> ByGroup:
    (found,) = by_groups(manifest.parents[2], read_manifest(manifest))
    return found


def test_figures_are_combined_exactly_over_days(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path)
    leave_breakdown(manifest, "vendor", SMALL_AND_LARGE)
    found = read(manifest)
    assert (found.attributes, found.days) == (("vendor_id",), tuple(DAYS))
    assert (found.size, found.groups_by_day, found.groups_in_all) == ("trip_count", (2, 1, 1), 2)
    assert [(group.values, *group.over_days) for group in found.largest] == [
        (("a",), "11", "0.3", "", "12.5", "1"),
        ((None,), "3", "99999999999.999999999999999998", "", "9", "-3"),
    ]
    assert found.largest[1].by_day[:2] == (
        ("1", "", "2"),
        ("100000000000.000000000000000001", "", "-0.000000000000000003"),
    )


def test_without_the_plan_only_what_can_be_added_up_is_combined(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path)
    leave_breakdown(manifest, "vendor", SMALL_AND_LARGE)
    (tmp_path / "staging/run=run-1/plan.json").unlink()
    assert read(manifest).largest[0].over_days == ("11", "0.3", "", "", "")


def test_the_page_has_the_largest_groups_as_far_as_there_is_room(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path)
    more = MOST_GROUPS + 10
    lines = [line(DAYS[0], f"v{n}", trips=n + 1, total="1") for n in range(more)]
    leave_breakdown(manifest, "vendor", lines)
    found = read(manifest)
    values = [group.values[0] for group in found.largest]
    assert values == [f"v{more - 1 - n}" for n in range(MOST_GROUPS)]
    assert found.groups_in_all == more
    every = found.drawn(1_000_000)["groups"]
    room = sum(len(json.dumps(group)) for group in every[:7])
    assert found.drawn(room)["groups"] == every[:7]
    assert found.drawn(room - 1)["groups"] == every[:6]


def test_a_day_that_groups_by_other_attributes_is_left_out(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path)
    lines = [
        line(DAYS[0], "a", trips=5, total="1", attribute="city"),
        line(DAYS[1], "a", trips=6, total="1"),
    ]
    leave_breakdown(manifest, "vendor", lines)
    found = read(manifest)
    assert (found.days, found.otherwise, found.groups_in_all) == ((DAYS[1],), 1, 1)
    assert "1 day of an earlier definition" in " ".join(page(tmp_path).split())


def test_an_object_that_another_run_has_written_is_not_called_the_runs(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path)
    leave_breakdown(manifest, "vendor", SMALL_AND_LARGE)
    file = tmp_path / f"breakdowns/by=vendor/date={DAYS[1]}/kpis.jsonl"
    file.write_bytes(file.read_bytes().replace(b":6,", b":7,"))
    assert (read(manifest).as_published, read(manifest).published) == (2, 3)
    sentence = "2 of 3 published objects as in the manifest"
    assert sentence in page(tmp_path)
    assert "1 day shown here is not this run's." in page(tmp_path)


def test_a_breakdown_whose_objects_were_not_copied_says_so(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path)
    leave_breakdown(manifest, "vendor", SMALL_AND_LARGE)
    for file in tmp_path.glob("breakdowns/*/*/kpis.jsonl"):
        file.unlink()
    assert "none of its objects is here" in page(tmp_path)
    assert 'id="groups-table"' not in page(tmp_path)


def test_a_breakdown_without_groups_says_so(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path)
    leave_breakdown(manifest, "vendor", [])
    assert "the run has no groups to publish" in page(tmp_path)


def test_a_run_without_breakdowns_has_no_section_of_them(tmp_path: Path) -> None:
    leave_run(tmp_path)
    assert 'id="groups"' not in page(tmp_path)


def test_a_damaged_object_is_named(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path)
    leave_breakdown(manifest, "vendor", SMALL_AND_LARGE)
    file = tmp_path / f"breakdowns/by=vendor/date={DAYS[1]}/kpis.jsonl"
    file.write_bytes(b"{")
    with pytest.raises(ResultsError, match=str(file)):
        read(manifest)


def test_what_a_group_is_called_stays_text(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path)
    leave_breakdown(manifest, "vendor", [line(DAYS[0], EVIL, trips=1, total="1")])
    assert "taken over" in page(tmp_path)
    assert EVIL not in page(tmp_path)


@pytest.mark.slow
def test_two_breakdowns_of_many_groups_over_a_year_leave_the_page_small(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path, days=365)
    for name in ("vendor", "city"):
        leave_breakdown(manifest, name, list(_many(groups=300, days=365)))
    assert 1_000_000 < write_report(tmp_path).stat().st_size < 1_500_000


def _many(*, groups: int, days: int) -> Iterator[dict[str, object]]:
    """Figures as long as fares of a busy city have them."""
    for day in (str(FIRST + timedelta(days=n)) for n in range(days)):
        for n in range(groups):
            yield line(day, f"group {n}", trips=9999 - n, total=f"{912345 - n}.25") | {
                "average_fare": Decimal(f"{91 + n}.123457"),
                "max_fare": Decimal(f"{1200 + n}.75"),
            }


def page(out: Path) -> str:
    return write_report(out).read_text(encoding="utf-8")
