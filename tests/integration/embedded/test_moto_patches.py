"""Why each patch is there: what moto does without it, and what AWS does, with it."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from moto.awslambda.models import LambdaFunction
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

from ops.embedded import moto_patches, step_functions_patches
from ops.embedded.cloud import EmbeddedCloud
from ops.embedded.errors import DeploymentError, MotoMismatchError
from ops.embedded.stack import deploy
from ops.runs.execution import failed_segments
from tests.integration.embedded.stand_in_cloud import (
    STAND_IN,
    LambdaError,
    StandIn,
    as_lambda,
    stand_in_cloud,
)

Without = Callable[[str], None]


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Without:
    """Leaves out the patch of that name in the clouds that this test starts."""

    def leave_out(patch: str) -> None:
        assert hasattr(moto_patches, patch)
        monkeypatch.setattr(moto_patches, patch, lambda *_: nullcontext())

    return leave_out


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """In a cloud of the test's own: other tests here start clouds without a patch."""
    with stand_in_cloud() as made:
        yield made


def fails_on_two(payload: Any) -> Any:
    if payload["item"] == 2:
        raise LambdaError("PermanentError", "segment 2 is not readable")
    return {"finished": True}


def test_moto_lets_a_map_with_a_failed_child_succeed(without: Without) -> None:
    without("failed_child_fails_the_map")
    with stand_in_cloud() as stand_in:
        _, execution = stand_in.run(fails_on_two, [2, 1])
    assert execution["status"] == "SUCCEEDED"
    assert json.loads(execution["output"]) == [None, 1]


def test_a_failed_child_fails_the_map_and_can_be_found(stand_in: StandIn) -> None:
    arn, execution = stand_in.run(fails_on_two, [2, 1])

    assert execution["status"] == "FAILED"
    assert execution["error"] == "States.ExceedToleratedFailureThreshold"
    assert execution["cause"] == "The specified tolerated failure threshold was exceeded"
    (child,) = failed_segments(stand_in.cloud.client("stepfunctions"), arn)
    assert child.input == {"run": "r1", "item": 2}
    assert child.error == "PermanentError"
    assert "segment 2 is not readable" in child.cause


def test_moto_does_not_list_the_children_of_a_map_run(without: Without) -> None:
    without("children_are_listed")
    with stand_in_cloud() as stand_in:
        arn, _ = stand_in.run(lambda _: {"finished": True}, [1])
        client = stand_in.cloud.client("stepfunctions")
        (run,) = client.list_map_runs(executionArn=arn)["mapRuns"]
        with pytest.raises(ClientError, match="500"):
            client.list_executions(mapRunArn=run["mapRunArn"])


def test_the_children_of_a_map_run_are_listed_and_described(stand_in: StandIn) -> None:
    one_is_in, run_is_over = threading.Event(), threading.Event()

    def work(payload: Any) -> Any:
        if payload["item"] == 1:
            one_is_in.set()
            run_is_over.wait(timeout=600)
        elif payload["item"] == 2:
            one_is_in.wait(timeout=600)
        return fails_on_two(payload)

    with stand_in.cloud.lambda_tasks_run_by(as_lambda(work)):
        arn = stand_in.start([0, 1, 2], max_concurrency=2)
        stand_in.end(arn)
        run_is_over.set()
    client = stand_in.cloud.client("stepfunctions")
    (run,) = client.list_map_runs(executionArn=arn)["mapRuns"]

    def children(**asked: str) -> list[Any]:
        listed = client.list_executions(mapRunArn=run["mapRunArn"], **asked)["executions"]
        return [client.describe_execution(executionArn=one["executionArn"]) for one in listed]

    found = [(json.loads(child["input"])["item"], child["status"]) for child in children()]
    assert found == [(2, "FAILED"), (1, "ABORTED"), (0, "SUCCEEDED")]
    (failed,) = children(statusFilter="FAILED")
    assert failed["error"] == "PermanentError"
    assert failed["stopDate"] >= failed["startDate"]
    with pytest.raises(ClientError, match="ResourceNotFound"):
        client.list_executions(mapRunArn=f"{run['mapRunArn']}-other")
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        client.describe_execution(executionArn=f"{failed['executionArn']}-other")


def test_moto_deploys_state_machines_that_cannot_be_started(without: Without) -> None:
    without("stack_state_machines_execute")
    with stand_in_cloud() as stand_in, pytest.raises(ClientError, match="Does Not Exist"):
        stand_in.start([1])


def test_a_deployed_state_machine_has_its_file_with_the_substitutions(stand_in: StandIn) -> None:
    client = stand_in.cloud.client("stepfunctions")
    found = client.describe_state_machine(stateMachineArn=stand_in.stack.state_machine_arn)

    expected = (STAND_IN / "machine.asl.json").read_text()
    function = stand_in.stack.functions["WorkFunction"].name
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{function}"
    assert found["definition"] == expected.replace("${WorkFunctionArn}", arn)


def test_moto_calls_an_unnamed_execution_none(without: Without) -> None:
    without("unnamed_execution_gets_a_uuid")
    with stand_in_cloud() as stand_in:
        assert stand_in.start([]).endswith(":None")


def test_an_unnamed_execution_gets_a_uuid(stand_in: StandIn) -> None:
    first, second = stand_in.start([]), stand_in.start([])
    assert re.search(r":[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", first)
    assert first != second


def test_an_execution_name_that_aws_refuses_is_refused(stand_in: StandIn) -> None:
    with pytest.raises((ClientError, ParamValidationError)):
        stand_in.start([], name="a/b*c")


def test_moto_gives_no_account_of_an_execution_that_has_just_started(without: Without) -> None:
    """Its thread has not got to where the environment is made: held there, to see it every time."""
    without("execution_can_be_watched_from_its_start")
    with stand_in_cloud() as stand_in, held_before_it_begins() as let_begin:
        arn = stand_in.start([])
        with pytest.raises(ClientError):
            stand_in.cloud.client("stepfunctions").list_map_runs(executionArn=arn)
        let_begin.set()
        stand_in.end(arn)


def test_an_execution_can_be_watched_from_its_start(stand_in: StandIn) -> None:
    with held_before_it_begins():
        arn = stand_in.start([])
        runs = stand_in.cloud.client("stepfunctions").list_map_runs(executionArn=arn)
    assert runs["mapRuns"] == []
    assert stand_in.end(arn)["status"] == "SUCCEEDED"


@contextmanager
def held_before_it_begins() -> Iterator[threading.Event]:
    """Executions that start meanwhile begin when the event is set, or at the end."""
    worker: Any = step_functions_patches.ExecutionWorker
    begin = worker._execution_logic
    let_begin = threading.Event()

    def begin_later(self: Any) -> None:
        let_begin.wait(timeout=600)
        begin(self)

    worker._execution_logic = begin_later
    try:
        yield let_begin
    finally:
        worker._execution_logic = begin
        let_begin.set()


def test_moto_makes_a_client_for_every_lambda_task() -> None:
    """With the user's own configuration, which need not even be there."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_PROFILE", "not-there")
        with pytest.raises(Exception, match="not-there"):
            lambda_eval_utils.boto_client_for(service="lambda", region="us-east-1")


def test_lambda_tasks_share_one_client(stand_in: StandIn) -> None:
    clients = {
        id(lambda_eval_utils.boto_client_for(service="lambda", region="us-east-1"))
        for _ in range(2)
    }
    assert len(clients) == 1


def test_a_failed_function_is_unhandled_as_aws_says(stand_in: StandIn) -> None:
    name = stand_in.stack.functions["WorkFunction"].name
    with stand_in.cloud.lambda_tasks_run_by(as_lambda(fails_on_two)):
        response = stand_in.cloud.client("lambda").invoke(FunctionName=name, Payload=b'{"item": 2}')
        payload = json.loads(response["Payload"].read())
    assert response["FunctionError"] == "Unhandled"
    assert payload["errorType"] == "PermanentError"


def test_without_a_lambda_service_the_task_says_so(stand_in: StandIn) -> None:
    name = stand_in.stack.functions["WorkFunction"].name
    with pytest.raises(ClientError, match="no LambdaService is open") as refusal:
        stand_in.cloud.client("lambda").invoke(FunctionName=name, Payload=b"{}")
    assert refusal.value.response["Error"]["Code"] == "ServiceException"


def test_moto_knows_nothing_of_the_accounts_lambda_limit(without: Without) -> None:
    without("lambda_has_account_settings")
    with stand_in_cloud() as stand_in, pytest.raises(ClientError):
        stand_in.cloud.client("lambda").get_account_settings()


def test_the_account_has_lambdas_default_quota(stand_in: StandIn) -> None:
    settings = stand_in.cloud.client("lambda").get_account_settings()
    assert settings["AccountLimit"]["UnreservedConcurrentExecutions"] == 1_000


def test_moto_warns_of_left_out_resources_inside_its_server(without: Without) -> None:
    without("left_out_resources_are_reported_by_the_deployment")
    with EmbeddedCloud() as cloud, pytest.raises(DeploymentError):
        deploy(cloud, STAND_IN / "template.yaml", "stand-in", {"TableName": "trips"})


def test_the_deployment_tells_of_left_out_resources(stand_in: StandIn) -> None:
    assert stand_in.stack.left_out == ("ResultsPolicy (AWS::S3::BucketPolicy)",)


def test_json_paths_are_parsed_once(stand_in: StandIn) -> None:
    parsed = step_functions_patches.json_path.parse("$.a")
    assert step_functions_patches.json_path.parse("$.a") is parsed


def test_every_patch_is_taken_back() -> None:
    before = LambdaFunction.invoke, lambda_eval_utils.boto_client_for, dict(os.environ)
    with EmbeddedCloud():
        assert LambdaFunction.invoke is not before[0]
    assert (LambdaFunction.invoke, lambda_eval_utils.boto_client_for, dict(os.environ)) == before


def test_the_patches_refuse_a_moto_that_they_do_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moto_patches, "version", lambda package: "5.3.0")
    with pytest.raises(MotoMismatchError, match=r"needs moto 5\.2\.5, and 5\.3\.0"):
        EmbeddedCloud().__enter__()


def test_a_part_of_moto_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(LambdaFunction, "invoke")
    with pytest.raises(MotoMismatchError, match=r"no LambdaFunction\.invoke"):
        EmbeddedCloud().__enter__()
