"""Where moto 5.2.5 differs from AWS in what a run of this product can tell, and the mend for each.

One function a mend; each says what moto does, what AWS does, and where that is written. Each is a
context manager: it replaces one thing of moto and puts it back. `mended_moto` applies them all,
with those of `storage_mends`.
They reach into moto's internals, so they refuse any other version than the one they were written
for.
"""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any, Protocol

from moto.awslambda.models import LambdaFunction
from moto.cloudformation import parsing
from moto.core.exceptions import JsonRESTError
from moto.s3.models import s3_backends
from moto.stepfunctions import models as stepfunctions_models
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
    distributed_iteration_component,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.utils import json_path
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import (
    StepFunctionsParserBackend,
    stepfunctions_parser_backends,
)

from ops.embedded.distributed_map import MapRun
from ops.embedded.errors import EmbeddedCloudError, MotoMismatchError
from ops.embedded.mending import replaced
from ops.embedded.storage_mends import mended_storage

MOTO_VERSION = "5.2.5"


class InvokeLambda(Protocol):
    """Runs the named function on a JSON payload.

    Returns the response's payload, the value of its X-Amz-Function-Error header if it has one, and
    the tail of its log. Raises EmbeddedCloudError if there is nothing to run it.
    """

    def __call__(self, function_name: str, payload: bytes) -> tuple[bytes, str | None, bytes]: ...


@contextmanager
def mended_moto(
    *,
    invoke_lambda: InvokeLambda,
    lambda_client: Callable[[str | None], Any],
    wait_before_retry: Callable[[float], None] = time.sleep,
    table_ids: Mapping[str, str],
    page_bytes: int | None,
) -> Iterator[None]:
    """Applies every mend, and takes them back at the end.

    Raises MotoMismatchError if the installed moto is not the one that the mends know.
    """
    if (found := version("moto")) != MOTO_VERSION:
        raise MotoMismatchError(
            f"The embedded cloud needs moto {MOTO_VERSION}, and {found} is installed. Install that "
            f"version, or check every mend in ops/embedded/moto_mends.py against {found}."
        )
    with ExitStack() as mends:
        mends.enter_context(lambda_tasks_run_the_real_handlers(invoke_lambda))
        mends.enter_context(lambda_tasks_share_one_client(lambda_client))
        mends.enter_context(failed_child_fails_the_map())
        mends.enter_context(stack_state_machines_execute())
        mends.enter_context(unnamed_execution_gets_a_uuid())
        mends.enter_context(execution_can_be_watched_from_its_start())
        mends.enter_context(left_out_resources_are_told_by_the_deployment())
        mends.enter_context(json_paths_are_parsed_once())
        mends.enter_context(retry_waits_are_handed_in(wait_before_retry))
        mends.enter_context(mended_storage(table_ids=table_ids, page_bytes=page_bytes))
        yield


@contextmanager
def lambda_tasks_run_the_real_handlers(invoke_lambda: InvokeLambda) -> Iterator[None]:
    """Lambda: moto's server runs a function in Docker; here `invoke_lambda` runs it.

    moto also answers a failed function with `X-Amz-Function-Error: Handled`; AWS with `Unhandled`.
    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    """

    def invoke(self: Any, body: Any, request_headers: Any, response_headers: Any) -> bytes:
        payload = body.encode() if isinstance(body, str) else bytes(body or b"")
        try:
            response, function_error, log = invoke_lambda(self.function_name, payload or b"{}")
        except EmbeddedCloudError as error:
            # As Lambda reports trouble of its own; the state machine sees Lambda.ServiceException.
            raise JsonRESTError("ServiceException", str(error)) from error
        if function_error:
            response_headers["x-amz-function-error"] = function_error
        response_headers["x-amz-log-result"] = base64.b64encode(log).decode()
        return response

    with replaced(LambdaFunction, "invoke", invoke):
        yield


@contextmanager
def lambda_tasks_share_one_client(client: Callable[[str | None], Any]) -> Iterator[None]:
    """Lambda tasks: moto makes a boto3 client for every invocation, from boto3's default session,
    with nobody's credentials. In AWS a task has those of its state machine's role, by whose ARN
    `client` gives the one client of all its tasks.

    That session is not made for threads (children of a Map that start together can fail with a
    KeyError from inside botocore), it reads the user's profile, and it takes 10 ms and more of CPU
    each. A botocore client is thread-safe:
    https://docs.aws.amazon.com/boto3/latest/guide/clients.html
    """

    def shared_client(service: str, region: str, state_credentials: Any = None) -> Any:
        return client(state_credentials.role_arn if state_credentials else None)

    with replaced(lambda_eval_utils, "boto_client_for", shared_client):
        yield


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

    with ExitStack() as mends:
        for owner, name, new in (
            (stepfunctions_models, "stepfunctions_backends", stepfunctions_parser_backends),
            (StateMachine, "create_from_cloudformation_json", classmethod(create_resolved)),
            (StateMachine, "update_from_cloudformation_json", classmethod(update_resolved)),
        ):
            mends.enter_context(replaced(owner, name, new))
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
def left_out_resources_are_told_by_the_deployment() -> Iterator[None]:
    """CloudFormation: moto leaves out resources of types that it has not, and says so in a Python
    warning wherever the stack is looked at again (an error in the server, if warnings are errors).

    AWS has them all. `DeployedStack.left_out` names what is missing.
    """
    with replaced(parsing, "warnings", SimpleNamespace(warn=lambda *_, **__: None)):
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
def retry_waits_are_handed_in(wait: Callable[[float], None]) -> Iterator[None]:
    """Retry: moto computes the wait as AWS does, and sleeps. Not a mend, but a seam: `wait` sleeps
    instead.
    """
    with replaced(retrier_decl, "time", SimpleNamespace(sleep=wait)):
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
