"""The project's own stack, in the embedded cloud: what of it is there, and what is not.

Of what is there, moto leaves out the bucket's versioning and lifecycle, and the state machine's
logging.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.embedded.cloud import EmbeddedCloud
from ops.embedded.stack import DeployedStack, deploy

TEMPLATE = Path(__file__).parents[3] / "template.yaml"

NOT_EMULATED = Counter(
    {
        "AWS::Athena::NamedQuery": 7,
        "AWS::Athena::WorkGroup": 1,
        "AWS::CloudWatch::Alarm": 6,
        "AWS::Glue::Database": 1,
        "AWS::Glue::Table": 2,
        "AWS::S3::BucketPolicy": 1,
        "AWS::SNS::Subscription": 1,
        "AWS::SNS::TopicPolicy": 1,
        "AWS::Scheduler::Schedule": 1,
    }
)
"""Looked at as documents by tests/unit/stack and tests/iam, because nothing here acts on them."""

CREATED = Counter(
    {
        "AWS::CloudWatch::Dashboard": 1,
        "AWS::Events::Rule": 2,
        "AWS::IAM::Role": 5,
        "AWS::Lambda::Function": 3,
        "AWS::Logs::LogGroup": 4,
        "AWS::S3::Bucket": 1,
        "AWS::SNS::Topic": 1,
        "AWS::StepFunctions::StateMachine": 1,
    }
)


@pytest.fixture(scope="module")
def cloud() -> Iterator[EmbeddedCloud]:
    with EmbeddedCloud() as started:
        yield started


@pytest.fixture(scope="module")
def stack(cloud: EmbeddedCloud) -> DeployedStack:
    parameters = {"TableName": "trips", "NotificationEmail": "ops@example.com"}
    return deploy(cloud, TEMPLATE, "trip-kpis", parameters)


def test_every_resource_is_created_or_said_to_be_left_out(
    cloud: EmbeddedCloud, stack: DeployedStack
) -> None:
    answer = cloud.client("cloudformation").list_stack_resources(StackName=stack.name)
    listed = Counter(one["ResourceType"] for one in answer["StackResourceSummaries"])
    # What moto has not made, it lists without a type.
    created = Counter({kind: many for kind, many in listed.items() if kind})
    left_out = Counter(one.partition("(")[2].rstrip(")") for one in stack.left_out)
    assert left_out == NOT_EMULATED
    assert created == CREATED


def test_the_bucket_is_encrypted(cloud: EmbeddedCloud, stack: DeployedStack) -> None:
    answer = cloud.client("s3").get_bucket_encryption(Bucket=stack.bucket_name)
    (rule,) = answer["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_the_rules_wait_for_this_state_machine_and_tell_the_topic(
    cloud: EmbeddedCloud, stack: DeployedStack
) -> None:
    events = cloud.client("events")
    statuses: set[str] = set()
    for rule in events.list_rules()["Rules"]:
        pattern: dict[str, Any] = json.loads(rule["EventPattern"])
        assert pattern["detail"]["stateMachineArn"] == [stack.state_machine_arn]
        statuses |= set(pattern["detail"]["status"])
        (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        assert target["Arn"] == stack.outputs["NotificationTopicArn"]
    assert statuses == {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


def test_every_log_group_expires(cloud: EmbeddedCloud, stack: DeployedStack) -> None:
    groups = cloud.client("logs").describe_log_groups()["logGroups"]
    assert {one["retentionInDays"] for one in groups if stack.name in one["logGroupName"]} == {30}
