"""The trips table of the embedded cloud: made to fit the trips, and filled with them."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from ops import interruption
from ops.local.trip_files import TripFileError, Trips, batches

_PUTS_AT_ONCE = 25
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html"""


def load(client: Any, table_name: str, trips: Trips, *, on_loaded: Callable[[int], None]) -> None:
    """Creates the table `table_name` with the trips' key and loads the trips. It can be exported:
    point-in-time recovery is on.

    `on_loaded` receives how many items each request has put.
    """
    names = trips.key_attributes
    first = next(iter(trips.items.values()), {})
    types = {name: next(iter(first.get(name, {"S": ""}))) for name in names}
    client.create_table(
        TableName=table_name,
        KeySchema=[
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(names, ("HASH", "RANGE"), strict=False)
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": kind} for name, kind in types.items()
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    client.update_continuous_backups(
        TableName=table_name,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    for batch in batches(list(trips.items.values()), _PUTS_AT_ONCE):
        wanted = {table_name: [{"PutRequest": {"Item": item}} for item in batch]}
        try:
            while wanted:
                wanted = client.batch_write_item(RequestItems=wanted).get("UnprocessedItems", {})
        except ClientError as error:
            raise TripFileError(
                f"the table refuses one of the trips {_keys(batch, names)}: {error}"
            ) from error
        on_loaded(len(batch))
        interruption.check()


def _keys(batch: Any, names: tuple[str, ...]) -> str:
    first, last = (
        ", ".join(str(next(iter(item[name].values()))) for name in names)
        for item in (batch[0], batch[-1])
    )
    return f"{first} … {last}"
