"""What the test makes in an account, and that nothing of it stays there."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ops.local.trip_files import Trips, batches
from tests.deployed.waiting import EXECUTION_ENDED, Patience

_PUTS_AT_ONCE = 25
_PUT_ATTEMPTS = 8
_RECOVERY_ATTEMPTS = 60


@contextmanager
def table_of(client: Any, name: str, trips: Trips, patience: Patience) -> Iterator[None]:
    """A table with these trips, which can be exported, while this lasts. One of that name that is
    there already is not touched: making it raises ResourceInUseException."""
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": trips.hash_key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": trips.hash_key, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    waits = {"TableName": name, "WaiterConfig": patience.for_waiters}
    try:
        client.get_waiter("table_exists").wait(**waits)
        for batch in batches(list(trips.items.values()), _PUTS_AT_ONCE):
            _put(client, {name: [{"PutRequest": {"Item": item}} for item in batch]})
        _make_recoverable(client, name, patience)
        yield
    finally:
        # A table that is still being made cannot be deleted.
        client.get_waiter("table_exists").wait(**waits)
        client.delete_table(TableName=name)
        client.get_waiter("table_not_exists").wait(**waits)


@contextmanager
def objects_removed(client: Any, bucket_name: str, prefixes: tuple[str, ...]) -> Iterator[None]:
    """Afterwards no object is under these prefixes, nor an earlier version of one."""
    try:
        yield
    finally:
        for prefix in prefixes:
            _remove_all(client, bucket_name, prefix)


@contextmanager
def executions_over(client: Any, patience: Patience) -> Iterator[list[str]]:
    """Of the executions whose ARNs are put into the list, none runs afterwards."""
    arns: list[str] = []
    try:
        yield arns
    finally:
        for arn in arns:
            if client.describe_execution(executionArn=arn)["status"] == "RUNNING":
                client.stop_execution(executionArn=arn)
                EXECUTION_ENDED.wait(client, patience, executionArn=arn)


def _put(client: Any, wanted: dict[str, Any]) -> None:
    """DynamoDB may leave some of a batch for another time, and asks to wait a while before it.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
    """
    for attempt in range(_PUT_ATTEMPTS):
        wanted = client.batch_write_item(RequestItems=wanted)["UnprocessedItems"]
        if not wanted:
            return
        time.sleep(0.1 * 2**attempt)
    raise TimeoutError(f"DynamoDB has not taken all of a batch in {_PUT_ATTEMPTS} attempts")


def _make_recoverable(client: Any, name: str, patience: Patience) -> None:
    """Turns point-in-time recovery on. Of a table that was just made, DynamoDB first prepares the
    backups.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContinuousBackups.html
    """
    for _ in range(_RECOVERY_ATTEMPTS):
        try:
            client.update_continuous_backups(
                TableName=name,
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
            )
        except client.exceptions.ContinuousBackupsUnavailableException:
            time.sleep(patience.delay_seconds)
        else:
            return
    raise TimeoutError(f"{name} has no continuous backups after {_RECOVERY_ATTEMPTS} attempts")


def _remove_all(client: Any, bucket_name: str, prefix: str) -> None:
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket_name, Prefix=prefix)
    for page in pages:
        versions = [
            {"Key": one["Key"], "VersionId": one["VersionId"]}
            for kind in ("Versions", "DeleteMarkers")
            for one in page.get(kind, ())
        ]
        if versions:
            answer = client.delete_objects(Bucket=bucket_name, Delete={"Objects": versions})
            if answer.get("Errors"):
                raise RuntimeError(f"some objects could not be removed: {answer['Errors']}")
