"""A deployed stack, found by its name; and that it is one which a test may use up."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

TABLE_PREFIX = "trip-kpis-deployed-test"
"""How the stack's TableName must begin: the test makes this table, and deletes it."""
_FUNCTIONS = ("PlanRunFunctionName", "ScanSegmentFunctionName", "MergePartialsFunctionName")

Clients = Callable[[str], Any]
"""makes the boto3 client of a service"""


class UnfitStackError(Exception):
    """The stack is not one that the test may run in; nothing was touched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedStack:
    """What the test needs to know of it."""

    state_machine_arn: str
    bucket_name: str
    table_name: str
    athena_workgroup: str | None
    """None: it was deployed with AthenaTables=none"""
    athena_database: str | None


def found(clients: Clients, stack_name: str) -> DeployedStack:
    """The stack of this name, by its outputs and parameters.

    Raises UnfitStackError unless it was deployed for this test, and what is in the bucket and
    under the table's name is nobody's.
    """
    described = clients("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in described["Parameters"]}
    stack = DeployedStack(
        state_machine_arn=outputs["StateMachineArn"],
        bucket_name=outputs["ResultsBucketName"],
        table_name=parameters["TableName"],
        athena_workgroup=outputs.get("AthenaWorkGroup"),
        athena_database=outputs.get("AthenaDatabase"),
    )
    _check_parameters(parameters)
    _check_functions(clients("lambda"), stack, (outputs[name] for name in _FUNCTIONS))
    _check_nothing_is_there(clients, stack)
    return stack


def _check_parameters(parameters: dict[str, str]) -> None:
    if not parameters["TableName"].startswith(TABLE_PREFIX):
        raise UnfitStackError(
            f"the stack reads the table {parameters['TableName']}: deploy one with "
            f"TableName={TABLE_PREFIX} for this test, which makes the table and deletes it"
        )
    if parameters["ScheduleState"] != "DISABLED":
        raise UnfitStackError("the stack has a schedule: deploy it with ScheduleState=DISABLED")


def _check_functions(client: Any, stack: DeployedStack, names: Iterable[str]) -> None:
    for name in names:
        configuration = client.get_function_configuration(FunctionName=name)
        variables = configuration["Environment"]["Variables"]
        reported = (variables["DYNAMODB_TABLE_NAME"], variables["ATHENA_BUCKET_NAME"])
        if reported != (stack.table_name, stack.bucket_name):
            raise UnfitStackError(
                f"{name} is given another table or bucket than the stack: {reported}"
            )


def _check_nothing_is_there(clients: Clients, stack: DeployedStack) -> None:
    dynamodb = clients("dynamodb")
    try:
        dynamodb.describe_table(TableName=stack.table_name)
    except dynamodb.exceptions.ResourceNotFoundException:
        pass
    else:
        raise UnfitStackError(
            f"the table {stack.table_name} is there already: if an earlier test left it, delete it"
        )
    listed = clients("s3").list_objects_v2(Bucket=stack.bucket_name, Prefix="kpis/", MaxKeys=1)
    if listed["KeyCount"]:
        raise UnfitStackError(
            f"something is published in {stack.bucket_name} already: if an earlier test left it, "
            "remove what is under kpis/"
        )
