"""The state machine's definition: its graph, its retries, and that it fits template and functions.

Each check is a function that is also run on definitions that were broken on purpose.
"""

import ast
import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session
from samtranslator.yaml_helper import yaml_parse

from checks.state_machine import Definition, graph_faults, is_end, scopes

ROOT = Path(__file__).resolve().parents[2]
DEFINITION = ROOT / "statemachine" / "trip_kpis.asl.json"
ERRORS = ROOT / "functions" / "trip_kpis" / "core" / "errors.py"

# What Lambda and Step Functions report of an invocation that was not the function's own fault:
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
THROTTLED = "Lambda.TooManyRequestsException"
NOT_READY = {
    "Lambda.ResourceConflictException",
    "Lambda.ResourceNotReadyException",
    "Lambda.CodeArtifactUserPendingException",
    "Lambda.CodeArtifactUserDeletedException",
    "Lambda.EC2ThrottledException",
    "Lambda.EC2UnexpectedException",
    "Lambda.ENILimitReachedException",
    "Lambda.ENINotReadyException",
    "Lambda.SubnetIPAddressLimitReachedException",
}
INTERRUPTED = {
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "States.Timeout",
}
# Every error that Invoke documents, and those that Step Functions adds: whether another attempt can
# succeed. docs/operations.md says what each is.
# https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
# https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
DECIDED = {
    **dict.fromkeys(
        (
            "TooManyRequestsException",
            *(name.removeprefix("Lambda.") for name in NOT_READY),
            "ClientExecutionTimeoutException",
            "ServiceException",
            "AWSLambdaException",
            "SdkClientException",
            "Unknown",
        ),
        "retry",
    ),
    # The stack's own files, roles or keys are wrong: a deployment fixes them.
    **dict.fromkeys(
        (
            "CodeArtifactUserFailedException",
            "InvalidRuntimeException",
            "InvalidZipFileException",
            "KMSAccessDeniedException",
            "KMSDisabledException",
            "KMSInvalidStateException",
            "KMSNotFoundException",
            "NoPublishedVersionException",
            "RecursiveInvocationException",
            "ResourceNotFoundException",
            "ServiceQuotaExceededException",
        ),
        "deploy",
    ),
    # Network settings that an owner gave the functions by hand.
    **dict.fromkeys(
        ("EC2AccessDeniedException", "InvalidSecurityGroupIDException", "InvalidSubnetIDException"),
        "deploy",
    ),
    # The request is wrong, or of a kind that the state machine does not make.
    **dict.fromkeys(
        (
            "InvalidParameterValueException",
            "InvalidRequestContentException",
            "ModeNotSupportedException",
            "RequestTooLargeException",
            "SerializedRequestEntityTooLargeException",
            "UnsupportedMediaTypeException",
        ),
        "request",
    ),
    # Of features that the functions do not have: file systems, SnapStart, durable functions.
    **dict.fromkeys(
        (
            "DurableExecutionAlreadyStartedException",
            "EFSIOException",
            "EFSMountConnectivityException",
            "EFSMountFailureException",
            "EFSMountTimeoutException",
            "S3FilesMountConnectivityException",
            "S3FilesMountFailureException",
            "S3FilesMountTimeoutException",
            "SnapStartException",
            "SnapStartNotReadyException",
            "SnapStartRegenerationFailureException",
            "SnapStartTimeoutException",
        ),
        "not used",
    ),
}
NOT_THE_PROGRAMS = ("DynamoDb.", "Lambda.", "Sandbox.", "Runtime.", "States.")

# Every error that the two calls of DynamoDB document, and those that Step Functions adds: its names
# end in Exception, also where DynamoDB's do not.
# https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html
EXPORT_INTERRUPTED = {
    "DynamoDb.InternalServerErrorException",
    "DynamoDb.ThrottlingException",
    "DynamoDb.DynamoDbException",
    "DynamoDb.SdkClientException",
    "States.Timeout",
}
EXPORT_LIMIT = "DynamoDb.LimitExceededException"
EXPORT_NOT_FOUND = "DynamoDb.ExportNotFoundException"
EXPORT_DECIDED = {
    **dict.fromkeys(
        ("InternalServerError", "LimitExceededException", "ExportNotFoundException"), "retry"
    ),
    # The stack or the table has to be changed first.
    **dict.fromkeys(
        (
            "ExportConflictException",
            "InvalidExportTimeException",
            "PointInTimeRecoveryUnavailableException",
            "TableNotFoundException",
        ),
        "permanent",
    ),
}
OPERATIONS = {
    "StartExport": "ExportTableToPointInTime",
    "StartExportWithKey": "ExportTableToPointInTime",
    "DescribeExport": "DescribeExport",
}
SDK = "arn:${Partition}:states:::aws-sdk:dynamodb:"


@pytest.fixture
def definition() -> Definition:
    return json.loads(DEFINITION.read_text())


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return yaml_parse((ROOT / "template.yaml").read_text())


# -- the graph ------------------------------------------------------------------------------------


def all_tasks(definition: Definition) -> Iterator[tuple[str, Definition]]:
    for _, scope in scopes(definition):
        yield from ((name, s) for name, s in scope["States"].items() if s["Type"] == "Task")


def tasks(definition: Definition) -> Iterator[tuple[str, Definition]]:
    """Those that invoke a function."""
    for name, task in all_tasks(definition):
        if task["Resource"] == "arn:${Partition}:states:::lambda:invoke":
            yield name, task


def export_tasks(definition: Definition) -> Iterator[tuple[str, Definition]]:
    """Those that call DynamoDB."""
    for name, task in all_tasks(definition):
        if task["Resource"].startswith(SDK):
            yield name, task


def inner(definition: Definition) -> Definition:
    return definition["States"]["ScanSegments"]["ItemProcessor"]


def drop(container: Definition, key: str) -> None:
    del container[key]


BREAKS: dict[str, tuple[Callable[[Definition], object], str]] = {
    "start": (lambda d: d.update(StartAt="Plan"), "StartAt Plan is not there"),
    "inner start": (lambda d: inner(d).update(StartAt="Scan"), "StartAt Scan is not there"),
    "next": (lambda d: d["States"]["PlanRun"].update(Next="Estimate"), "goes to Estimate"),
    "default": (
        lambda d: inner(d)["States"]["SegmentFinished"].update(Default="MergePartials"),
        "goes to MergePartials",
    ),
    "choice": (
        lambda d: d["States"]["EstimateOnly"]["Choices"][0].update(Next="Nowhere"),
        "goes to Nowhere",
    ),
    "no default": (lambda d: drop(d["States"]["EstimateOnly"], "Default"), "has no Default"),
    "neither next nor end": (
        lambda d: drop(d["States"]["MergePartials"], "End"),
        "MergePartials needs one of Next and End",
    ),
    "both next and end": (
        lambda d: d["States"]["PlanRun"].update(End=True),
        "PlanRun needs one of Next and End",
    ),
    "unreached": (
        lambda d: d["States"].update(Leftover={"Type": "Succeed"}),
        "Leftover is never reached",
    ),
    "endless": (
        lambda d: inner(d)["States"]["SegmentFinished"]["Choices"][0].update(Next="ScanSegment"),
        "from ScanSegment no end is reached",
    ),
    "no processor": (
        lambda d: drop(d["States"]["ScanSegments"], "ItemProcessor"),
        "has no ItemProcessor",
    ),
}


def test_every_state_is_reached_goes_to_one_that_exists_and_comes_to_an_end(
    definition: Definition,
) -> None:
    assert graph_faults(definition) == []


@pytest.mark.parametrize("broken", BREAKS)
def test_the_graph_check_notices(definition: Definition, broken: str) -> None:
    breaking, said = BREAKS[broken]
    breaking(definition)
    assert said in "\n".join(graph_faults(definition))


# -- the tasks ------------------------------------------------------------------------------------


def function_of(task: Definition) -> str:
    """The logical id of the function that a task invokes."""
    found = re.fullmatch(r"\$\{(\w+)Arn\}", task["Parameters"]["FunctionName"])
    assert found is not None, task["Parameters"]["FunctionName"]
    return found[1]


def retried(task: Definition) -> dict[str, Definition]:
    return {name: retrier for retrier in task["Retry"] for name in retrier["ErrorEquals"]}


def task_faults(definition: Definition, function_timeouts: dict[str, int]) -> list[str]:
    """`function_timeouts`: seconds, by the function's logical id."""
    faults = []
    for name, task in tasks(definition):
        if not task.get("Retry"):
            faults.append(f"{name} has no Retry")
            continue
        errors = retried(task)
        faults += [
            f"{name} does not retry {one}" for one in (INTERRUPTED | NOT_READY) - errors.keys()
        ]
        # Everything else that Lambda can say would come to the same: DECIDED says why.
        faults += [
            f"{name} retries {one}, which is permanent"
            for one in errors
            if one.startswith("Lambda.") and DECIDED.get(one.removeprefix("Lambda."), "") != "retry"
        ]
        faults += [
            f"{name} does not retry {one}"
            for one in (THROTTLED, "TransientError")
            if one not in errors
        ]
        # Either would retry a PermanentError too.
        for one in errors.keys() & {"States.ALL", "States.TaskFailed"}:
            faults.append(f"{name} retries {one}, so every error")
        for one, retrier in errors.items():
            bounds = {"MaxAttempts", "MaxDelaySeconds", "IntervalSeconds", "BackoffRate"}
            if bounds - retrier.keys() or retrier.get("JitterStrategy") != "FULL":
                faults.append(f"{name} retries {one} without bounds or jitter")
        patience = {one: retrier.get("MaxAttempts", 0) for one, retrier in errors.items()}
        if max(patience, key=lambda one: patience[one]) != THROTTLED:
            faults.append(f"{name} is not most patient with {THROTTLED}")
        if "Catch" in task:
            faults.append(f"{name} catches: a failure must fail the run")
        if task.get("TimeoutSeconds", 0) <= function_timeouts[function_of(task)]:
            faults.append(f"{name} has a TimeoutSeconds not above its function's Timeout")
    return faults


def timeouts(template: dict[str, Any]) -> dict[str, int]:
    return {
        logical_id: resource["Properties"]["Timeout"]
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


TASK_BREAKS: dict[str, tuple[Callable[[Definition], object], str]] = {
    "no retry": (lambda t: drop(t, "Retry"), "has no Retry"),
    "transient": (lambda t: t["Retry"].pop(1), "does not retry TransientError"),
    "not ready": (lambda t: t["Retry"].pop(2), "does not retry Lambda.ENINotReadyException"),
    "interrupted": (lambda t: t["Retry"].pop(3), "does not retry Sandbox.Timedout"),
    "permanent": (
        lambda t: t["Retry"][3]["ErrorEquals"].append("Lambda.InvalidZipFileException"),
        "retries Lambda.InvalidZipFileException, which is permanent",
    ),
    "all": (
        lambda t: t["Retry"].append({**t["Retry"][1], "ErrorEquals": ["States.ALL"]}),
        "retries States.ALL",
    ),
    "jitter": (lambda t: drop(t["Retry"][0], "JitterStrategy"), f"retries {THROTTLED} without"),
    "cap": (lambda t: drop(t["Retry"][3], "MaxDelaySeconds"), "retries Sandbox.Timedout without"),
    "impatient": (lambda t: t["Retry"][0].update(MaxAttempts=1), "is not most patient"),
    "catch": (lambda t: t.update(Catch=[]), "catches"),
    "no timeout": (lambda t: drop(t, "TimeoutSeconds"), "has a TimeoutSeconds not above"),
    "timeout": (lambda t: t.update(TimeoutSeconds=60), "has a TimeoutSeconds not above"),
}


def test_every_task_retries_what_another_attempt_can_fix_and_outlasts_its_function(
    definition: Definition, template: dict[str, Any]
) -> None:
    assert task_faults(definition, timeouts(template)) == []


@pytest.mark.parametrize("broken", TASK_BREAKS)
@pytest.mark.parametrize("task_name", ["PlanRun", "PlanExport", "ScanSegment", "MergePartials"])
def test_the_task_check_notices(
    definition: Definition, template: dict[str, Any], task_name: str, broken: str
) -> None:
    breaking, said = TASK_BREAKS[broken]
    breaking(dict(tasks(definition))[task_name])
    assert f"{task_name} {said}" in "\n".join(task_faults(definition, timeouts(template)))


def test_every_error_that_lambda_documents_for_an_invocation_is_decided() -> None:
    """By botocore's model, which is made of Lambda's documentation."""
    invoke = Session().get_service_model("lambda").operation_model("Invoke")
    documented = {shape.name for shape in invoke.error_shapes}
    step_functions_own = {
        "AWSLambdaException",
        "ClientExecutionTimeoutException",
        "SdkClientException",
        "Unknown",
    }
    assert documented | step_functions_own == DECIDED.keys()


# -- the tasks that call DynamoDB -----------------------------------------------------------------


def export_faults(definition: Definition) -> list[str]:
    faults = []
    for name, task in export_tasks(definition):
        errors = retried(task)
        faults += [
            f"{name} does not retry {one}"
            for one in sorted({*EXPORT_INTERRUPTED, EXPORT_LIMIT} - errors.keys())
        ]
        known = {*EXPORT_INTERRUPTED, EXPORT_LIMIT, EXPORT_NOT_FOUND}
        faults += [f"{name} retries {one}" for one in sorted(errors.keys() - known)]
        for one, retrier in errors.items():
            bounds = {"MaxAttempts", "MaxDelaySeconds", "IntervalSeconds", "BackoffRate"}
            if bounds - retrier.keys() or retrier.get("JitterStrategy") != "FULL":
                faults.append(f"{name} retries {one} without bounds or jitter")
            # What may be permanent as well costs a few minutes at most.
            if one != EXPORT_LIMIT and longest_wait(retrier) > 300:
                faults.append(f"{name} retries {one} for too long")
        if task.get("TimeoutSeconds", 0) not in range(30, 301):
            faults.append(f"{name} has no TimeoutSeconds of a request")
        if "Catch" in task:
            faults.append(f"{name} catches: a failure must fail the run")
    return faults


def longest_wait(retrier: Definition) -> float:
    """Seconds of all waits together, if the jitter makes none of them shorter."""
    return sum(
        min(
            retrier["IntervalSeconds"] * retrier["BackoffRate"] ** number,
            retrier["MaxDelaySeconds"],
        )
        for number in range(retrier["MaxAttempts"])
    )


EXPORT_BREAKS: dict[str, tuple[Callable[[Definition], object], str]] = {
    "limit": (lambda t: t["Retry"].pop(0), f"does not retry {EXPORT_LIMIT}"),
    "interrupted": (lambda t: t["Retry"].pop(), "does not retry DynamoDb.SdkClientException"),
    "permanent": (
        lambda t: t["Retry"][0]["ErrorEquals"].append("DynamoDb.ExportConflictException"),
        "retries DynamoDb.ExportConflictException",
    ),
    "all": (lambda t: t["Retry"][0]["ErrorEquals"].append("States.ALL"), "retries States.ALL"),
    "jitter": (lambda t: drop(t["Retry"][0], "JitterStrategy"), f"retries {EXPORT_LIMIT} without"),
    "patient": (
        lambda t: t["Retry"][-1].update(MaxAttempts=20),
        "retries DynamoDb.DynamoDbException for too long",
    ),
    "no timeout": (lambda t: drop(t, "TimeoutSeconds"), "has no TimeoutSeconds"),
    "catch": (lambda t: t.update(Catch=[]), "catches"),
}


def test_every_call_of_dynamodb_retries_what_another_attempt_can_fix(
    definition: Definition,
) -> None:
    assert export_faults(definition) == []
    assert {name for name, _ in export_tasks(definition)} == OPERATIONS.keys()


@pytest.mark.parametrize("broken", EXPORT_BREAKS)
@pytest.mark.parametrize("task_name", OPERATIONS)
def test_the_check_of_the_calls_notices(
    definition: Definition, task_name: str, broken: str
) -> None:
    breaking, said = EXPORT_BREAKS[broken]
    breaking(dict(export_tasks(definition))[task_name])
    assert f"{task_name} {said}" in "\n".join(export_faults(definition))


def test_every_error_that_dynamodb_documents_for_the_calls_is_decided(
    definition: Definition,
) -> None:
    """By botocore's model, which is made of DynamoDB's documentation."""
    model = Session().get_service_model("dynamodb")
    documented = set()
    for name, task in export_tasks(definition):
        for shape in model.operation_model(OPERATIONS[name]).error_shapes:
            documented.add(shape.name)
            named = f"DynamoDb.{shape.name.removesuffix('Exception')}Exception"
            assert (named in retried(task)) is (EXPORT_DECIDED[shape.name] == "retry"), named
    assert documented == EXPORT_DECIDED.keys()


def test_the_calls_have_parameters_that_dynamodb_knows(definition: Definition) -> None:
    model = Session().get_service_model("dynamodb")
    for name, task in export_tasks(definition):
        operation = model.operation_model(OPERATIONS[name])
        action = task["Resource"].removeprefix(SDK)
        assert action[0].upper() + action[1:] == OPERATIONS[name]
        given = {parameter.removesuffix(".$") for parameter in task["Parameters"]}
        assert set(operation.input_shape.required_members) <= given
        assert given <= operation.input_shape.members.keys()
        described = operation.output_shape.members["ExportDescription"].members
        selected = {path.rpartition(".")[2] for path in task["ResultSelector"].values()}
        assert selected <= described.keys()
        for choice in ("ExportFormat", "S3SseAlgorithm"):
            if choice in task["Parameters"]:
                assert task["Parameters"][choice] in operation.input_shape.members[choice].enum


def test_the_programs_errors_that_are_retried_exist_and_a_permanent_one_is_not_among_them(
    definition: Definition,
) -> None:
    classes = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for node in ast.walk(ast.parse(ERRORS.read_text()))
        if isinstance(node, ast.ClassDef)
    }
    own = {
        error
        for _, task in tasks(definition)
        for error in retried(task)
        if not error.startswith(NOT_THE_PROGRAMS)
    }
    assert own == {"TransientError"}
    assert own <= classes.keys()
    assert "PermanentError" not in classes["TransientError"]
    # Lambda reports a class, not its bases: a subclass would not be retried.
    assert [name for name, bases in classes.items() if "TransientError" in bases] == []


# -- what goes in and out -------------------------------------------------------------------------


def test_the_tasks_are_given_what_the_functions_expect(definition: Definition) -> None:
    payloads = {name: task["Parameters"]["Payload"] for name, task in tasks(definition)}
    assert payloads == {
        "PlanRun": {"execution_name.$": "$$.Execution.Name", "input.$": "$"},
        "PlanExport": {
            "run_id.$": "$.run_id",
            "plan_sha256.$": "$.plan_sha256",
            "max_concurrency.$": "$.max_concurrency",
            "empty_table_confirmed.$": "$.empty_table_confirmed",
            "export_arn.$": "$.source.arn",
        },
        "ScanSegment": {
            "run_id.$": "$.run_id",
            "plan_sha256.$": "$.plan_sha256",
            "segment.$": "$.segment",
        },
        "MergePartials": {
            "run_id.$": "$.run_id",
            "plan_sha256.$": "$.plan_sha256",
            "empty_table_confirmed.$": "$.empty_table_confirmed",
        },
    }


def test_the_segments_are_scanned_by_a_distributed_map_whose_children_return_nothing(
    definition: Definition,
) -> None:
    scan = definition["States"]["ScanSegments"]
    assert inner(definition)["ProcessorConfig"] == {
        "Mode": "DISTRIBUTED",
        "ExecutionType": "STANDARD",
    }
    assert scan["ItemsPath"] == "$.segments"
    assert scan["MaxConcurrencyPath"] == "$.max_concurrency"
    assert scan["ItemSelector"] == {
        "run_id.$": "$.run_id",
        "plan_sha256.$": "$.plan_sha256",
        "segment.$": "$$.Map.Item.Value",
    }
    assert scan["ResultPath"] is None
    ends = [state for state in inner(definition)["States"].values() if is_end(state)]
    assert [state.get("OutputPath", "$") for state in ends] == [None]


def test_a_segment_goes_round_until_its_function_says_finished(definition: Definition) -> None:
    states = inner(definition)["States"]
    assert states["ScanSegment"]["ResultSelector"] == {"finished.$": "$.Payload.finished"}
    assert states["ScanSegment"]["ResultPath"] == "$.progress"
    (choice,) = states["SegmentFinished"]["Choices"]
    assert choice == {
        "Variable": "$.progress.finished",
        "BooleanEquals": True,
        "Next": "SegmentDone",
    }
    assert states["SegmentFinished"]["Default"] == "ScanSegment"


def test_an_estimate_ends_the_run_with_the_estimate(definition: Definition) -> None:
    states = definition["States"]
    (choice,) = states["EstimateOnly"]["Choices"]
    assert choice["Variable"] == "$.estimate_only"
    assert choice["BooleanEquals"] is True
    assert states[choice["Next"]]["OutputPath"] == "$.estimate"
    assert states["EstimateOnly"]["Default"] == "SourceChoice"


def test_what_is_read_is_chosen_by_the_next_step_that_the_plan_names(
    definition: Definition,
) -> None:
    choice = definition["States"]["SourceChoice"]
    assert {one["Variable"] for one in choice["Choices"]} == {"$.source.step"}
    assert {one["StringEquals"]: one["Next"] for one in choice["Choices"]} == {
        "start": "StartExport",
        "start_with_key": "StartExportWithKey",
        "describe": "DescribeExport",
        "plan": "PlanExport",
    }
    assert choice["Default"] == "ScanSegments"


def test_an_export_that_is_complete_or_has_failed_is_not_waited_for(
    definition: Definition,
) -> None:
    states = definition["States"]
    for name in ("StartExport", "StartExportWithKey", "WaitForExport"):
        assert states[name]["Next"] == "DescribeExport"
    assert states["DescribeExport"]["Next"] == "ExportDone"
    (choice,) = states["ExportDone"]["Choices"]
    assert choice == {
        "Variable": "$.source.status",
        "StringEquals": "IN_PROGRESS",
        "Next": "WaitForExport",
    }
    assert states["ExportDone"]["Default"] == "PlanExport"
    assert states["PlanExport"]["Next"] == "ScanSegments"


def test_the_two_ways_to_start_an_export_differ_in_its_encryption_alone(
    definition: Definition,
) -> None:
    plain, keyed = (
        copy.deepcopy(definition["States"][name]) for name in ("StartExport", "StartExportWithKey")
    )
    assert plain["Parameters"].pop("S3SseAlgorithm") == "AES256"
    assert keyed["Parameters"].pop("S3SseAlgorithm") == "KMS"
    assert keyed["Parameters"].pop("S3SseKmsKeyId.$") == "$.source.kms_key_arn"
    assert plain["Comment"] != keyed.pop("Comment")
    assert {name: one for name, one in plain.items() if name != "Comment"} == keyed


EVENTS_OF_A_STATE = {"Task": 5, "Wait": 2, "Choice": 2}
"""entered and exited; a task is scheduled, started and has succeeded besides
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""


def test_waiting_for_an_export_all_the_time_that_a_run_has_leaves_room_in_the_history(
    definition: Definition,
) -> None:
    states = definition["States"]
    loop = ("DescribeExport", "ExportDone", "WaitForExport")
    events = sum(EVENTS_OF_A_STATE[states[name]["Type"]] for name in loop)
    assert events == 9
    rounds = definition["TimeoutSeconds"] / states["WaitForExport"]["Seconds"]
    # The longest series of retries of every other task of the execution, too.
    attempts = sum(
        retrier["MaxAttempts"]
        for name, task in all_tasks(definition)
        if name in {"PlanRun", "StartExport", "DescribeExport"}
        for retrier in task["Retry"]
    )
    assert rounds * events + 3 * attempts < 25_000


# -- how it fits the template and the functions ---------------------------------------------------


def substitution_faults(definition_text: str, supplied: set[str]) -> list[str]:
    used = set(re.findall(r"\$\{([^}]*)\}", definition_text))
    return [f"${{{one}}} is not supplied" for one in sorted(used - supplied)] + [
        f"{one} is supplied, and not used" for one in sorted(supplied - used)
    ]


def test_every_substitution_is_supplied_by_the_template_and_used(template: dict[str, Any]) -> None:
    machine = template["Resources"]["TripKpisStateMachine"]["Properties"]
    assert ROOT / machine["DefinitionUri"] == DEFINITION
    supplied = machine["DefinitionSubstitutions"]
    text = DEFINITION.read_text()
    assert substitution_faults(text, set(supplied)) == []
    assert substitution_faults(text.replace("${Partition}", "${Part}"), set(supplied)) == [
        "${Part} is not supplied",
        "Partition is supplied, and not used",
    ]
    for name, value in supplied.items():
        if name.endswith("Arn"):
            assert value == {"Fn::GetAtt": [name.removesuffix("Arn"), "Arn"]}


def handler_faults(template: dict[str, Any], root: Path) -> list[str]:
    faults = []
    for logical_id in timeouts(template):
        properties = template["Resources"][logical_id]["Properties"]
        code = properties.get("CodeUri", template["Globals"]["Function"]["CodeUri"])
        module, _, function = properties["Handler"].rpartition(".")
        file = root / code / f"{module}.py"
        if not file.is_file():
            faults.append(f"{logical_id}: {file.name} is not there")
            continue
        tree = ast.parse(file.read_text())
        if function not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
            faults.append(f"{logical_id}: {file.name} has no function {function}")
    return faults


def test_every_function_has_its_handler(template: dict[str, Any]) -> None:
    assert handler_faults(template, ROOT) == []
    broken = copy.deepcopy(template)
    broken["Resources"]["PlanRunFunction"]["Properties"]["Handler"] = "plan.handler"
    broken["Resources"]["ScanSegmentFunction"]["Properties"]["Handler"] = "scan_segment.handle"
    assert handler_faults(broken, ROOT) == [
        "PlanRunFunction: plan.py is not there",
        "ScanSegmentFunction: scan_segment.py has no function handle",
    ]


def test_the_tasks_invoke_the_templates_functions_by_the_same_stem(
    definition: Definition, template: dict[str, Any]
) -> None:
    invoked = {name: function_of(task) for name, task in tasks(definition)}
    # PlanExport is PlanRun's second step.
    assert invoked == {name: f"{name}Function" for name in invoked} | {
        "PlanExport": "PlanRunFunction"
    }
    assert set(invoked.values()) == timeouts(template).keys()


def test_the_map_runs_name_is_the_one_that_the_role_may_redrive(
    definition: Definition, template: dict[str, Any]
) -> None:
    label = definition["States"]["ScanSegments"]["Label"]
    role = template["Resources"]["TripKpisStateMachineRole"]["Properties"]
    (policy,) = role["Policies"]
    (redriven,) = [
        statement["Resource"]["Fn::Sub"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "states:RedriveExecution" in statement.get("Action", ())
    ]
    assert redriven.endswith(f"-trip-kpis/{label}:*")
