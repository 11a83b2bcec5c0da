"""The embedded cloud: AWS as far as a run of this product can tell, inside this process.

It is moto's server, with moto's state machine interpreter on and the mends applied. What it holds,
it holds in memory: a cloud that starts is empty, and one that is closed has forgotten everything.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Self

import boto3
from botocore.config import Config
from moto.core.config import default_user_config
from moto.moto_api._internal.models import moto_api_backend
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
from moto.stepfunctions.parser.utils import TMP_THREADS

from ops.embedded.distributed_map import FailedChild
from ops.embedded.errors import CloudStartError, EmbeddedCloudError
from ops.embedded.isolation import (
    ACCOUNT_ID,
    DUMMY_CREDENTIALS,
    REGION,
    client_environment,
    isolated_from_aws,
)
from ops.embedded.moto_mends import InvokeLambda, mended_moto
from ops.embedded.server import Middleware, serving

# Lambda's own longest time limit, and room for what is around it.
_LONGEST_INVOCATION_SECONDS = 900 + 120
# As many invocations as a Map Run may have children at once on one machine, and some.
_CONNECTIONS = 1200

_one_at_a_time = threading.Lock()


class EmbeddedCloud:
    """Starts on entering, ends on leaving; there can be one in a process at a time.

    `host` and `port` say where it listens; port 0 takes a free one. `wait_before_retry` sleeps
    before a state's Retry: tests that make many faults hand in something shorter. `middleware` is
    put around what answers the requests: it sees each of them first, and the answer last. A table
    that `table_ids` names gets that TableId. `page_bytes` makes Scan's pages smaller than
    DynamoDB's 1 MB; no item may be larger.

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
        wait_before_retry: Callable[[float], None] = time.sleep,
        middleware: Middleware | None = None,
        table_ids: Mapping[str, str] | None = None,
        page_bytes: int | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._wait_before_retry = wait_before_retry
        self._middleware = middleware
        self._table_ids = dict(table_ids or {})
        self._page_bytes = page_bytes
        self._open = ExitStack()
        self._clients: list[Any] = []
        self._invoke_lambda: InvokeLambda | None = None
        self.endpoint_url = ""

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            if not _one_at_a_time.acquire(blocking=False):
                raise CloudStartError(
                    "An embedded cloud is up in this process already; close it first."
                )
            opening.callback(_one_at_a_time.release)
            listener = opening.enter_context(self._listen())
            host, port = listener.getsockname()[:2]
            self.endpoint_url = f"http://{host}:{port}"
            opening.enter_context(isolated_from_aws(self.endpoint_url))
            opening.callback(self._close_clients)
            opening.enter_context(_state_machines_execute())
            opening.enter_context(
                mended_moto(
                    invoke_lambda=self._run_function,
                    lambda_client=self.client("lambda"),
                    wait_before_retry=self._wait_before_retry,
                    table_ids=self._table_ids,
                    page_bytes=self._page_bytes,
                )
            )
            opening.enter_context(_empty_of_everything())
            opening.enter_context(_quiet())
            opening.enter_context(serving(listener, self._middleware))
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the cloud and forgets what it held. Again is harmless."""
        self._open.close()
        self._invoke_lambda = None

    def client(self, service: str) -> Any:
        """A boto3 client of the embedded cloud. Safe to use from several threads."""
        session = boto3.Session(
            aws_access_key_id=DUMMY_CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=DUMMY_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=DUMMY_CREDENTIALS["AWS_SESSION_TOKEN"],
            region_name=REGION,
        )
        config = Config(
            proxies={},
            max_pool_connections=_CONNECTIONS,
            read_timeout=_LONGEST_INVOCATION_SECONDS,
            # What fails here fails for a reason: a retry would only hide it, or run a function
            # twice.
            retries={"total_max_attempts": 1},
        )
        client = session.client(service, endpoint_url=self.endpoint_url, config=config)
        self._clients.append(client)
        return client

    def environment(self) -> dict[str, str]:
        """The environment variables with which another process talks to this cloud, and only to
        it.
        """
        return client_environment(self.endpoint_url)

    @contextmanager
    def lambda_tasks_run_by(self, invoke_lambda: InvokeLambda) -> Any:
        """While this lasts, `invoke_lambda` runs the functions. LambdaService calls it; so may a
        test's own.
        """
        if self._invoke_lambda is not None:
            raise EmbeddedCloudError("The embedded cloud has a Lambda service already.")
        self._invoke_lambda = invoke_lambda
        try:
            yield
        finally:
            self._invoke_lambda = None

    def failed_children(self, execution_arn: str) -> tuple[FailedChild, ...]:
        """The children of the execution's Map Runs that failed, with their own errors and causes.

        The execution's own error says only that too many have failed. In AWS the console shows the
        children; this is where they are found here. Empty if none has failed (yet).
        """
        backend = stepfunctions_parser_backends[ACCOUNT_ID][REGION]
        execution: Any = backend.describe_execution(execution_arn)
        records = execution.exec_worker.env.map_run_record_pool_manager.get_all()
        return tuple(
            child for record in records for child in getattr(record, "failed_children", ())
        )

    def _run_function(self, function_name: str, payload: bytes) -> tuple[bytes, str | None, bytes]:
        if self._invoke_lambda is None:
            raise EmbeddedCloudError(
                f"Nothing runs the function {function_name}: no LambdaService is open here."
            )
        return self._invoke_lambda(function_name, payload)

    def _close_clients(self) -> None:
        while self._clients:
            self._clients.pop().close()

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
    """No line on the screen for each request, for what moto has no emulation of, or for a state
    that fails: the execution tells that. What brings a request down still shows.
    """
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
    """Begins with nothing in the cloud, and ends with every execution stopped and nothing left."""
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
