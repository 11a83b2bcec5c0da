"""A table in memory, as DynamoDB answers for it: parallel scans in pages, filtered, projected."""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.exports import Export
from tests.faults.http_calls import Answer, Call

NAME = "trips"
KEY = "trip_id"

_Item = Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Table:
    """The trips at one moment. A run sees one moment only, so that its truth is known."""

    items: Sequence[_Item]
    items_a_page: int = 10
    """what 1 MB is to DynamoDB"""
    table_id: str = "0b0f7a1c-5c3e-4d0e-9b57-8f7f0f5c2b11"
    """another one where a table of the same name was deleted before"""
    last_page_is_empty: bool = False
    """a segment whose last item ends a page is reported as ended by one more, empty page"""
    exports: dict[str, Export] = field(default_factory=dict)
    """by their ARN"""
    _segments: dict[tuple[int, int], list[_Item]] = field(default_factory=dict, init=False)

    def answer(self, call: Call) -> Answer:
        """Answers a call that reaches DynamoDB, or Lambda."""
        if call.operation == "GetAccountSettings":
            return _json(200, {"AccountLimit": {"UnreservedConcurrentExecutions": 1_000}})
        request = json.loads(call.body)
        if call.operation == "DescribeTable":
            return _json(200, {"Table": self.description()})
        if call.operation == "DescribeTimeToLive":
            return _json(200, {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}})
        if call.operation == "DescribeContinuousBackups":
            recovery = {"PointInTimeRecoveryStatus": "ENABLED"}
            described = {"PointInTimeRecoveryDescription": recovery}
            return _json(200, {"ContinuousBackupsDescription": described})
        if call.operation == "DescribeExport":
            return self._export(request["ExportArn"])
        if call.operation == "Scan":
            return self._scan(request)
        raise AssertionError(f"no such operation here: {call.operation}")

    def _export(self, arn: str) -> Answer:
        if arn not in self.exports:
            return error(400, "ExportNotFoundException")
        return _json(200, {"ExportDescription": self.exports[arn].described()})

    def size(self, number: int, total: int) -> int:
        """Counts the items of a segment."""
        return len(self.segment(number, total))

    def segment(self, number: int, total: int) -> list[_Item]:
        """Returns the items of a segment, in the order in which a scan reads them."""
        at = (number, total)
        if at not in self._segments:
            self._segments[at] = sorted(
                (item for item in self.items if _hash(item) % total == number), key=_place
            )
        return self._segments[at]

    def place_after(self, number: int, total: int, key: _Item | None) -> int:
        """Counts the items of the segment up to this exclusive start key."""
        if key is None:
            return 0
        return sum(_place(item) <= _place(key) for item in self.segment(number, total))

    def _scan(self, request: dict[str, Any]) -> Answer:
        number, total = request["Segment"], request["TotalSegments"]
        items = self.segment(number, total)
        start_key = request.get("ExclusiveStartKey")
        if start_key is not None and _hash(start_key) % total != number:
            return error(400, "ValidationException")
        begins = self.place_after(number, total, start_key)
        page = items[begins : begins + self.items_a_page]
        ends = begins + len(page)
        full = len(page) == self.items_a_page
        document: dict[str, Any] = {
            "Items": [_projected(item, request) for item in page if _passes(item, request)],
            "ScannedCount": len(page),
            "ConsumedCapacity": {"TableName": NAME, "CapacityUnits": 0.5},
        }
        document["Count"] = len(document["Items"])
        if ends < len(items) or (full and self.last_page_is_empty):
            document["LastEvaluatedKey"] = {KEY: page[-1][KEY]}
        return _json(200, document)

    def description(self) -> dict[str, Any]:
        return {
            "TableName": NAME,
            "TableArn": f"arn:aws:dynamodb:us-east-1:123456789012:table/{NAME}",
            "TableId": self.table_id,
            "KeySchema": [{"AttributeName": KEY, "KeyType": "HASH"}],
            "TableSizeBytes": 300 * len(self.items),
            "ItemCount": len(self.items),
        }


def error(status: int, code: str) -> Answer:
    """Returns an error as DynamoDB reports it."""
    return _json(
        status, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": f"{code}!"}
    )


def _json(status: int, document: Any) -> Answer:
    body = json.dumps(document).encode()
    return Answer(
        status=status,
        headers={
            "content-type": "application/x-amz-json-1.0",
            "x-amz-crc32": str(zlib.crc32(body)),
        },
        body=body,
    )


def _hash(item: _Item) -> int:
    return zlib.crc32(item[KEY]["S"].encode())


def _place(item: _Item) -> tuple[int, str]:
    return _hash(item), item[KEY]["S"]


def _passes(item: _Item, request: dict[str, Any]) -> bool:
    """Conditions joined by AND, each `attribute_exists(path)` or `path <> :value`."""
    for condition in request["FilterExpression"].split(" AND "):
        if condition.startswith("attribute_exists("):
            path = condition.removeprefix("attribute_exists(").removesuffix(")")
            if _find(item, path, request) is None:
                return False
        else:
            path, value = condition.split(" <> ")
            if _find(item, path, request) == request["ExpressionAttributeValues"][value]:
                return False
    return True


def _projected(item: _Item, request: dict[str, Any]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for path in request["ProjectionExpression"].split(", "):
        value = _find(item, path, request)
        if value is None:
            continue
        *outer, last = [request["ExpressionAttributeNames"][mark] for mark in path.split(".")]
        within = whole
        for name in outer:
            within = within.setdefault(name, {"M": {}})["M"]
        within[last] = value
    return whole


def _find(item: _Item, path: str, request: dict[str, Any]) -> Any:
    value: Any = {"M": item}
    for mark in path.split("."):
        if value is None or "M" not in value:
            return None
        value = value["M"].get(request["ExpressionAttributeNames"][mark])
    return value
