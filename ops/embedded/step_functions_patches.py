"""Patches of moto's Step Functions, one function each, as in `moto_patches`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from moto.s3.models import s3_backends
from moto.stepfunctions import models as stepfunctions_models
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
    distributed_iteration_component,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import (
    WaitFunction,
)
from moto.stepfunctions.parser.asl.utils import json_path
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import (
    StepFunctionsParserBackend,
    stepfunctions_parser_backends,
)

from ops.embedded.distributed_map import MapRun
from ops.embedded.patching import replaced


@contextmanager
def failed_child_fails_the_map() -> Iterator[None]:
    """Distributed Map: moto lets the Map succeed with null where a child failed.

    AWS fails the Map Run with States.ExceedToleratedFailureThreshold as soon as more children have
    failed than are tolerated (none, by default), and stops the others.
    https://docs.aws.amazon.com/step-functions/latest/dg/maprun-fail-threshold.html

    moto's loop also recurses once for each item, so that a worker that gets through about a
    thousand of them dies of Python's recursion limit and the Map hangs; and its counts have nothing
    pending, and a failed child running for ever. DescribeMapRun in AWS counts all items from the
    start:
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_MapRunExecutionCounts.html
    """

    def map_run(self: Any, env: Any, eval_input: Any) -> None:
        items = env.stack.pop()
        program = self._get_iteration_program()
        run = MapRun(program=program, env=env, eval_input=eval_input, items=items)
        env.stack.append(run.run())

    component = distributed_iteration_component.DistributedIterationComponent
    with replaced(component, "_map_run", map_run):
        yield


@contextmanager
def stack_state_machines_execute() -> Iterator[None]:
    """CloudFormation: moto creates state machines in a backend that never executes them.

    It also knows DefinitionString alone. AWS reads DefinitionS3Location and replaces each `${name}`
    of DefinitionSubstitutions in the text, numbers and booleans as well as strings.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachine.html
    """
    create: Any = vars(StateMachine)["create_from_cloudformation_json"].__func__
    update: Any = vars(StateMachine)["update_from_cloudformation_json"].__func__

    def create_resolved(
        cls: Any,
        /,
        name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
        **more: Any,
    ) -> Any:
        resolved = _with_definition_string(cloudformation_json, account_id)
        return create(cls, name, resolved, account_id, region_name, **more)

    def update_resolved(
        cls: Any,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> Any:
        resolved = _with_definition_string(cloudformation_json, account_id)
        return update(cls, original_resource, new_resource_name, resolved, account_id, region_name)

    with ExitStack() as patches:
        for owner, name, new in (
            (stepfunctions_models, "stepfunctions_backends", stepfunctions_parser_backends),
            (StateMachine, "create_from_cloudformation_json", classmethod(create_resolved)),
            (StateMachine, "update_from_cloudformation_json", classmethod(update_resolved)),
        ):
            patches.enter_context(replaced(owner, name, new))
        yield


@contextmanager
def unnamed_execution_gets_a_uuid() -> Iterator[None]:
    """StartExecution: moto calls an execution that was given no name `None`, and takes any name.

    AWS gives it a UUID, and refuses a name over 80 characters or with characters that it does not
    allow.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    """
    start_execution: Any = StepFunctionsParserBackend.start_execution

    def start_named(
        self: Any,
        state_machine_arn: str,
        name: str | None = None,
        execution_input: str | None = None,
        trace_header: str | None = None,
    ) -> Any:
        name = name or str(uuid.uuid4())
        self._validate_name(name)
        return start_execution(self, state_machine_arn, name, execution_input or "{}", trace_header)

    with replaced(StepFunctionsParserBackend, "start_execution", start_named):
        yield


@contextmanager
def execution_can_be_watched_from_its_start() -> Iterator[None]:
    """ListMapRuns, StopExecution: moto fails until the execution's thread has parsed the
    definition.

    In AWS an execution that StartExecution has returned is there for every other call.
    """
    prepare: Any = ExecutionWorker._get_evaluation_environment
    start: Any = ExecutionWorker.start

    def prepare_once(self: Any) -> Any:
        return self.env if self.env is not None else prepare(self)

    def start_prepared(self: Any) -> None:
        self.env = prepare(self)
        start(self)

    with (
        replaced(ExecutionWorker, "_get_evaluation_environment", prepare_once),
        replaced(ExecutionWorker, "start", start_prepared),
    ):
        yield


@contextmanager
def json_paths_are_parsed_once() -> Iterator[None]:
    """JSONPath: moto builds a parser anew for each path that each state of each child looks at.

    It is most of the processor time of a child. A parsed path is a value and may be shared.
    """
    parse: Any = vars(json_path)["parse"]
    with replaced(json_path, "parse", lru_cache(maxsize=1024)(parse)):
        yield


@contextmanager
def waits_are_handed_in(wait: Callable[[float], None]) -> Iterator[None]:
    """Retry, Wait: moto calculates the wait as AWS does, and sleeps. Not a patch, but a seam:
    `wait` sleeps instead."""

    def wait_interval(self: Any, env: Any, wait_seconds: float) -> None:
        wait(wait_seconds)

    with (
        replaced(retrier_decl, "time", SimpleNamespace(sleep=wait)),
        replaced(WaitFunction, "_wait_interval", wait_interval),
    ):
        yield


def _with_definition_string(cloudformation_json: Any, account_id: str) -> Any:
    properties = dict(cloudformation_json["Properties"])
    if location := properties.pop("DefinitionS3Location", None):
        s3: Any = s3_backends[account_id]["aws"]
        definition = s3.get_object(location["Bucket"], location["Key"]).value.decode()
        properties["DefinitionString"] = definition
    for name, value in (properties.pop("DefinitionSubstitutions", None) or {}).items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        definition = properties["DefinitionString"].replace("${" + name + "}", text)
        properties["DefinitionString"] = definition
    return {**cloudformation_json, "Properties": properties}
