"""What is asked of DynamoDB, and that its answer is read to the end."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from tests.faults.http_calls import Answer
from tests.integration.pipeline import Pipeline, hook
from tests.samples import answer, plan, trip
from trip_kpis.aws import clients, table
from trip_kpis.aws.scan import TableScan
from trip_kpis.core.capacity import ReadCapacity
from trip_kpis.core.errors import TransientError
from trip_kpis.core.items.pages import Page
from trip_kpis.core.run.plan import Plan
from trip_kpis.core.run.table_description import TableDescription


def pages_of(of: Plan, segment: int = 0, after: Any = None) -> list[Page]:
    return list(TableScan(clients.dynamodb(), of).pages(segment, after=after))


def items_of(*pages: Page) -> list[dict[str, Any]]:
    return [dict(item) for page in pages for item in json.loads(page.body)["Items"]]


ONE = plan(total_segments=1)


def test_a_table_is_described_with_its_keys_in_order(pipeline: Pipeline) -> None:
    pipeline.make_table([trip(city={"S": "x"})], keys=(("trip_id", "S"), ("city", "S")))
    description = table.describe(clients.dynamodb(), "trips")
    assert description.name == "trips"
    assert description.arn.endswith(":table/trips")
    assert description.key_attributes == ("trip_id", "city")
    assert description.item_count == 1


def described(pipeline: Pipeline, **table_has: Any) -> TableDescription:
    """As DescribeTable would answer with these fields, instead of those that moto makes up."""

    def changed(parsed: dict[str, Any], **_: Any) -> None:
        for name in ("BillingModeSummary", "ProvisionedThroughput", "WarmThroughput"):
            parsed["Table"].pop(name, None)
        parsed["Table"] |= table_has

    hook(pipeline.dynamodb, "after-call.dynamodb.DescribeTable", changed)
    return table.describe(clients.dynamodb(), "trips")


ON_DEMAND = {"BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
PROVISIONED = {"ReadCapacityUnits": 100, "WriteCapacityUnits": 5}


@pytest.mark.parametrize(
    ("table_has", "capacity"),
    [
        ({}, ReadCapacity()),
        (ON_DEMAND, ReadCapacity()),
        (
            {**ON_DEMAND, "ProvisionedThroughput": {"ReadCapacityUnits": 0}},
            ReadCapacity(),
        ),
        (
            {**ON_DEMAND, "OnDemandThroughput": {"MaxReadRequestUnits": 500}},
            ReadCapacity(maximum=500),
        ),
        (
            {**ON_DEMAND, "OnDemandThroughput": {"MaxReadRequestUnits": -1}},
            ReadCapacity(),
        ),
        (
            {**ON_DEMAND, "WarmThroughput": {"ReadUnitsPerSecond": 12_000, "Status": "ACTIVE"}},
            ReadCapacity(warm=12_000),
        ),
        # A table that was always provisioned says nothing of its billing mode.
        (
            {"ProvisionedThroughput": PROVISIONED},
            ReadCapacity(billing_mode="PROVISIONED", maximum=100),
        ),
        (
            {
                "BillingModeSummary": {"BillingMode": "PROVISIONED"},
                "ProvisionedThroughput": PROVISIONED,
                "WarmThroughput": {"ReadUnitsPerSecond": 12_000},
            },
            ReadCapacity(billing_mode="PROVISIONED", maximum=100),
        ),
        (
            {**ON_DEMAND, "TableClassSummary": {"TableClass": "STANDARD_INFREQUENT_ACCESS"}},
            ReadCapacity(table_class="STANDARD_INFREQUENT_ACCESS"),
        ),
    ],
)
def test_what_a_table_delivers_is_described(
    pipeline: Pipeline, table_has: dict[str, Any], capacity: ReadCapacity
) -> None:
    pipeline.make_table()
    assert described(pipeline, **table_has).capacity == capacity


def test_a_tables_age_is_described(pipeline: Pipeline) -> None:
    pipeline.make_table()
    made = datetime(2020, 1, 1, tzinfo=UTC)
    assert described(pipeline, CreationDateTime=made).created_at == made


def test_the_attribute_by_which_items_expire_is_described(pipeline: Pipeline) -> None:
    pipeline.make_table()
    assert described(pipeline).ttl_attribute is None
    pipeline.dynamodb.update_time_to_live(
        TableName="trips",
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"},
    )
    assert described(pipeline).ttl_attribute == "expires_at"


def test_who_may_not_ask_for_the_expiry_still_describes_the_table(pipeline: Pipeline) -> None:
    pipeline.make_table()

    def denied(request: Any, **_: Any) -> Any:
        body = b'{"__type": "AccessDeniedException", "message": "no"}'
        return Answer(status=400, body=body).to_response(request.url)

    assert described(pipeline).ttl_is_known
    hook(pipeline.dynamodb, "before-send.dynamodb.DescribeTimeToLive", denied)
    found = described(pipeline)
    assert (found.ttl_is_known, found.ttl_attribute) == (False, None)


def test_only_the_plans_attributes_and_the_key_are_sent(pipeline: Pipeline) -> None:
    pipeline.make_table([trip("a", driver={"S": "x"}, fare={"N": "1"})])
    (page,) = pages_of(ONE)
    assert items_of(page) == [trip("a")]
    (asked,) = pipeline.scans
    assert (asked["Segment"], asked["TotalSegments"]) == (0, 1)
    assert asked["ConsistentRead"] is False
    assert "ExclusiveStartKey" not in asked


def test_dynamodb_filters_out_what_is_incomplete_and_counts_it_all_the_same(
    pipeline: Pipeline,
) -> None:
    pipeline.make_table(
        [
            trip("a"),
            trip("b", fare_amount=None),
            trip("c", estimated_fare_amount=None),
            trip("d", fare_amount={"S": ""}),
            trip("e", estimated_fare_amount={"S": ""}),
            trip("f", fare_amount={"NULL": True}),
            trip("g", pickup_datetime=None),
            trip("h", fare_amount={"N": "0"}),
            trip("i", fare_amount={"BOOL": False}),
            trip("j", fare_amount={"S": " "}),
        ]
    )
    (page,) = pages_of(ONE)
    assert page.scanned == 10
    assert sorted(item["trip_id"]["S"] for item in items_of(page)) == list("afghij")


def test_nested_paths_are_projected_and_filtered(pipeline: Pipeline) -> None:
    def item(trip_id: str, **attributes: Any) -> dict[str, Any]:
        return {"trip_id": {"S": trip_id}, **attributes}

    start = {"M": {"at": {"N": "1716643140"}, "estimate": {"N": "5"}, "who": {"S": "x"}}}
    whole = item("a", start=start, end={"M": {"fare": {"S": "7"}, "tip": {"N": "1"}}})
    pipeline.make_table(
        [
            whole,
            item("b", start=start),
            item("c", start=start, end={"M": {}}),
            item("d", start=start, end={"S": "7"}),
            item("e", start=start, end={"M": {"fare": {"S": ""}}}),
        ]
    )
    nested = replace(
        ONE, fare_attribute="end.fare", estimated_fare_attribute="start.estimate",
        day_attribute="start.at",
    )  # fmt: skip
    (page,) = pages_of(nested)
    assert page.scanned == 5
    assert items_of(page) == [
        item(
            "a",
            start={"M": {"at": {"N": "1716643140"}, "estimate": {"N": "5"}}},
            end={"M": {"fare": {"S": "7"}}},
        )
    ]


@pytest.mark.parametrize(
    "name", ["date", "timestamp", "name", "count", "a-b", "a b", "#n0", "ф", "0"]
)
def test_reserved_words_and_odd_names_are_no_obstacle(pipeline: Pipeline, name: str) -> None:
    pipeline.make_table([trip("a", fare_amount=None, **{name: {"N": "7"}}), trip("b")])
    (page,) = pages_of(replace(ONE, fare_attribute=name))
    (item,) = items_of(page)
    assert (item["trip_id"], item[name]) == ({"S": "a"}, {"N": "7"})


def test_a_sort_key_that_is_the_day_is_projected_once(pipeline: Pipeline) -> None:
    pipeline.make_table([trip("a")], keys=(("trip_id", "S"), ("pickup_datetime", "S")))
    pages = pages_of(replace(ONE, key_attributes=("trip_id", "pickup_datetime")))
    assert items_of(*pages) == [trip("a")]
    (asked,) = pipeline.scans
    names = asked["ProjectionExpression"].split(", ")
    assert len(names) == len(set(names)) == 4


def padded(trip_id: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    return {**trip("x", padding={"S": "x" * 200_000}, **attributes), "trip_id": trip_id}


KEYS = {
    "S": [{"S": f"t-{n}"} for n in range(12)],
    "N": [{"N": str(n * 10**30)} for n in range(12)],
}


@pytest.mark.parametrize("kind", KEYS)
def test_pages_follow_one_another_to_the_end_and_may_be_resumed_after_any(
    pipeline: Pipeline, kind: str
) -> None:
    pipeline.make_table(map(padded, KEYS[kind]), keys=(("trip_id", kind),))
    pages = pages_of(ONE)
    assert len(pages) >= 3
    assert [page.end is None for page in pages] == [False] * (len(pages) - 1) + [True]
    assert sum(page.scanned for page in pages) == 12
    whole = [item["trip_id"] for item in items_of(*pages)]
    assert sorted(map(str, whole)) == sorted(map(str, KEYS[kind]))
    for number, page in enumerate(pages[:-1], start=1):
        rest = pages_of(ONE, after=page.end)
        assert items_of(*rest) == items_of(*pages[number:])


@pytest.mark.parametrize("kind", KEYS)
def test_a_run_over_keys_of_any_type_resumes_through_its_log(pipeline: Pipeline, kind: str) -> None:
    pipeline.make_table(map(padded, KEYS[kind]), keys=(("trip_id", kind),))
    pipeline.plan(total_segments=1)
    while not pipeline.scan(page_takes_ms=600_000)["finished"]:
        pass
    summary = pipeline.merge()
    assert summary["trips"] == 12
    assert summary["parts"] >= 3


def test_a_run_over_binary_keys_resumes_through_its_log(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_REJECTED_SHARE", "1")
    # moto cannot measure a binary key, so what DynamoDB would answer is written out here.
    pipeline.make_table(keys=(("trip_id", "B"),))
    pipeline.plan(total_segments=1)
    key = {"trip_id": {"B": b"\x00\xff"}}
    wire_key = {"trip_id": {"B": "AP8="}}
    bodies = iter(
        [
            answer([], filtered=1, end_key=key),
            answer([{**trip("x"), **wire_key}, {**trip(fare_amount={"S": "free"}), **wire_key}]),
        ]
    )

    def answers(request: Any, **_: Any) -> AWSResponse:
        return Answer(body=next(bodies)).to_response(request.url)

    pipeline.dynamodb.meta.events.register_first("before-send.dynamodb.Scan", answers)
    try:
        assert not pipeline.scan(page_takes_ms=600_000)["finished"]
        assert pipeline.scan()["finished"]
    finally:
        pipeline.dynamodb.meta.events.unregister("before-send.dynamodb.Scan", answers)
    assert pipeline.scans[-1]["ExclusiveStartKey"] == key
    (rejected,) = pipeline.objects("quarantine/").values()
    assert json.loads(rejected)["key"] == wire_key
    summary = pipeline.merge()
    assert (summary["incomplete"], summary["counted"], summary["parts"]) == (1, 1, 2)


def test_a_page_that_the_filter_emptied_is_not_the_end(pipeline: Pipeline) -> None:
    pipeline.make_table(padded({"S": f"t-{n}"}) for n in range(30))
    order = [item["trip_id"] for item in items_of(*pages_of(ONE))]
    for trip_id in order[5:25]:
        pipeline.put([padded(trip_id, fare_amount=None)])
    pages = pages_of(ONE)
    emptied = [page for page in pages[:-1] if not page.length]
    assert emptied
    assert all(page.scanned and page.end for page in emptied)
    assert len(items_of(*pages)) == 10
    assert sum(page.scanned for page in pages) == 30
    summary = pipeline.run(total_segments=1)
    assert (summary["counted"], summary["incomplete"]) == (10, 20)


def test_every_segment_is_read_once_and_all_together_are_the_table(pipeline: Pipeline) -> None:
    pipeline.make_table(trip(f"t-{n}") for n in range(50))
    of = plan(total_segments=7)
    found = [item for n in range(7) for item in items_of(*pages_of(of, n))]
    assert sorted(item["trip_id"]["S"] for item in found) == sorted(f"t-{n}" for n in range(50))


def test_an_empty_segment_is_one_empty_page(pipeline: Pipeline) -> None:
    pipeline.make_table()
    (page,) = pages_of(ONE)
    assert (page.length, page.scanned, page.end) == (0, 0, None)


@pytest.mark.parametrize("asked", [{}, {"estimate_only": True}])
def test_an_answer_that_is_none_is_a_reason_to_try_again(
    pipeline: Pipeline, asked: dict[str, Any]
) -> None:
    pipeline.make_table()
    body = b'{"Items": [{"trip_id"'

    def answers(request: Any, **_: Any) -> AWSResponse:
        return Answer(body=body).to_response(request.url)

    pipeline.dynamodb.meta.events.register_first("before-send.dynamodb.Scan", answers)
    try:
        with pytest.raises(TransientError, match="an answer to Scan cannot be read"):
            pipeline.plan(total_segments=1, **asked)
            pipeline.scan()
    finally:
        pipeline.dynamodb.meta.events.unregister("before-send.dynamodb.Scan", answers)
