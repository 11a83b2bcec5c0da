"""The trips table: what DynamoDB reports about it."""

from collections.abc import Mapping
from typing import Any

from trip_kpis.aws.clients import aws_call, check_answer
from trip_kpis.core.capacity import ON_DEMAND, PROVISIONED, STANDARD, ReadCapacity
from trip_kpis.core.errors import AccessDeniedError, RefusedError, TripKpisError
from trip_kpis.core.run.plan import Plan, check_table, check_table_id
from trip_kpis.core.run.table_description import TableDescription


def describe(client: Any, table_name: str) -> TableDescription:
    """Returns what DescribeTable and DescribeTimeToLive report. Raises TableNotFoundError, or what
    `aws_call` raises; a client that may not ask for the time to live is no error."""
    table = _described(client, table_name)
    keys = sorted(table["KeySchema"], key=lambda key: key["KeyType"])  # HASH before RANGE
    ttl_is_known, ttl_attribute = _time_to_live(client, table_name)
    return TableDescription(
        name=table["TableName"],
        arn=table["TableArn"],
        table_id=table.get("TableId", ""),
        key_attributes=tuple(key["AttributeName"] for key in keys),
        size_bytes=table["TableSizeBytes"],
        item_count=table["ItemCount"],
        created_at=table.get("CreationDateTime"),
        ttl_attribute=ttl_attribute,
        ttl_is_known=ttl_is_known,
        capacity=_capacity(table),
    )


def check_same_table(plan: Plan, client: Any, table_name: str) -> None:
    """Raises PlanMismatchError if the stack has another table now than the plan, or the table that
    is scanned was deleted and created again; also raises what `describe` raises."""
    check_table(plan, table_name)
    if plan.export is not None:
        return
    check_table_id(plan, str(_described(client, table_name).get("TableId", "")))


def recovery_is_on(client: Any, table_name: str) -> bool:
    """Returns whether the table's point-in-time recovery is on; without it, the table cannot be
    exported. Raises what `aws_call` raises."""
    with aws_call("dynamodb:DescribeContinuousBackups", table_name):
        answer = client.describe_continuous_backups(TableName=table_name)
        check_answer(answer, "ContinuousBackupsDescription")
    described = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    return bool(described.get("PointInTimeRecoveryStatus") == "ENABLED")


def recovery_if_known(client: Any, table_name: str) -> bool | None:
    """Returns the same for an estimate, which no error here may stop: None if the role may not ask,
    an emulator does not have this call, or there is no answer."""
    try:
        return recovery_is_on(client, table_name)
    except TripKpisError:
        return None


def _described(client: Any, table_name: str) -> Mapping[str, Any]:
    with aws_call("dynamodb:DescribeTable", table_name):
        answer = client.describe_table(TableName=table_name)
        check_answer(answer, "Table")
        table: Mapping[str, Any] = answer["Table"]
        check_answer(table, "KeySchema", "TableName", "TableArn", "TableSizeBytes", "ItemCount")
    return table


def _capacity(table: Mapping[str, Any]) -> ReadCapacity:
    """Returns how the table is billed, and what it delivers.

    A table that was always provisioned has no BillingModeSummary; one on demand has 0 provisioned
    units; a maximum of -1 is none.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
    """
    mode = table.get("BillingModeSummary", {}).get("BillingMode")
    provisioned = table.get("ProvisionedThroughput", {}).get("ReadCapacityUnits", 0)
    on_demand_most = table.get("OnDemandThroughput", {}).get("MaxReadRequestUnits", 0)
    is_provisioned = mode != ON_DEMAND and provisioned > 0
    most = provisioned if is_provisioned else on_demand_most
    warm = table.get("WarmThroughput", {}).get("ReadUnitsPerSecond", 0)
    return ReadCapacity(
        billing_mode=PROVISIONED if is_provisioned else ON_DEMAND,
        table_class=table.get("TableClassSummary", {}).get("TableClass", STANDARD),
        maximum=most if most > 0 else None,
        warm=warm if warm > 0 and not is_provisioned else None,
    )


def _time_to_live(client: Any, table_name: str) -> tuple[bool, str | None]:
    """Returns whether the time to live is known, and the attribute by which DynamoDB deletes items,
    if it does.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTimeToLive.html
    """
    try:
        with aws_call("dynamodb:DescribeTimeToLive", table_name):
            answer = client.describe_time_to_live(TableName=table_name)
    except (AccessDeniedError, RefusedError):
        return False, None
    described = answer.get("TimeToLiveDescription", {})
    if described.get("TimeToLiveStatus") not in {"ENABLED", "ENABLING"}:
        return True, None
    return True, described.get("AttributeName")
