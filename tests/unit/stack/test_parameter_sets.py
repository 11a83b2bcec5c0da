"""Every parameter set of docs/parameters.md makes the stack that the page says it makes."""

import re
import shlex
from typing import Any

import pytest

from tests.unit.stack.resolved import ROOT, Stack, stack

TEXT = (ROOT / "docs" / "parameters.md").read_text(encoding="utf-8").partition("\n## Sets\n")[2]
SETS: dict[str, list[dict[str, str]]] = {
    heading: [
        dict(word.split("=", 1) for word in shlex.split(block))
        for block in re.findall(r"```sh\n(.*?)```", body, flags=re.DOTALL)
    ]
    for heading, body in (part.split("\n", 1) for part in TEXT.split("\n### ")[1:])
}


def the(heading: str) -> Stack:
    (parameters,) = SETS[heading]
    return stack(**parameters)


def names(of: Stack) -> set[tuple[str, str]]:
    """Everything that the stack names itself, as (type, name)."""
    named = set()
    for logical_id, resource in of.resources.items():
        properties: dict[str, Any] = of[logical_id]
        for key in (
            "AlarmName",
            "BucketName",
            "DashboardName",
            "FunctionName",
            "LogGroupName",
            "Name",
            "RoleName",
            "StateMachineName",
            "TopicName",
        ):
            if key in properties:
                named.add((resource["Type"], properties[key]))
        if "DatabaseInput" in properties:
            named.add((resource["Type"], properties["DatabaseInput"]["Name"]))
    # Of a query, a name is a title.
    return {(kind, name) for kind, name in named if kind != "AWS::Athena::NamedQuery"}


def test_every_set_is_tested_here() -> None:
    assert set(SETS) == {
        "A table and nothing else",
        "Two stacks side by side",
        "An existing bucket",
        "An existing bucket with a customer-managed key",
        "A new bucket with a customer-managed key",
        "An export as the source",
        "Exports in a bucket of another account",
        "An existing table with a customer-managed key",
        "A table with a sort key",
        "A table of provisioned capacity",
        "Attributes of another shape",
    }


def test_two_stacks_have_no_name_in_common() -> None:
    berlin, tokyo = (
        stack(name, **parameters)
        for name, parameters in zip(
            ("trips-berlin", "trips-tokyo"), SETS["Two stacks side by side"], strict=True
        )
    )
    kinds = {kind for kind, _ in names(berlin)}
    assert {
        "AWS::Logs::LogGroup",
        "AWS::StepFunctions::StateMachine",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::Glue::Database",
        "AWS::Athena::WorkGroup",
    } <= kinds
    # Within its database, a table's name is its own.
    shared = {name for kind, name in names(berlin) & names(tokyo) if kind != "AWS::Glue::Table"}
    assert shared == set()


def test_a_table_and_nothing_else_gets_a_bucket_of_the_stacks_own() -> None:
    of = the("A table and nothing else")
    assert of.of_type("AWS::S3::Bucket")
    assert "kms:" not in repr(of.of_type("AWS::IAM::Role"))


def test_an_existing_bucket_is_written_to_and_not_made() -> None:
    of = the("An existing bucket")
    assert not of.of_type("AWS::S3::Bucket")
    assert not of.of_type("AWS::S3::BucketPolicy")
    assert of.outputs["ResultsBucketName"]["Value"] == "our-data-lake"
    assert "kms:" not in repr(of.of_type("AWS::IAM::Role"))


@pytest.mark.parametrize(
    "heading",
    ["An existing bucket with a customer-managed key", "A new bucket with a customer-managed key"],
)
def test_with_the_buckets_key_every_function_may_use_it_by_way_of_s3_alone(heading: str) -> None:
    of = the(heading)
    # The state machine's role writes the exports that runs start.
    roles = ("PlanRunRole", "ScanSegmentRole", "MergePartialsRole", "TripKpisStateMachineRole")
    for role in roles:
        assert of.statements(role)["UseTheBucketsKey"] == {
            "Sid": "UseTheBucketsKey",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": SETS[heading][0]["BucketKmsKeyArn"],
            "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}},
        }
    assert bool(of.of_type("AWS::S3::Bucket")) == heading.startswith("A new")


def test_with_an_export_as_the_source_planning_is_told_so() -> None:
    of = the("An export as the source")
    assert of["PlanRunFunction"]["Environment"]["Variables"]["SOURCE"] == "export"
    assert "kms:" not in repr(of["TripKpisStateMachineRole"])


def test_exports_of_another_account_may_be_read_with_their_key_by_way_of_s3_alone() -> None:
    heading = "Exports in a bucket of another account"
    of = the(heading)
    for role in ("PlanRunRole", "ScanSegmentRole"):
        statements = of.statements(role)
        assert statements["ReadExportsElsewhere"]["Resource"] == "arn:aws:s3:::their-exports/*"
        assert statements["FindExportsElsewhere"]["Resource"] == "arn:aws:s3:::their-exports"
        assert statements["UseTheExportsKey"] == {
            "Sid": "UseTheExportsKey",
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": SETS[heading][0]["ExportKmsKeyArn"],
            "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}},
        }
    for role in ("MergePartialsRole", "TripKpisStateMachineRole"):
        assert "their-exports" not in repr(of[role])
        assert "kms:" not in repr(of[role])


def test_with_the_tables_key_who_scans_may_use_it_by_way_of_dynamodb_alone() -> None:
    heading = "An existing table with a customer-managed key"
    of = the(heading)
    for role in ("PlanRunRole", "ScanSegmentRole"):
        assert of.statements(role)["UseTheTablesKey"] == {
            "Sid": "UseTheTablesKey",
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": SETS[heading][0]["TableKmsKeyArn"],
            "Condition": {
                "StringEquals": {"kms:ViaService": "dynamodb.eu-central-1.amazonaws.com"}
            },
        }
    for role in ("MergePartialsRole", "TripKpisStateMachineRole"):
        assert "kms:" not in repr(of[role])


def test_a_table_with_a_sort_key_is_read_by_its_name_like_any_other() -> None:
    of = the("A table with a sort key")
    table = "arn:aws:dynamodb:eu-central-1:123456789012:table/trips-by-driver"
    assert of.statements("PlanRunRole")["DescribeTheTable"]["Resource"] == table
    assert of.statements("PlanRunRole")["SampleTheTable"]["Resource"] == table
    assert of.statements("ScanSegmentRole")["ReadTheTable"]["Resource"] == table


def test_a_table_of_provisioned_capacity_is_read_within_a_budget() -> None:
    variables = the("A table of provisioned capacity")["PlanRunFunction"]["Environment"]
    assert variables["Variables"]["READ_UNITS_PER_SECOND"] == "500"


def test_attributes_of_another_shape_arrive_at_the_planning_function() -> None:
    variables = the("Attributes of another shape")["PlanRunFunction"]["Environment"]["Variables"]
    assert variables["FARE_ATTRIBUTE"] == "trip_end.fare_amount"
    assert variables["ESTIMATED_FARE_ATTRIBUTE"] == "trip_start.estimated_fare"
    assert variables["DAY_ATTRIBUTE"] == "trip_start.at"
