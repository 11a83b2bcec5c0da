"""Whoever is notified of a run's end can act on what the notice says."""

import json
import re
from collections.abc import Mapping
from functools import reduce
from typing import Any

import pytest
from moto.events.models import EventPattern

from tests.unit.stack.resolved import stack

STACK = stack("trips-eu")
MACHINE = "TripKpisStateMachine"
CONSOLE = "https://console.aws.amazon.com/states/home?region=eu-central-1#/v2/executions/details/"
EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:trips-eu-trip-kpis:nightly-7"

CAUSE = json.dumps(
    {
        "errorType": "TooManyRejectedError",
        "errorMessage": '29 of 100 trips were rejected, "twelve" among them',
    }
)


def event(status: str, **detail: Any) -> dict[str, Any]:
    """What Step Functions sends to EventBridge when an execution's status changes.

    https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    return {
        "version": "0",
        "id": "315c1398-40ff-a850-213b-158f73e60175",
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": "123456789012",
        "time": "2026-06-01T02:31:00Z",
        "region": "eu-central-1",
        "resources": [EXECUTION],
        "detail": {
            "executionArn": EXECUTION,
            "stateMachineArn": MACHINE,
            "name": "nightly-7",
            "status": status,
            "startDate": 1780280100000,
            "stopDate": None if status == "RUNNING" else 1780281060000,
            "input": "{}",
            **detail,
        },
    }


FAILED = event("FAILED", error="TooManyRejectedError", cause=CAUSE)
SUMMARY = json.dumps({"run_id": "nightly-7", "days_published": 31, "total_fare": "76402.93"})
SUCCEEDED = event("SUCCEEDED", output=SUMMARY)


def reported(of: Mapping[str, Any]) -> list[str]:
    """What the stack's rules make of an event, one text for each notice."""
    texts = []
    for rule in STACK.of_type("AWS::Events::Rule").values():
        if EventPattern.load(json.dumps(rule["EventPattern"])).matches_event(of):  # type: ignore[arg-type]
            (target,) = rule["Targets"]
            assert target["Arn"] == "NotificationTopic"
            texts.append(transformed(target["InputTransformer"], of))
    return texts


def transformed(transformer: Mapping[str, Any], of: Mapping[str, Any]) -> str:
    """As it is delivered: a variable that leads nowhere is left out, a value goes in as it is, and
    the quotes around each line, which EventBridge wants there, stay.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    values = {
        name: reduce(lambda part, key: part.get(key, ""), path.split(".")[1:], of)
        for name, path in transformer["InputPathsMap"].items()
    }
    template: str = transformer["InputTemplate"]
    return re.sub(r"<(\w+)>", lambda found: values[found[1]], template)


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED", "SUCCEEDED"])
def test_a_notice_has_no_quotes_but_those_around_each_line(status: str) -> None:
    (notice,) = reported(event(status, error="TooManyRejectedError", cause=CAUSE))
    for line in notice.splitlines():
        assert (line[0], line[-1]) == ('"', '"')
        assert not set(line[1:-1]) & {'"', "\\"}


@pytest.mark.parametrize("status", ["FAILED", "SUCCEEDED"])
def test_a_link_of_a_notice_ends_where_it_should(status: str) -> None:
    """What follows it is a blank, not the quote that ends the line."""
    (notice,) = reported(event(status))
    (link,) = re.findall(r"https://\S+", notice)
    assert link == f"{CONSOLE}{EXECUTION}"


@pytest.mark.parametrize("execution_input", ['{"estimate_only": true}', '{"estimate_only":true}'])
@pytest.mark.parametrize("status", ["FAILED", "SUCCEEDED", "ABORTED"])
def test_an_estimate_is_no_news(status: str, execution_input: str) -> None:
    assert reported(event(status, input=execution_input)) == []


@pytest.mark.parametrize("execution_input", ["{}", '{"estimate_only": false}', '{"run_id": "a"}'])
def test_every_run_is(execution_input: str) -> None:
    assert len(reported(event("SUCCEEDED", input=execution_input))) == 1


@pytest.mark.parametrize(
    ("partition", "host"),
    [
        ("aws", "console.aws.amazon.com"),
        ("aws-cn", "console.amazonaws.cn"),
        ("aws-us-gov", "console.amazonaws-us-gov.com"),
    ],
)
def test_the_console_is_the_partitions_own(partition: str, host: str) -> None:
    of = stack(partition=partition)
    texts = [
        *(
            rule["Targets"][0]["InputTransformer"]["InputTemplate"]
            for rule in of.of_type("AWS::Events::Rule").values()
        ),
        *(one["DashboardBody"] for one in of.of_type("AWS::CloudWatch::Dashboard").values()),
        of.outputs["StateMachineConsole"]["Value"],
        of.outputs["Dashboard"]["Value"],
    ]
    hosts = [found for text in texts for found in re.findall(r"https://([^/\s]+)/", text)]
    assert len(hosts) == len(texts)
    assert set(hosts) == {host}


def test_a_failure_names_the_run_the_error_the_console_and_the_next_steps() -> None:
    (notice,) = reported(FAILED)
    assert "The run nightly-7 of trips-eu did not succeed: FAILED TooManyRejectedError" in notice
    assert f"Look: {CONSOLE}{EXECUTION}" in notice
    assert "Redrive there within 14 days" in notice
    assert "the field run_id in its input: nightly-7 is its value" in notice


@pytest.mark.parametrize("status", ["TIMED_OUT", "ABORTED"])
def test_an_end_without_error_or_cause_is_reported_of_too(status: str) -> None:
    (notice,) = reported(event(status))
    assert f'The run nightly-7 of trips-eu did not succeed: {status} "\n' in notice


def test_a_success_says_where_the_figures_and_the_summary_are() -> None:
    (notice,) = reported(SUCCEEDED)
    assert "The run nightly-7 of trips-eu succeeded." in notice
    assert "s3://ResultsBucket/kpis/" in notice
    assert f"Summary: {CONSOLE}{EXECUTION} has it as its output" in notice


@pytest.mark.parametrize(
    "of",
    [
        event("RUNNING"),
        event("PENDING_REDRIVE"),
        {**FAILED, "source": "aws.batch"},
        event("FAILED", stateMachineArn="AnotherStateMachine"),
        # A segment's execution belongs to the Map Run.
        event("FAILED", stateMachineArn=f"{MACHINE}/ScanSegments"),
    ],
)
def test_nothing_else_is_reported(of: Mapping[str, Any]) -> None:
    assert reported(of) == []


def test_every_variable_of_a_notice_is_used_and_every_used_one_is_a_variable() -> None:
    for rule in STACK.of_type("AWS::Events::Rule").values():
        transformer = rule["Targets"][0]["InputTransformer"]
        used = set(re.findall(r"<(\w+)>", transformer["InputTemplate"]))
        assert used == set(transformer["InputPathsMap"])
        # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_InputTransformer.html
        assert len(transformer["InputTemplate"]) <= 8192


def test_rules_and_the_alarms_of_this_stack_may_publish_to_the_topic_and_nobody_else() -> None:
    statements = STACK.statements("NotificationTopicPolicy")
    allowed = {sid: one for sid, one in statements.items() if one["Effect"] == "Allow"}
    assert {sid: (one["Principal"], one.get("Condition")) for sid, one in allowed.items()} == {
        # EventBridge knows no conditions here.
        "RulesTell": ({"Service": "events.amazonaws.com"}, None),
        "AlarmsTell": (
            {"Service": "cloudwatch.amazonaws.com"},
            {
                "StringEquals": {"aws:SourceAccount": "123456789012"},
                "ArnLike": {
                    "aws:SourceArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:trips-eu-*"
                },
            },
        ),
    }
    assert set(STACK.of_type("AWS::Events::Rule")) == {"RunFailedRule", "RunSucceededRule"}
    assert {one["Action"] for one in statements.values()} == {"sns:Publish"}


def test_an_address_is_subscribed_if_one_is_given() -> None:
    assert not STACK.of_type("AWS::SNS::Subscription")
    (subscription,) = (
        stack(NotificationEmail="ops@example.com").of_type("AWS::SNS::Subscription").values()
    )
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")
    assert subscription["TopicArn"] == "NotificationTopic"
