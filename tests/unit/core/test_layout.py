"""Every key of the layout: as it is documented, and parsed back from what is built."""

from datetime import date

import pytest

from trip_kpis.core import layout
from trip_kpis.core.layout import DayObjects, Place

DAY = date(2024, 5, 25)
PLACE = Place(run_id="run-1", segment=7, part=3)

KEYS = {
    layout.day_key(DAY): "kpis/date=2024-05-25/kpi.json",
    DayObjects("city").key(DAY): "breakdowns/by=city/date=2024-05-25/kpis.jsonl",
    layout.manifest_key("run-1"): "runs/run=run-1/manifest.json",
    layout.plan_key("run-1"): "staging/run=run-1/plan.json",
    layout.read_budget_key("run-1", 1): "staging/run=run-1/read-budget-00001.json",
    layout.part_key("run-1", 7, 3): "staging/run=run-1/segment=00007/part-00003.parquet",
    layout.no_progress_key("run-1", 7, 3): (
        "staging/run=run-1/standstill/segment=00007/part-00003.json"
    ),
    layout.quarantine_key("run-1", 7, 3, digest="0123456789abcdef"): (
        "quarantine/run=run-1/segment=00007/part-00003-0123456789abcdef.jsonl"
    ),
    layout.LEASE: "lease/publish.json",
}


def test_keys_are_those_that_are_documented_and_all_are_known() -> None:
    assert list(KEYS) == list(KEYS.values())
    assert all(map(layout.is_known, KEYS))


def test_what_is_built_is_parsed_back_and_nothing_else_is() -> None:
    parsers = {
        layout.day_at: (layout.day_key(DAY), DAY),
        layout.run_of_manifest: (layout.manifest_key("run-1"), "run-1"),
        layout.run_of_plan: (layout.plan_key("run-1"), "run-1"),
        layout.part_at: (layout.part_key("run-1", 7, 3), PLACE),
        layout.quarantined_part: (layout.quarantine_key("run-1", 7, 3, digest="ab"), PLACE),
    }
    for parse, (key, parsed) in parsers.items():
        assert parse(key) == parsed
        others = [other for other, _ in parsers.values() if other != key]
        assert [parse(other) for other in (*others, f"{key}/", f"x{key}", "")] == [None] * 7


def test_prefixes_are_the_beginnings_of_the_keys_under_them() -> None:
    part = layout.part_key("run-1", 7, 3)
    for prefix in (
        layout.STAGING,
        layout.staging_prefix("run-1"),
        layout.parts_prefix("run-1"),
        layout.parts_prefix("run-1", 7),
    ):
        assert part.startswith(prefix)
    budgets = layout.read_budgets_prefix("run-1")
    assert layout.read_budget_key("run-1", 12).startswith(budgets)
    assert not layout.plan_key("run-1").startswith(budgets)


@pytest.mark.parametrize("run_id", ["run-10", "run-", "other"])
def test_rejected_trips_belong_to_one_run(run_id: str) -> None:
    key = layout.quarantine_key("run-1", 7, 3, digest="ab")
    assert layout.is_quarantine_of("run-1", key)
    assert not layout.is_quarantine_of(run_id, key)


def test_a_day_that_the_calendar_does_not_have_is_no_day() -> None:
    assert layout.day_at("kpis/date=2024-02-30/kpi.json") is None


def test_the_objects_of_days_and_of_each_breakdown_are_apart() -> None:
    days, city, other = DayObjects(), DayObjects("city"), DayObjects("city_by_type")
    for objects in (days, city, other):
        assert objects.key(DAY).startswith(objects.prefix)
        assert objects.day_at(objects.key(DAY)) == DAY
        for others in {days, city, other} - {objects}:
            assert objects.day_at(others.key(DAY)) is None
    assert days.key(DAY) == layout.day_key(DAY)
    assert (days.content_type, city.content_type) == ("application/json", "application/jsonl")
    assert city.key("*") == "breakdowns/by=city/date=*/kpis.jsonl"


@pytest.mark.parametrize(
    "key",
    ["breakdowns/by=city/date=2024-02-30/kpis.jsonl", "breakdowns/by=city/date=2024-05-25/kpi.json",
     "breakdowns/by=City/date=2024-05-25/kpis.jsonl", "breakdowns/by=/date=2024-05-25/kpis.jsonl",
     "breakdowns/by=city/date=2024-05-25/kpis.jsonl.gz", "breakdowns/by=city/", "breakdowns/"],
)  # fmt: skip
def test_what_no_breakdown_has_is_no_day_of_one(key: str) -> None:
    assert DayObjects("city").day_at(key) is None
    assert not layout.is_known(key) or "02-30" in key
