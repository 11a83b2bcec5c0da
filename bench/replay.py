"""DynamoDB's side of a scan: answers to Scan and DescribeTable from pages made up in advance."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from bench.pages import MadeUpPage
from bench.trips import KEY, PAGE_BYTES

_UNIT_BYTES = 4096
"""half a read unit eventually consistent, a whole one strongly consistent"""
_NO_BACKUPS = {
    "ContinuousBackupsDescription": {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
    }
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP answer, in pieces that need not be copied together."""

    status: int
    pieces: tuple[bytes, ...]
    crc: int


class RefusedRequestError(Exception):
    """`code` and message as DynamoDB gives them."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedTables:
    """Tables of any length: `trips-60` has 60 pages, the same ones again and again.

    With `whole` they answer with whole items and all of them, whatever is asked for: for clients
    that do ask for a projection, and shall be seen without one.
    """

    pages: Sequence[MadeUpPage]
    whole: bool = False

    def reply(self, operation: str, asked: Mapping[str, Any]) -> Reply:
        try:
            if operation == "DescribeTable":
                return _reply(200, self._describe(asked["TableName"]))
            if operation == "DescribeTimeToLive":
                return _reply(200, {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}})
            if operation == "DescribeContinuousBackups":
                return _reply(200, _NO_BACKUPS)
            return self._scan(asked)
        except RefusedRequestError as refused:
            fault = f"com.amazonaws.dynamodb.v20120810#{refused.code}"
            return _reply(400, {"__type": fault, "message": str(refused)})

    def _scan(self, asked: Mapping[str, Any]) -> Reply:
        length = _length(asked["TableName"])
        segment, segments = asked.get("Segment", 0), asked.get("TotalSegments", 1)
        if not 0 <= segment < segments:
            raise _invalid(f"Segment {segment} is not one of {segments}")
        first, end = length * segment // segments, length * (segment + 1) // segments
        start_key = asked.get("ExclusiveStartKey")
        page = int(start_key[KEY]["S"]) + 1 if start_key else first
        if start_key and not first < page < end:
            raise _invalid("The provided starting key is invalid")
        if page == end:
            return _reply(200, {"Count": 0, "Items": [], "ScannedCount": 0, **_consumed(asked, 0)})
        rest = _consumed(asked, PAGE_BYTES)
        if page + 1 < end:
            rest["LastEvaluatedKey"] = {KEY: {"S": f"{page:09d}"}}
        kind = ("ProjectionExpression" in asked, "FilterExpression" in asked)
        answer = self.pages[page % len(self.pages)].answers[(False, False) if self.whole else kind]
        tail = b"".join(b",%s:%s" % (_json(name), _json(value)) for name, value in rest.items())
        tail += b"}"
        return Reply(status=200, pieces=(answer.body, tail), crc=crc32(tail, answer.crc))

    def _describe(self, name: str) -> dict[str, Any]:
        length = _length(name)
        trips = sum(self.pages[page % len(self.pages)].scanned for page in range(length))
        return {
            "Table": {
                "TableName": name,
                "TableArn": f"arn:aws:dynamodb:us-east-1:123456789012:table/{name}",
                "TableId": f"made-up-{name}",
                "TableStatus": "ACTIVE",
                "KeySchema": [{"AttributeName": KEY, "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": KEY, "AttributeType": "S"}],
                "TableSizeBytes": length * PAGE_BYTES,
                "ItemCount": trips,
            }
        }


def _consumed(asked: Mapping[str, Any], read_bytes: int) -> dict[str, Any]:
    if asked.get("ReturnConsumedCapacity", "NONE") == "NONE":
        return {}
    blocks = max(1, -(-read_bytes // _UNIT_BYTES))
    units = blocks * (1.0 if asked.get("ConsistentRead") else 0.5)
    return {"ConsumedCapacity": {"TableName": asked["TableName"], "CapacityUnits": units}}


def _length(table_name: str) -> int:
    number = table_name.removeprefix("trips-")
    if not number.isdecimal():
        raise RefusedRequestError(
            "ResourceNotFoundException", f"Requested resource not found: Table: {table_name}"
        )
    return int(number)


def _invalid(message: str) -> RefusedRequestError:
    return RefusedRequestError("ValidationException", message)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _reply(status: int, document: Mapping[str, Any]) -> Reply:
    body = _json(document)
    return Reply(status=status, pieces=(body,), crc=crc32(body))
