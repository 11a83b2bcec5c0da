"""Where moto 5.2.5 differs from AWS in what a run of this product can tell, and the patch for each.

One function a patch; each says what moto does, what AWS does, and where that is written. Each is a
context manager: it replaces one thing of moto and puts it back. Here are those of tasks and
CloudFormation; the others are in `step_functions_patches`, `map_run_children`, `storage_patches`,
`export_patches` and `iam_patches`. `patched_moto` applies all but those of exports and IAM, which
`cloud` applies. They reach into moto's internals, so they refuse any other version than the one
they were written for.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any, Protocol

from moto.awslambda import urls
from moto.awslambda.models import LambdaFunction
from moto.awslambda.responses import LambdaResponse
from moto.cloudformation import parsing
from moto.core.exceptions import JsonRESTError
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_aws_sdk,
)

from ops.embedded.errors import EmbeddedCloudError, MotoMismatchError
from ops.embedded.map_run_children import children_are_listed
from ops.embedded.patching import replaced
from ops.embedded.step_functions_patches import (
    execution_can_be_watched_from_its_start,
    failed_child_fails_the_map,
    json_paths_are_parsed_once,
    stack_state_machines_execute,
    unnamed_execution_gets_a_uuid,
    waits_are_handed_in,
)
from ops.embedded.storage_patches import patched_storage

MOTO_VERSION = "5.2.5"
LAMBDA_QUOTA = 1_000
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


class InvokeLambda(Protocol):
    """Runs the named function on a JSON payload.

    Returns the response's payload, the value of its X-Amz-Function-Error header if it has one, and
    the tail of its log. Raises EmbeddedCloudError if there is nothing to run it.
    """

    def __call__(self, function_name: str, payload: bytes) -> tuple[bytes, str | None, bytes]: ...


TaskClient = Callable[[str, str | None], Any]
"""Returns the client of a service for the tasks of state machines whose role has this ARN."""


@contextmanager
def patched_moto(
    *,
    invoke_lambda: InvokeLambda,
    task_client: TaskClient,
    wait_before_retry: Callable[[float], None] | None = None,
    table_ids: Mapping[str, str],
    page_bytes: int | None,
) -> Iterator[None]:
    """Applies every patch, and removes them at the end.

    Raises MotoMismatchError if the installed moto is not the one that the patches know.
    """
    if (found := version("moto")) != MOTO_VERSION:
        raise MotoMismatchError(
            f"The embedded cloud needs moto {MOTO_VERSION}, and {found} is installed. Install that "
            f"version, or check every patch that this module names against {found}."
        )
    with ExitStack() as patches:
        patches.enter_context(lambda_tasks_run_the_real_handlers(invoke_lambda))
        patches.enter_context(tasks_share_one_client(task_client))
        patches.enter_context(failed_child_fails_the_map())
        patches.enter_context(children_are_listed())
        patches.enter_context(stack_state_machines_execute())
        patches.enter_context(unnamed_execution_gets_a_uuid())
        patches.enter_context(execution_can_be_watched_from_its_start())
        patches.enter_context(lambda_has_account_settings())
        patches.enter_context(left_out_resources_are_reported_by_the_deployment())
        patches.enter_context(json_paths_are_parsed_once())
        if wait_before_retry is not None:
            patches.enter_context(waits_are_handed_in(wait_before_retry))
        patches.enter_context(patched_storage(table_ids=table_ids, page_bytes=page_bytes))
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
def tasks_share_one_client(client: TaskClient) -> Iterator[None]:
    """Lambda and aws-sdk tasks: moto makes a boto3 client for every task, from boto3's default
    session, with nobody's credentials. In AWS a task has those of its state machine's role, for
    which `client` gives the one client of all its tasks.

    That session is not made for threads (children of a Map that start together can fail with a
    KeyError from inside botocore), it reads the user's profile, and it takes 10 ms and more of CPU
    each. A botocore client is thread-safe:
    https://docs.aws.amazon.com/boto3/latest/guide/clients.html
    """

    def shared_client(service: str, region: str, state_credentials: Any = None) -> Any:
        return client(service, state_credentials.role_arn if state_credentials else None)

    with (
        replaced(lambda_eval_utils, "boto_client_for", shared_client),
        replaced(state_task_service_aws_sdk, "boto_client_for", shared_client),
    ):
        yield


class _AccountSettings(LambdaResponse):
    """Answers GetAccountSettings."""

    def setup_class(self, *arguments: Any, **more: Any) -> None:
        """Without a body: moto takes the headers for the body of a request that has neither a body
        nor a query, and then finds that its signature is of another one."""
        super().setup_class(*arguments, **more)
        self.data = {}

    def get_account_settings(self) -> str:
        limit = {
            "ConcurrentExecutions": LAMBDA_QUOTA,
            "UnreservedConcurrentExecutions": LAMBDA_QUOTA,
        }
        return json.dumps({"AccountLimit": limit, "AccountUsage": {}})


@contextmanager
def lambda_has_account_settings() -> Iterator[None]:
    """Lambda: moto has no GetAccountSettings.

    AWS says how many executions the account has; here it is AWS's default quota.
    https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
    """
    path = r"{0}/(?P<api_version>[^/]+)/account-settings/?$"
    paths = {**urls.url_paths, path: _AccountSettings.dispatch}
    with replaced(urls, "url_paths", paths):
        yield


@contextmanager
def left_out_resources_are_reported_by_the_deployment() -> Iterator[None]:
    """CloudFormation: moto leaves out resources of types that it has not, and says so in a Python
    warning wherever the stack is looked at again (an error in the server, if warnings are errors).

    AWS has them all. `DeployedStack.left_out` names what is missing.
    """
    with replaced(parsing, "warnings", SimpleNamespace(warn=lambda *_, **__: None)):
        yield
