"""The embedded cloud: an emulator of AWS inside this process, as far as a run of this program needs
it.

It is moto's server, with moto's state machine interpreter on and the patches applied. All of it is
in memory: a cloud that starts is empty, and one that is closed has forgotten everything.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

from moto.core.config import default_user_config
from moto.moto_api._internal.models import moto_api_backend
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from moto.stepfunctions.parser.utils import TMP_THREADS

from ops.embedded.callers import known_callers_only
from ops.embedded.clients import Clients
from ops.embedded.errors import CloudStartError, EmbeddedCloudError
from ops.embedded.export_patches import ExportBehavior, tables_are_exported_as_in_aws
from ops.embedded.iam_patches import enforced_iam
from ops.embedded.isolation import (
    ACCOUNT_ID,
    REGION,
    client_environment,
    isolated_from_aws,
    operator_credentials,
)
from ops.embedded.moto_patches import InvokeLambda, patched_moto
from ops.embedded.mounted_objects import mount, mounted_objects_are_read_only
from ops.embedded.server import Middleware, layered, serving

_one_at_a_time = threading.Lock()


class EmbeddedCloud:
    """Starts on entering, ends on leaving; there can be one in a process at a time.

    `host` and `port` say where it listens; port 0 takes a free one. `wait_before_retry` sleeps
    before a state's Retry and in a Wait state: tests that make many faults hand in something
    shorter. `middleware` is put around what answers the requests: it sees each of them first, and
    the answer last. A table that `table_ids` names gets that TableId. `page_bytes` makes Scan's
    pages smaller than DynamoDB's 1 MB; no item may be larger. `exports` says what becomes of table
    exports; set the attribute for those that are requested later. With `enforce_iam`, a request
    with a role's credentials (`role_credentials`) is refused unless the role's policies allow it.

    Any page that is open in a browser on this machine can send requests here. So it answers only
    requests with the operator's `access_key`, which is random unless it is given, or with the
    credentials of a role of this cloud (see `ops.embedded.callers`).

    While the cloud is up, this process's own AWS_* environment leads to it and nowhere else. Raises
    CloudStartError if it cannot listen there, or if one is up already.
    """

    region = REGION
    account_id = ACCOUNT_ID

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        wait_before_retry: Callable[[float], None] | None = None,
        middleware: Middleware | None = None,
        table_ids: Mapping[str, str] | None = None,
        page_bytes: int | None = None,
        exports: ExportBehavior | None = None,
        enforce_iam: bool = False,
        access_key: str | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._wait_before_retry = wait_before_retry
        self._middleware = middleware
        self._table_ids = dict(table_ids or {})
        self._page_bytes = page_bytes
        self.exports = exports or ExportBehavior()
        self._enforce_iam = enforce_iam
        self._open = ExitStack()
        self._operator = operator_credentials(access_key)
        self._clients = Clients("", operator=self._operator, roles_are_taken_on=enforce_iam)
        self._invoke_lambda: InvokeLambda | None = None
        self.endpoint_url = ""

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            if not _one_at_a_time.acquire(blocking=False):
                raise CloudStartError(
                    "An embedded cloud is already running in this process; close it first."
                )
            opening.callback(_one_at_a_time.release)
            listener = opening.enter_context(self._listen())
            host, port = listener.getsockname()[:2]
            self.endpoint_url = f"http://{host}:{port}"
            opening.enter_context(isolated_from_aws(self.endpoint_url, self._operator))
            self._clients = Clients(
                self.endpoint_url, operator=self._operator, roles_are_taken_on=self._enforce_iam
            )
            opening.callback(self._clients.close)
            opening.enter_context(_state_machines_execute())
            opening.enter_context(
                patched_moto(
                    invoke_lambda=self._run_function,
                    task_client=self._clients.for_tasks,
                    wait_before_retry=self._wait_before_retry,
                    table_ids=self._table_ids,
                    page_bytes=self._page_bytes,
                )
            )
            opening.enter_context(
                tables_are_exported_as_in_aws(
                    lambda: self.exports, lambda key: self._clients.of_caller("s3", key)
                )
            )
            opening.enter_context(mounted_objects_are_read_only())
            if self._enforce_iam:
                opening.enter_context(enforced_iam(self.access_key))
            opening.enter_context(_empty_of_everything())
            opening.enter_context(_quiet())
            known = known_callers_only(self.access_key, host=self._host)
            opening.enter_context(serving(listener, layered(known, self._middleware)))
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the cloud and deletes its content; may be called again. Again is harmless."""
        self._open.close()
        self._invoke_lambda = None

    def client(self, service: str, *, role_arn: str | None = None) -> Any:
        """Returns a boto3 client of the embedded cloud: of the operator, or of a role of the stack.

        Safe to use from several threads.
        """
        return self._clients.make(service, role_arn=role_arn)

    def role_credentials(self, role_arn: str) -> Mapping[str, str]:
        """Returns the environment variables of a process that has assumed this role, as Lambda
        gives them to a function; the operator's own if IAM is not enforced."""
        return self._clients.role_credentials(role_arn)

    def mount(self, bucket_name: str, files: Mapping[str, Path]) -> None:
        """Makes files read-only objects of the bucket, by their keys; see
        `ops.embedded.mounted_objects`."""
        mount(bucket_name, files)

    def environment(self) -> dict[str, str]:
        """The environment variables with which another process talks to this cloud, and only to
        it.
        """
        return client_environment(self.endpoint_url, self._operator)

    @property
    def access_key(self) -> str:
        """The operator's access key: a request with another one is refused, unless it is a
        role's."""
        return self._operator["AWS_ACCESS_KEY_ID"]

    @contextmanager
    def lambda_tasks_run_by(self, invoke_lambda: InvokeLambda) -> Any:
        """Runs functions with `invoke_lambda` during the block. LambdaService calls it; so may a
        test's own."""
        if self._invoke_lambda is not None:
            raise EmbeddedCloudError("The embedded cloud has a Lambda service already.")
        self._invoke_lambda = invoke_lambda
        try:
            yield
        finally:
            self._invoke_lambda = None

    def _run_function(self, function_name: str, payload: bytes) -> tuple[bytes, str | None, bytes]:
        if self._invoke_lambda is None:
            raise EmbeddedCloudError(
                f"Nothing runs the function {function_name}: no LambdaService is open here."
            )
        return self._invoke_lambda(function_name, payload)

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._host, self._port))
            listener.listen(512)
        except OSError as error:
            listener.close()
            raise CloudStartError(
                f"The embedded cloud cannot listen on {self._host}:{self._port}: {error.strerror}. "
                "Choose an address of this machine, and another port, or 0 for any that is free."
            ) from error
        return listener


@contextmanager
def _quiet() -> Any:
    """Suppresses log lines for each request, for calls that moto does not emulate, and for states
    that fail: the execution shows that. What brings a request down still shows."""
    quiet = {
        "werkzeug": logging.ERROR,
        "moto": logging.ERROR,
        "moto.stepfunctions": logging.CRITICAL,
    }
    levels = {name: logging.getLogger(name).level for name in quiet}
    for name, level in quiet.items():
        logging.getLogger(name).setLevel(level)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


@contextmanager
def _state_machines_execute() -> Any:
    before = default_user_config["stepfunctions"]
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    try:
        yield
    finally:
        default_user_config["stepfunctions"] = before


@contextmanager
def _empty_of_everything() -> Any:
    """Begins with an empty cloud, and ends with every execution stopped and nothing left."""
    moto_api_backend.reset()
    try:
        yield
    finally:
        for backend in stepfunctions_parser_backends[ACCOUNT_ID].values():
            for machine in backend.state_machines:
                for execution in machine.executions:
                    if execution.status == "RUNNING":
                        machine.stop_execution(execution.execution_arn)
        TMP_THREADS.clear()
        moto_api_backend.reset()
