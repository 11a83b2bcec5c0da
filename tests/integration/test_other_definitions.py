"""Definitions other than the default, through the three handlers."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.integration.pipeline import Pipeline
from trip_kpis.core.errors import PlanMismatchError, TooManyGroupsError
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.log import part_builder, partials

ORDERS = """
[item]
day         = { path = "SK", after = "DONE#" }
null_values = ["null"]

[item.where]
SK     = { begins_with = "DONE#" }
amount = { not = 0 }
test   = { exists = false }

[kpis]
orders  = { count = true }
revenue = { sum = ["amount", "tip"], scale = "0.01", missing = 0 }

[breakdowns]
city = ["place.city"]
"""


def order(number: int, amount: Any = None, **attributes: Any) -> dict[str, Any]:
    """A finished order of a single-table design, in cents."""
    values = {
        "PK": {"S": f"order-{number}"},
        "SK": {"S": "DONE#2024-05-25T13:19:00Z"},
        "amount": amount or {"N": "1250"},
        "place": {"M": {"city": {"S": "Bern"}}},
        **attributes,
    }
    return {name: value for name, value in values.items() if value is not None}


EXCLUDED = [
    order(1, SK={"S": "RAW#2024-05-25T13:19:00Z"}),
    order(2, {"S": "0.00"}),
    order(3, test={"BOOL": True}),
    order(4, SK={"S": "RAW#"}, place={"L": []}),
]
COUNTED = [
    order(10),
    order(11, {"S": "250"}, tip={"N": "50"}),
    order(12, tip={"S": "null"}, place=None),
    order(13, place={"M": {"city": {"S": "null"}}}),
    order(14, SK={"S": "DONE#2024-05-26T00:00:00Z"}, test={"S": "null"}),
]
REJECTED: list[tuple[Reason, str, dict[str, Any]]] = [
    (Reason.NUMBER_NOT_A_NUMBER, "amount", order(20, {"S": "12,50"})),
    (Reason.NUMBER_WRONG_TYPE, "tip", order(21, tip={"BOOL": True})),
    (Reason.NUMBER_TOO_PRECISE, "tip", order(22, tip={"S": "0.00000000000000001"})),
    (Reason.NUMBER_TOO_LARGE, "amount", order(23, {"N": "100000000000"})),
    (Reason.TIME_UNREADABLE, "SK", order(24, SK={"S": "DONE#soon"})),
    (Reason.GROUP_WRONG_TYPE, "place.city", order(25, place={"M": {"city": {"L": []}}})),
]


def define(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str = ORDERS) -> None:
    file = tmp_path / "orders.toml"
    file.write_text(text)
    monkeypatch.setenv("KPI_DEFINITION", str(file))


@pytest.fixture
def orders(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pipeline:
    define(monkeypatch, tmp_path)
    monkeypatch.setenv("MAX_REJECTED_SHARE", "1")
    pipeline.make_table(keys=(("PK", "S"), ("SK", "S")))
    pipeline.put([*EXCLUDED, *COUNTED, *(item for _, _, item in REJECTED)])
    return pipeline


@pytest.mark.parametrize("total_segments", [1, 3])
def test_days_and_groups_are_published_by_the_definition(
    orders: Pipeline, total_segments: int
) -> None:
    orders.run(total_segments=total_segments)
    assert orders.objects("kpis/") | orders.objects("breakdowns/") == {
        "kpis/date=2024-05-25/kpi.json": b'{"date":"2024-05-25","orders":4,"revenue":40.5}\n',
        "kpis/date=2024-05-26/kpi.json": b'{"date":"2024-05-26","orders":1,"revenue":12.5}\n',
        "breakdowns/by=city/date=2024-05-25/kpis.jsonl": (
            b'{"date":"2024-05-25","city":null,"orders":2,"revenue":25}\n'
            b'{"date":"2024-05-25","city":"Bern","orders":2,"revenue":15.5}\n'
        ),
        "breakdowns/by=city/date=2024-05-26/kpis.jsonl": (
            b'{"date":"2024-05-26","city":"Bern","orders":1,"revenue":12.5}\n'
        ),
    }


def test_what_is_excluded_is_counted_everywhere_and_all_counts_balance(orders: Pipeline) -> None:
    summary = orders.run(total_segments=3)
    manifest = json.loads(orders.objects("runs/")["runs/run=run-1/manifest.json"])
    for counts in (summary, manifest, *manifest["by_segment"]):
        became = counts["excluded"] + counts["incomplete"] + sum(counts["rejected"].values())
        assert counts["scanned"] == became + counts["counted"]
    assert (summary["excluded"], summary["incomplete"]) == (len(EXCLUDED), 0)
    assert summary["counted"] == len(COUNTED)
    assert sum(one["excluded"] for one in manifest["by_segment"]) == len(EXCLUDED)
    assert summary["rejected"] == Counter(str(reason) for reason, _, _ in REJECTED)
    assert (summary["definition"], manifest["definition"]) == ("orders", "orders")
    assert summary["totals"] == {"orders": "5", "revenue": "53"}


def test_every_rejected_item_names_the_attribute_at_fault(orders: Pipeline) -> None:
    orders.run(total_segments=1)
    lines = [
        json.loads(line)
        for body in orders.objects("quarantine/").values()
        for line in body.splitlines()
    ]
    assert {(line["key"]["PK"]["S"], line["reason"], line["attribute"]) for line in lines} == {
        (item["PK"]["S"], str(reason), attribute) for reason, attribute, item in REJECTED
    }


def test_dynamodb_filters_by_the_conditions(orders: Pipeline) -> None:
    orders.run(total_segments=1)
    (scan,) = orders.scans
    assert "begins_with(" in scan["FilterExpression"]
    assert {"S": "DONE#"} in scan["ExpressionAttributeValues"].values()


def test_an_estimate_counts_what_the_run_excludes(orders: Pipeline) -> None:
    census = orders.plan(estimate_only=True, total_segments=1)["estimate"]["census"]
    found = {name: one["in_sample"] for name, one in census["trips"].items()}
    assert found == {
        "counted": len(COUNTED), "excluded": len(EXCLUDED), "incomplete": 0,
        "rejected": len(REJECTED),
    }  # fmt: skip


def test_a_run_is_not_resumed_by_another_definition(
    orders: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    orders.plan(total_segments=2)
    define(monkeypatch, tmp_path, f"# a comment\n{ORDERS}")
    orders.plan("again", run_id="run-1")
    define(monkeypatch, tmp_path, ORDERS.replace('"0.01"', '"0.1"'))
    with pytest.raises(PlanMismatchError, match=r"kpi_definition was 'orders' \(.*'orders' \("):
        orders.plan("again", run_id="run-1")
    monkeypatch.setenv("KPI_DEFINITION", "trips")
    with pytest.raises(PlanMismatchError, match=r"kpi_definition was 'orders' \(.*'trips' \("):
        orders.plan("again", run_id="run-1")


def test_a_worker_and_the_merge_go_by_the_plans_definition(
    orders: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders.plan(total_segments=1)
    monkeypatch.setenv("KPI_DEFINITION", "trips")
    orders.scan()
    assert orders.merge()["counted"] == len(COUNTED)


def test_one_group_too_many_fails_the_worker_with_the_breakdowns_name(
    orders: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partials, "MOST_GROUPS_A_DAY", 1)
    orders.plan(total_segments=1)
    with pytest.raises(TooManyGroupsError, match="breakdown city has 2 groups on 2024-05-25"):
        orders.scan()


def test_and_the_merge_before_anything_is_published(
    orders: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    for segment in orders.plan(total_segments=3)["segments"]:
        orders.scan(segment)
    monkeypatch.setattr(partials, "MOST_GROUPS_A_DAY", 1)
    with pytest.raises(TooManyGroupsError):
        orders.merge()
    assert orders.objects("kpis/") == orders.objects("breakdowns/") == orders.objects("runs/") == {}


def test_a_day_whose_items_are_gone_keeps_or_loses_its_groups_with_its_figures(
    orders: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders.run()
    gone = COUNTED[-1]
    orders.dynamodb.delete_item(TableName="trips", Key={name: gone[name] for name in ("PK", "SK")})
    kept = orders.run("run-2")
    assert kept["days_vanished"] == 1
    assert "breakdowns/by=city/date=2024-05-26/kpis.jsonl" in orders.objects()
    monkeypatch.setenv("VANISHED_DAYS", "remove")
    assert orders.run("run-3")["days_removed"] == 1
    assert not [key for key in orders.objects() if "2024-05-26" in key]


def test_a_worker_appends_a_part_that_is_full_of_groups_before_it_reads_another_page(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    define(monkeypatch, tmp_path)
    pipeline.make_table(keys=(("PK", "S"), ("SK", "S")))
    padding = {"S": "x" * 300_000}
    pipeline.put(
        order(n, place={"M": {"city": {"S": f"c-{n}"}}}, padding=padding) for n in range(12)
    )
    pipeline.run("at-once", total_segments=1)
    at_once = pipeline.objects("breakdowns/")
    pipeline.remove("breakdowns/")
    monkeypatch.setattr(partials, "_PAGES_HELD", 0)
    monkeypatch.setattr(part_builder, "MOST_ROWS_OF_A_PART", 1)
    full = pipeline.run("full", total_segments=1)
    assert full["parts"] == full["pages"] > 2
    assert pipeline.objects("breakdowns/") == at_once
