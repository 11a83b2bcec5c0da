"""The trips table: what DynamoDB says of it."""

from typing import Any

from trip_kpis.aws.calls import aws_call, check_answer
from trip_kpis.core.plan import TableDescription


def describe(client: Any, table_name: str) -> TableDescription:
    """What DescribeTable says. Raises TableNotFoundError, or what `aws_call` raises."""
    with aws_call("dynamodb:DescribeTable", table_name):
        answer = client.describe_table(TableName=table_name)
        check_answer(answer, "Table")
        table = answer["Table"]
        check_answer(table, "KeySchema", "TableName", "TableArn", "TableSizeBytes", "ItemCount")
    keys = sorted(table["KeySchema"], key=lambda key: key["KeyType"])  # HASH before RANGE
    return TableDescription(
        name=table["TableName"],
        arn=table["TableArn"],
        table_id=table.get("TableId", ""),
        key_attributes=tuple(key["AttributeName"] for key in keys),
        size_bytes=table["TableSizeBytes"],
        item_count=table["ItemCount"],
    )
