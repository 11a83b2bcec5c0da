"""A template is deployed as AWS would deploy it, or refused in one line."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops.embedded.cloud import EmbeddedCloud
from ops.embedded.errors import DeploymentError
from ops.embedded.stack import DeployedStack, deploy
from tests.integration.embedded.stand_in_cloud import STAND_IN, StandIn, stand_in_cloud

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def cloud() -> Iterator[EmbeddedCloud]:
    with EmbeddedCloud() as started:
        yield started


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """In a cloud of the test's own: other tests here start clouds, too."""
    with stand_in_cloud() as made:
        yield made


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STAND_IN, tmp_path / "copy"))


@pytest.fixture
def changed(copy: Path) -> Callable[[str, str, str], Path]:
    """The template of a copy of the stand-in with something replaced in one of its files."""

    def change(file: str, old: str, new: str) -> Path:
        text = (copy / file).read_text()
        assert old in text
        (copy / file).write_text(text.replace(old, new))
        return copy / "template.yaml"

    return change


def test_functions_are_described_as_the_template_has_them(stand_in: StandIn) -> None:
    function = stand_in.stack.functions["WorkFunction"]
    assert function.handler == "work.handler"
    assert function.timeout_seconds == 120
    assert function.memory_mb == 256
    assert function.code_path == STAND_IN / "functions"
    assert function.environment == {
        "DYNAMODB_TABLE_NAME": "trips",
        "ATHENA_BUCKET_NAME": stand_in.stack.bucket_name,
        "GREETING": "hello",
        "SHARE": "0.01",
    }
    assert stand_in.stack.outputs == {"Arn": stand_in.stack.state_machine_arn}


def test_cloudformation_resolves_parameters_and_conditions(cloud: EmbeddedCloud) -> None:
    parameters = {"TableName": "rides", "Mode": "fancy"}
    stack = deploy(cloud, STAND_IN / "template.yaml", "fancy", parameters)
    assert stack.functions["WorkFunction"].environment["GREETING"] == "how do you do, rides"
    assert stack.state_machine_arn.endswith(":stateMachine:fancy-machine")


def test_two_stacks_live_side_by_side(cloud: EmbeddedCloud) -> None:
    stacks = [
        deploy(cloud, STAND_IN / "template.yaml", name, {"TableName": "trips"})
        for name in ("one", "two")
    ]
    assert stacks[0].state_machine_arn != stacks[1].state_machine_arn
    assert stacks[0].bucket_name != stacks[1].bucket_name


def test_a_change_of_the_definition_shows_in_the_next_deployment(
    cloud: EmbeddedCloud, changed: Callable[[str, str, str], Path]
) -> None:
    def definition(stack: DeployedStack) -> str:
        client = cloud.client("stepfunctions")
        found = client.describe_state_machine(stateMachineArn=stack.state_machine_arn)
        return str(found["definition"])

    template = STAND_IN / "template.yaml"
    before = definition(deploy(cloud, template, "before", {"TableName": "trips"}))
    template = changed("machine.asl.json", '"Done"', '"AllDone"')
    after = definition(deploy(cloud, template, "after", {"TableName": "trips"}))
    assert '"AllDone"' not in before
    assert '"AllDone"' in after


def test_the_projects_own_template_can_be_deployed(cloud: EmbeddedCloud) -> None:
    stack = deploy(cloud, PROJECT / "template.yaml", "trips", {"TableName": "trips"})
    assert set(stack.functions) == {
        "PlanRunFunction",
        "ScanSegmentFunction",
        "MergePartialsFunction",
    }
    assert {function.code_path for function in stack.functions.values()} == {PROJECT / "functions"}
    assert stack.bucket_name
    client = cloud.client("stepfunctions")
    found = client.describe_state_machine(stateMachineArn=stack.state_machine_arn)
    assert "${" not in found["definition"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "TableName has no default: give it a value"),
        (
            {"TableName": "trips", "Tabel": "x"},
            "no parameter Tabel. Did you mean TableName? It has: Mode, Share, TableName",
        ),
        ({"TableName": "Trips!"}, "'Trips!': it must be lower-case letters"),
        ({"TableName": "trips", "Mode": "odd"}, "'odd': it must be one of plain, fancy"),
        ({"TableName": "trips", "Share": "two"}, "'two': it must be a number"),
        ({"TableName": "trips", "Share": "1.5"}, "'1.5': it must be at most 1"),
    ],
)
def test_a_parameter_that_aws_would_refuse_is_refused(
    cloud: EmbeddedCloud, parameters: dict[str, str], message: str
) -> None:
    with pytest.raises(DeploymentError) as refusal:
        deploy(cloud, STAND_IN / "template.yaml", "stand-in", parameters)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("template.yaml", "Resources:\n", "Resources: [\n", "is not YAML"),
        ("template.yaml", "CodeUri: functions/", "CodeUri: lost/", "lost, which is not there"),
        ("template.yaml", "machine.asl.json", "lost.json", "lost.json, which is not there"),
        ("template.yaml", "      Handler: work.handler\n", "", "WorkFunction"),
        ("template.yaml", "!Ref TableName", "!Ref Nowhere", "Nowhere"),
        ("machine.asl.json", '"StartAt": "Each",', '"StartAt" "Each",', "cannot be created"),
    ],
)
def test_what_is_wrong_with_the_files_is_said_in_one_line(
    cloud: EmbeddedCloud,
    changed: Callable[[str, str, str], Path],
    file: str,
    old: str,
    new: str,
    message: str,
) -> None:
    with pytest.raises(DeploymentError) as refusal:
        deploy(cloud, changed(file, old, new), "stand-in", {"TableName": "trips"})
    assert message in str(refusal.value)


def test_a_template_that_is_not_there_is_named(cloud: EmbeddedCloud, tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match=r"none\.yaml cannot be read"):
        deploy(cloud, tmp_path / "none.yaml", "stand-in", {})


def test_the_translation_leaves_no_warning_for_later(caplog: pytest.LogCaptureFixture) -> None:
    """SAM's translator warns of metrics that nobody has published when it is collected."""
    with EmbeddedCloud() as cloud:
        deploy(cloud, STAND_IN / "template.yaml", "stand-in", {"TableName": "trips"})
    # Its place is taken, so that the first one goes.
    with EmbeddedCloud() as cloud:
        deploy(cloud, STAND_IN / "template.yaml", "stand-in", {"TableName": "trips"})
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.levelno >= 30] == []
