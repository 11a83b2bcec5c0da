"""The replay server is DynamoDB to a real client: pages, keys, checksums, projections, capacity."""

import json
from collections.abc import Iterator
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen
from zlib import crc32

import boto3
import pytest
from botocore.exceptions import ClientError

from bench.pages import make_up_pages
from bench.replay import ReplayedTables
from bench.server import Server
from bench.trips import SHAPES

PER_PAGE = SHAPES["large"].trips_per_page
PAGES = make_up_pages(SHAPES["large"], pages=2)
NAMES = {"#f": "fare_amount", "#e": "estimated_fare_amount"}


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[bool, str]]:
    """A server that honours expressions and one that answers with whole items, by the latter."""
    servers = {whole: Server(ReplayedTables(pages=PAGES, whole=whole)) for whole in (False, True)}
    threads = [Thread(target=server.serve_forever) for server in servers.values()]
    for thread in threads:
        thread.start()
    yield {whole: server.endpoint_url for whole, server in servers.items()}
    for server in servers.values():
        server.shutdown()
        server.server_close()
    for thread in threads:
        thread.join()


def client(endpoint_url: str) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client("dynamodb", endpoint_url=endpoint_url, region_name="us-east-1", **keys)


@pytest.fixture
def dynamodb(addresses: dict[bool, str]) -> Iterator[Any]:
    made = client(addresses[False])
    yield made
    made.close()


def test_a_scan_goes_from_key_to_key_to_the_end_of_the_table(dynamodb: Any) -> None:
    pages = list(dynamodb.get_paginator("scan").paginate(TableName="trips-5"))
    assert [page["ScannedCount"] for page in pages] == [PER_PAGE] * 5
    assert ["LastEvaluatedKey" in page for page in pages] == [True] * 4 + [False]
    assert pages[0]["Items"] == pages[2]["Items"] != pages[1]["Items"]


def test_the_segments_of_a_scan_make_up_the_table_and_more_than_pages_leave_some_empty(
    dynamodb: Any,
) -> None:
    pages = [
        [
            page["ScannedCount"]
            for page in dynamodb.get_paginator("scan").paginate(
                TableName="trips-5", Segment=segment, TotalSegments=7
            )
        ]
        for segment in range(7)
    ]
    assert sorted(map(sum, pages)) == [0, 0] + [PER_PAGE] * 5
    assert all(len(segment) == 1 for segment in pages)


def test_items_are_projected_and_filtered_where_that_is_asked_for(dynamodb: Any) -> None:
    whole = dynamodb.scan(TableName="trips-1")
    projected = dynamodb.scan(
        TableName="trips-1", ProjectionExpression="#f, #e", ExpressionAttributeNames=NAMES
    )
    filtered = dynamodb.scan(
        TableName="trips-1",
        FilterExpression="attribute_exists(#f) AND attribute_exists(#e)",
        ExpressionAttributeNames=NAMES,
    )
    assert {len(item) for item in whole["Items"]} == {15, 16}
    assert {len(item) for item in projected["Items"]} == {3, 4}
    assert {len(item) for item in filtered["Items"]} == {16}
    assert whole["Count"] == projected["Count"] == whole["ScannedCount"] == PER_PAGE
    assert filtered["Count"] == len(filtered["Items"]) < filtered["ScannedCount"] == PER_PAGE


def test_a_server_of_whole_items_sends_them_whatever_is_asked_for(
    addresses: dict[bool, str],
) -> None:
    dynamodb = client(addresses[True])
    asked = {"ProjectionExpression": "#f, #e", "ExpressionAttributeNames": NAMES}
    answer = dynamodb.scan(TableName="trips-1", **asked)
    dynamodb.close()
    assert {len(item) for item in answer["Items"]} == {15, 16}


@pytest.mark.parametrize(("consistent", "units"), [(False, 128.0), (True, 256.0)])
def test_a_page_consumes_what_its_megabyte_costs(
    dynamodb: Any, consistent: bool, units: float
) -> None:
    answer = dynamodb.scan(
        TableName="trips-1", ReturnConsumedCapacity="TOTAL", ConsistentRead=consistent
    )
    assert answer["ConsumedCapacity"]["CapacityUnits"] == units
    assert "ConsumedCapacity" not in dynamodb.scan(TableName="trips-1")


@pytest.mark.parametrize("table", ["trips-1", "trips-2", "trips-0", "elsewhere"])
def test_every_answer_tells_its_own_checksum_and_a_request_id(
    addresses: dict[bool, str], table: str
) -> None:
    request = Request(
        addresses[False],
        data=json.dumps({"TableName": table, "ReturnConsumedCapacity": "TOTAL"}).encode(),
        headers={"X-Amz-Target": "DynamoDB_20120810.Scan"},
    )
    try:
        answer = urlopen(request)
    except OSError as refused:
        answer = refused  # an answer as well
    with answer:
        assert crc32(answer.read()) == int(answer.headers["x-amz-crc32"])
        assert answer.headers["x-amzn-RequestId"]


def test_a_table_is_described_by_what_its_pages_hold(dynamodb: Any) -> None:
    table = dynamodb.describe_table(TableName="trips-3")["Table"]
    assert (table["ItemCount"], table["TableSizeBytes"]) == (3 * PER_PAGE, 3 * 2**20)
    assert table["KeySchema"] == [{"AttributeName": "trip_id", "KeyType": "HASH"}]


def test_whether_it_can_be_exported_is_no_page(dynamodb: Any) -> None:
    backups = dynamodb.describe_continuous_backups(TableName="trips-3")
    of_recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert of_recovery == {"PointInTimeRecoveryStatus": "DISABLED"}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"TableName": "elsewhere"}, "ResourceNotFoundException"),
        (
            {"TableName": "trips-3", "ExclusiveStartKey": {"trip_id": {"S": "7"}}},
            "ValidationException",
        ),
        ({"TableName": "trips-3", "Segment": 2, "TotalSegments": 2}, "ValidationException"),
    ],
)
def test_what_dynamodb_would_refuse_is_refused(
    dynamodb: Any, asked: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        dynamodb.scan(**asked)
    assert refused.value.response["Error"]["Code"] == code
