"""What DynamoDB accepts in a table, the embedded one takes and scans."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from ops.embedded.storage_patches import patched_storage


@pytest.fixture(autouse=True)
def _nobodys_credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    yield


BIG = "1" + "0" * 50
NUMBERS = [BIG, f"-{BIG}", "9.9999999999999999999999999999999999999E+125", "1E-130",
           "12345678901234567890123456789012345678", "0"]  # fmt: skip


def scanned(client: Any, *, segments: int = 3) -> list[dict[str, Any]]:
    """Every item by its projected attributes, page by page."""
    found = []
    for segment in range(segments):
        start: dict[str, Any] = {}
        while True:
            answer = client.scan(
                TableName="odd",
                Segment=segment,
                TotalSegments=segments,
                ProjectionExpression="#f, #m.#a, #k, #s",
                FilterExpression="attribute_exists(#f) AND #f <> :empty AND #m.#a <> :empty",
                ExpressionAttributeNames={"#f": "f", "#m": "m", "#a": "a", "#k": "k", "#s": "s"},
                ExpressionAttributeValues={":empty": {"S": ""}},
                **start,
            )
            found += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    return found


@pytest.mark.parametrize(
    ("hash_keys", "sort_keys"),
    [
        ([{"S": f"k-{n}"} for n in range(12)], [{"N": NUMBERS[n % 6]} for n in range(12)]),
        ([{"N": f"{BIG[:-1]}{n}"} for n in range(8)], [{"B": bytes([n])} for n in range(8)]),
        ([{"B": bytes([n, 255])} for n in range(12)], [{"S": f"s-{n}"} for n in range(12)]),
        ([{"B": b"one"}] * 6, [{"N": number} for number in NUMBERS]),
    ],
)
def test_legal_numbers_and_keys_of_every_type_are_scanned(
    hash_keys: list[dict[str, Any]], sort_keys: list[dict[str, Any]]
) -> None:
    with mock_aws(), patched_storage(table_ids={}, page_bytes=400):
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName="odd",
            KeySchema=[
                {"AttributeName": "k", "KeyType": "HASH"},
                {"AttributeName": "s", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "k", "AttributeType": next(iter(hash_keys[0]))},
                {"AttributeName": "s", "AttributeType": next(iter(sort_keys[0]))},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        wanted = []
        for n, (k, s) in enumerate(zip(hash_keys, sort_keys, strict=True)):
            number = {"N": NUMBERS[n % len(NUMBERS)]}
            kept = {"k": k, "s": s, "f": number, "m": {"M": {"a": number}}}
            other = {"m": {"M": {"a": number, "b": number}}, "l": {"L": [number]},
                     "ns": {"NS": [BIG, "1"]}}  # fmt: skip
            client.put_item(TableName="odd", Item={**kept, **other})
            wanted.append(kept)

        def by_key(item: dict[str, Any]) -> str:
            return repr((item["k"], item["s"]))

        assert sorted(scanned(client), key=by_key) == sorted(wanted, key=by_key)


def test_an_item_of_as_many_bytes_as_dynamodb_takes_is_taken() -> None:
    with mock_aws(), patched_storage(table_ids={}, page_bytes=None):
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName="large",
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        item = {"k": {"S": "a"}, "text": {"S": "x" * (400 * 1024 - 6)}}
        client.put_item(TableName="large", Item=item)
        assert client.get_item(TableName="large", Key={"k": {"S": "a"}})["Item"] == item
