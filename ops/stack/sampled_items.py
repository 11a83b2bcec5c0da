"""Reads a few items of a table in the account, to recognize their attributes."""

from typing import Any

from ops.stack.account import Account, asking_aws

_PAGES = 4
_ITEMS_A_PAGE = 500


def sampled_items(table: str, account: Account) -> tuple[list[Any], tuple[str, ...]]:
    """Returns items from the beginnings of several segments, and the table's key attributes. It
    reads at most 2,000 items. Raises AccountError."""
    client = account.client("dynamodb")
    items: list[Any] = []
    with asking_aws(account, f"for a sample of the table {table}"):
        schema = client.describe_table(TableName=table)["Table"]["KeySchema"]
        for segment in range(_PAGES):
            items += client.scan(
                TableName=table, Limit=_ITEMS_A_PAGE, Segment=segment, TotalSegments=_PAGES
            )["Items"]
    return items, tuple(one["AttributeName"] for one in schema)
