"""The deployed test's own logic, against the embedded cloud: over HTTP, with the clients that it
makes in an account. A new execution takes the place of Redrive, which nothing here can do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import boto3
import pytest
from botocore.exceptions import WaiterError

from ops.embedded.scan_layers import ScanRequest, scans_reported_to
from ops.embedded.stack import deploy
from ops.local.local_stack import STACK_NAME, TEMPLATE, LocalStack, Where
from ops.local.trip_files import Trips
from tests.deployed.made_here import executions_over, objects_removed, table_of
from tests.deployed.scenario import (
    MONTH,
    SEGMENTS,
    Seen,
    broken_off_and_resumed,
    changed,
    complaints,
    read_on,
)
from tests.deployed.stack import TABLE_PREFIX, UnfitStackError, found
from tests.deployed.waiting import A_SEGMENT_DONE, EXECUTION_ENDED, MAP_RUN_BEGUN, Patience
from tests.stacks import stack_of

PATIENCE = Patience(delay_seconds=0.1, attempts=1200)
FOR_THE_TEST = {"TableName": TABLE_PREFIX, "ScheduleState": "DISABLED"}
NO_TRIPS = Trips(hash_key="trip_id", sort_key=None, items={})


@dataclass(slots=True)
class Scans:
    """The segments that pages were asked for of, since it was last emptied."""

    segments: set[int | None] = field(default_factory=set)

    def note(self, scan: ScanRequest) -> None:
        self.segments.add(scan.segment)


@contextmanager
def deployed(scans: Scans) -> Iterator[LocalStack]:
    where = Where(middleware=scans_reported_to(scans.note))
    with stack_of(where=where, **FOR_THE_TEST) as local:
        yield local


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One run of the scenario here."""

    local: LocalStack
    seen: Seen
    scanned_afterwards: set[int | None]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    scans = Scans()
    with deployed(scans) as local:
        stack = found(boto3.client, STACK_NAME)

        def new_execution(_execution: str, run_id: str) -> str:
            local.functions.wait_until_idle()
            scans.segments.clear()
            arn: str = boto3.client("stepfunctions").start_execution(
                stateMachineArn=stack.state_machine_arn, input=json.dumps({"run_id": run_id})
            )["executionArn"]
            return arn

        seen = broken_off_and_resumed(
            boto3.client,
            stack,
            new_execution,
            run_id="run-1",
            out=tmp_path_factory.mktemp("out"),
            patience=PATIENCE,
        )
        yield Tried(local=local, seen=seen, scanned_afterwards=scans.segments)


def test_a_run_that_is_broken_off_and_resumed_comes_to_the_known_figures(tried: Tried) -> None:
    assert complaints(tried.seen) == []


def test_no_page_of_a_segment_that_was_finished_is_asked_for_again(tried: Tried) -> None:
    finished = {part.segment for part in tried.seen.broken_off.values() if part.is_last}
    assert finished
    assert tried.scanned_afterwards
    assert not finished & tried.scanned_afterwards


def test_nothing_of_it_stays(tried: Tried) -> None:
    bucket = tried.local.stack.bucket_name
    listed = boto3.client("s3").list_object_versions(Bucket=bucket)
    assert listed.get("Versions", []) == listed.get("DeleteMarkers", []) == []
    assert boto3.client("dynamodb").list_tables()["TableNames"] == ["trips"]


def test_what_is_not_as_it_should_be_is_complained_of(tried: Tried) -> None:
    seen = tried.seen
    key, part = next((key, part) for key, part in seen.broken_off.items() if part.is_last)
    rewritten = replace(seen, in_the_end={**seen.in_the_end, key: replace(part, etag="other")})
    assert changed(rewritten) == {key}
    appended = {**seen.in_the_end, f"{key}-2": replace(part, is_last=False)}
    assert read_on(replace(seen, in_the_end=appended)) == {part.segment}
    everything_wrong = Seen(
        statuses=("SUCCEEDED", "FAILED"),
        cause="MissingSegmentError 3",
        broken_off={**seen.broken_off, **seen.in_the_end},
        in_the_end={key: replace(part, etag="other"), f"{key}-2": part},
        published_before=1,
        summary={},
        wrong_days=["2024-05-01"],
        unproved_days=["2024-05-02"],
        misread_days={"kpis": ["2024-05-03"], "runs": []},
        exported={},
    )
    found_wrong = complaints(everything_wrong)
    assert len(found_wrong) == 16
    assert f"{SEGMENTS} segments were done when it was broken off" in found_wrong
    assert "the statuses are ('SUCCEEDED', 'FAILED') MissingSegmentError 3" in found_wrong
    assert f"scanned is None, not {len(MONTH.trips.items)}" in found_wrong


def test_a_run_that_fails_before_its_segments_begin_is_not_waited_for(tried: Tried) -> None:
    states = boto3.client("stepfunctions")
    arn = states.start_execution(
        stateMachineArn=tried.local.stack.state_machine_arn, input=json.dumps({"unknown": 1})
    )["executionArn"]
    with pytest.raises(WaiterError, match="terminal failure"):
        MAP_RUN_BEGUN.wait(states, PATIENCE, executionArn=arn)


def test_waiting_ends_when_patience_does_and_when_there_is_nothing_to_wait_for(
    tried: Tried,
) -> None:
    states = boto3.client("stepfunctions")
    arn = tried.local.stack.state_machine_arn.replace(":stateMachine:", ":execution:") + ":run-1"
    never = replace(EXECUTION_ENDED, reached="status == 'NEVER'")
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        never.wait(states, Patience(delay_seconds=0, attempts=3), executionArn=arn)
    (map_run,) = states.list_map_runs(executionArn=arn)["mapRuns"]
    given_up = replace(A_SEGMENT_DONE, reached="status == 'NEVER'", out_of_reach="status != 'X'")
    with pytest.raises(WaiterError, match="terminal failure"):
        given_up.wait(states, PATIENCE, mapRunArn=map_run["mapRunArn"])


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        ({"TableName": "trips"}, f"TableName={TABLE_PREFIX}"),
        ({"ScheduleState": "ENABLED"}, "ScheduleState=DISABLED"),
    ],
)
def test_a_stack_that_is_not_for_the_test_is_refused(
    tried: Tried, parameters: dict[str, str], refusal: str
) -> None:
    name = f"other-{next(iter(parameters)).lower()}"
    deploy(tried.local.cloud, TEMPLATE, name, {**FOR_THE_TEST, **parameters})
    with pytest.raises(UnfitStackError, match=refusal):
        found(boto3.client, name)


def test_a_function_that_is_reported_another_table_is_noticed(tried: Tried) -> None:
    name = tried.local.stack.outputs["ScanSegmentFunctionName"]
    reported = tried.local.stack.functions["ScanSegmentFunction"].environment
    client = boto3.client("lambda")
    other = {**reported, "DYNAMODB_TABLE_NAME": "trips"}
    client.update_function_configuration(FunctionName=name, Environment={"Variables": other})
    try:
        with pytest.raises(UnfitStackError, match=f"{name} is given another table"):
            found(boto3.client, STACK_NAME)
    finally:
        client.update_function_configuration(FunctionName=name, Environment={"Variables": reported})


def test_a_table_that_is_there_is_refused_and_stays(tried: Tried) -> None:
    dynamodb = boto3.client("dynamodb")
    with table_of(dynamodb, TABLE_PREFIX, NO_TRIPS, PATIENCE):
        with pytest.raises(UnfitStackError, match="is there already"):
            found(boto3.client, STACK_NAME)
        with (
            pytest.raises(dynamodb.exceptions.ResourceInUseException),
            table_of(dynamodb, TABLE_PREFIX, NO_TRIPS, PATIENCE),
        ):
            pass
        assert TABLE_PREFIX in dynamodb.list_tables()["TableNames"]


def test_days_that_are_published_are_refused_and_stay(tried: Tried) -> None:
    day = {"Bucket": tried.local.stack.bucket_name, "Key": "kpis/date=2024-05-01/kpi.json"}
    s3 = boto3.client("s3")
    s3.put_object(**day, Body=b"{}")
    with pytest.raises(UnfitStackError, match="something is published"):
        found(boto3.client, STACK_NAME)
    assert s3.get_object(**day)["Body"].read() == b"{}"
    s3.delete_object(**day)


def test_what_was_made_goes_even_if_the_test_breaks_off(tried: Tried) -> None:
    """Also a version that was overwritten, and what says that one was deleted."""
    bucket, s3, dynamodb = (
        tried.local.stack.bucket_name,
        boto3.client("s3"),
        boto3.client("dynamodb"),
    )
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    with (
        pytest.raises(KeyboardInterrupt),
        table_of(dynamodb, TABLE_PREFIX, NO_TRIPS, PATIENCE),
        objects_removed(s3, bucket, ("kpis/",)),
    ):
        for body in (b"1", b"2"):
            s3.put_object(Bucket=bucket, Key="kpis/a", Body=body)
        s3.delete_object(Bucket=bucket, Key="kpis/a")
        s3.put_object(Bucket=bucket, Key="runs/b", Body=b"")
        raise KeyboardInterrupt
    left = s3.list_object_versions(Bucket=bucket)
    assert [one["Key"] for one in left["Versions"]] == ["runs/b"]
    assert "DeleteMarkers" not in left
    assert TABLE_PREFIX not in dynamodb.list_tables()["TableNames"]


def test_an_execution_that_runs_is_stopped(tried: Tried) -> None:
    states = boto3.client("stepfunctions")
    definition = {
        "StartAt": "Wait",
        "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}},
    }
    machine = states.create_state_machine(
        name="waits",
        definition=json.dumps(definition),
        roleArn=f"arn:aws:iam::{tried.local.cloud.account_id}:role/any",
    )["stateMachineArn"]
    with executions_over(states, PATIENCE) as executions:
        arn = states.start_execution(stateMachineArn=machine, name="one")["executionArn"]
        executions.append(arn)
    assert states.describe_execution(executionArn=arn)["status"] == "ABORTED"
