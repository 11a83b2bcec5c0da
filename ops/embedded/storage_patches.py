"""Patches of moto's DynamoDB and S3, one function each, as in `moto_patches`."""

from __future__ import annotations

import hashlib
import math
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

from moto.dynamodb.models import dynamo_type
from moto.dynamodb.models import table as dynamodb_table
from moto.dynamodb.responses import DynamoHandler
from moto.s3.responses import S3Response

from ops.embedded.patching import replaced


@contextmanager
def patched_storage(*, table_ids: Mapping[str, str], page_bytes: int | None) -> Iterator[None]:
    """Applies all patches of this module, and removes them at the end."""
    with (
        tables_have_an_id(table_ids),
        tables_tell_their_size(),
        scans_consume_what_they_read(),
        pages_end_at(page_bytes),
        object_requests_do_not_interleave(),
        projections_calculate_nothing(),
        every_hash_key_has_a_segment(),
        items_are_as_large_as_they_may_be(),
    ):
        yield


@contextmanager
def tables_have_an_id(table_ids: Mapping[str, str]) -> Iterator[None]:
    """DescribeTable: moto has no TableId.

    AWS gives each table one, another one when it is deleted and made again under its old name. The
    first table of a name in `table_ids` gets that one, so that a cloud can be filled as an earlier
    one was.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
    """
    describe: Any = dynamodb_table.Table.describe
    ids = dict(table_ids)

    def describe_with_id(self: Any, base_key: str = "TableDescription") -> Any:
        described = describe(self, base_key=base_key)
        if not hasattr(self, "table_id"):
            self.table_id = ids.pop(self.name, None) or str(uuid.uuid4())
        described[base_key]["TableId"] = self.table_id
        return described

    with replaced(dynamodb_table.Table, "describe", describe_with_id):
        yield


@contextmanager
def projections_calculate_nothing() -> Iterator[None]:
    """Scan with a projection: moto takes every value of the item through boto3's deserializer,
    which refuses a Number of more than 38 digits, such as 1 followed by 50 zeros.

    DynamoDB gives such a Number back as it is, in any attribute.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
    """
    project: Any = dynamo_type.Item.project

    def project_as_it_is(self: Any, expressions: list[list[str]]) -> Any:
        if any("[" in name for path in expressions for name in path):
            return project(self, expressions)
        found: dict[str, Any] = {}
        for path in expressions:
            _copy(self.attrs, found, path)
        return dynamo_type.Item(hash_key=self.hash_key, range_key=self.range_key, attrs=found)

    with replaced(dynamo_type.Item, "project", project_as_it_is):
        yield


def _copy(source: Mapping[str, Any], target: dict[str, Any], path: list[str]) -> None:
    """Copies the value at `path`, and only the path of the maps on the way to it."""
    name, *rest = path
    if name not in source:
        return
    value = dynamo_type.DynamoType(source[name])
    if not rest:
        target[name] = value
    elif value.is_map():
        there = target.get(name) or dynamo_type.DynamoType({"M": {}})
        _copy(value.value, there.value, rest)
        if there.value:
            target[name] = there


@contextmanager
def items_are_as_large_as_they_may_be() -> Iterator[None]:
    """PutItem: moto counts a byte for every digit, and refuses items from 405,000 bytes on.

    DynamoDB takes 400 KiB, and half a byte for a digit. `ops.local.dynamodb_json` checks that.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    with replaced(dynamo_type.LimitedSizeDict, "__setitem__", dict.__setitem__):
        yield


@contextmanager
def every_hash_key_has_a_segment() -> Iterator[None]:
    """Scan with Segment: moto finds no segment for a Binary hash key, and answers 500 for ever."""
    is_within: Any = dynamo_type.Item.is_within_segment

    def is_within_segment(self: Any, segments: tuple[Any, Any]) -> bool:
        value = self.hash_key.value
        if not isinstance(value, bytes):
            return bool(is_within(self, segments))
        number, total = segments
        digest = hashlib.md5(value, usedforsecurity=False).digest()
        return total is None or digest[0] % total == number

    with replaced(dynamo_type.Item, "is_within_segment", is_within_segment):
        yield


@contextmanager
def tables_tell_their_size() -> Iterator[None]:
    """DescribeTable: moto says that every table has 0 bytes, so that every estimate is of nothing.

    AWS adds up the lengths of the items' names and values, if about six hours late.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    describe: Any = dynamodb_table.Table.describe

    def describe_with_size(self: Any, base_key: str = "TableDescription") -> Any:
        described = describe(self, base_key=base_key)
        described[base_key]["TableSizeBytes"] = sum(_sizes(self))
        return described

    with replaced(dynamodb_table.Table, "describe", describe_with_size):
        yield


@contextmanager
def scans_consume_what_they_read() -> Iterator[None]:
    """Scan: moto says that every page consumes one read unit.

    AWS counts half a unit, or a whole one where reads are consistent, for every 4 KiB of the items
    that it has looked at. Here every item is taken to be as large as the table's mean.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """
    scan: Any = DynamoHandler.scan

    def scan_with_units(self: Any) -> Any:
        answer = scan(self)
        if consumed := answer.result.get("ConsumedCapacity"):
            table = self.dynamodb_backend.get_table(self.body["TableName"])
            looked_at = answer.result["ScannedCount"] * _mean_size(table)
            units = max(1, math.ceil(looked_at / 4096))
            consumed["CapacityUnits"] = units * (1.0 if self.body.get("ConsistentRead") else 0.5)
        return answer

    with replaced(DynamoHandler, "scan", scan_with_units):
        yield


def _mean_size(table: Any) -> float:
    """Returns the mean size of an item in bytes; calculates it again when the number of items has
    changed."""
    count, mean = getattr(table, "mean_size", (0, 0.0))
    if count != len(table):
        count, mean = len(table), sum(_sizes(table)) / max(1, len(table))
        table.mean_size = (count, mean)
    return float(mean)


def _sizes(table: Any) -> Iterator[int]:
    for of_hash_key in table.items.values():
        for item in of_hash_key.values() if table.range_key_attr else (of_hash_key,):
            yield item.size()


@contextmanager
def pages_end_at(page_bytes: int | None) -> Iterator[None]:
    """Scan: not a patch, but a seam: pages of fewer bytes than DynamoDB's 1 MB, so that a small
    table has many of them.

    A page holds one item at least in AWS; here no item may be larger than `page_bytes`.
    """
    with (
        nullcontext()
        if page_bytes is None
        else replaced(dynamodb_table, "RESULT_SIZE_LIMIT", page_bytes)
    ):
        yield


@contextmanager
def object_requests_do_not_interleave() -> Iterator[None]:
    """PutObject, DeleteObject, GetObject: moto checks If-Match and If-None-Match, stores the body
    and sets the metadata in three steps, and other requests come in between.

    In AWS a conditional write has one winner, and nobody reads a body without its metadata.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    lock = threading.RLock()

    def alone(request: Any) -> Any:
        def answer(self: Any, *arguments: Any, **more: Any) -> Any:
            with lock:
                return request(self, *arguments, **more)

        return answer

    with ExitStack() as patches:
        for name in ("put_object", "delete_object", "get_object", "head_object"):
            patches.enter_context(replaced(S3Response, name, alone(getattr(S3Response, name))))
        yield
