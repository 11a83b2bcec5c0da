"""Runs functions in worker processes on this machine, as Lambda runs them in execution
environments.

A worker serves one invocation at a time. An idle one is used again, else another is started; one
that died, timed out or could not import its handler is not used again.
"""

from __future__ import annotations

import math
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from ops.embedded.isolation import DUMMY_CREDENTIALS, client_environment
from ops.embedded.lambda_invocation import (
    Invocation,
    InvocationOutcome,
    error_payload,
    exited,
    timed_out,
)
from ops.embedded.lambda_process import WorkerProcess
from ops.embedded.stack import DeployedFunction

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
RESPONSE_LIMIT_BYTES = 6_291_556


class WorkerProcesses:
    """An Invoker that runs the code of each function in separate processes.

    A function's environment is what its template says and what Lambda itself sets, nothing of the
    user's; `environment` adds to it (`AWS_ENDPOINT_URL_DYNAMODB`, say). `role_credentials` gives a
    function's credentials, by its role's ARN. Its log is `<log_directory>/<logical id>.log`.
    """

    def __init__(
        self,
        *,
        endpoint_url: str,
        log_directory: Path,
        environment: Mapping[str, str] | None = None,
        role_credentials: Callable[[str], Mapping[str, str]] = lambda _: DUMMY_CREDENTIALS,
        at_once: int | None = None,
    ) -> None:
        """`at_once` limits the workers that are busy; further invocations wait for their turn.

        Lambda has room for a thousand; dozens on two processors only starve each other.
        """
        self._endpoint_url = endpoint_url
        self._log_directory = log_directory
        self._environment = dict(environment or {})
        self._role_credentials = role_credentials
        self._turn: AbstractContextManager[object] = (
            nullcontext() if at_once is None else threading.BoundedSemaphore(at_once)
        )
        self._lock = threading.Lock()
        self._idle: defaultdict[str, list[WorkerProcess]] = defaultdict(list)
        self._alive: set[WorkerProcess] = set()
        self._closed = False

    def invoke(self, invocation: Invocation) -> InvocationOutcome:
        with self._turn:
            return self._served(invocation)

    def _served(self, invocation: Invocation) -> InvocationOutcome:
        worker, init_ms = self._checked_out(invocation.function)
        worker.log(f"START RequestId: {invocation.request_id} Version: $LATEST")
        began = time.monotonic()
        try:
            payload, failed = worker.serve(invocation)
        except TimeoutError:
            payload, failed = timed_out(invocation), True
            worker.end()
        except (OSError, EOFError):
            payload, failed = exited(invocation, worker.end(kill=False)), True
        duration_ms = (time.monotonic() - began) * 1000
        if len(payload) > RESPONSE_LIMIT_BYTES:
            message = f"exceeded maximum allowed payload size ({RESPONSE_LIMIT_BYTES} bytes)."
            payload = error_payload(
                "Function.ResponseSizeTooLarge", f"Response payload size {message}"
            )
            failed = True
        outcome = InvocationOutcome(
            payload=payload,
            failed=failed,
            duration_ms=duration_ms,
            billed_ms=math.ceil(duration_ms + init_ms),
            max_memory_mb=worker.max_memory_mb,
            log_tail=worker.report(invocation, duration_ms, init_ms),
        )
        self._checked_in(worker)
        return outcome

    def close(self) -> None:
        """Ends every worker, even during an invocation."""
        with self._lock:
            self._closed = True
            workers = list(self._alive)
            self._alive.clear()
            self._idle.clear()
        for worker in workers:
            worker.end()

    def process_ids(self) -> frozenset[int]:
        """Returns the ids of the running processes."""
        with self._lock:
            return frozenset(worker.process_id for worker in self._alive)

    def _checked_out(self, function: DeployedFunction) -> tuple[WorkerProcess, float]:
        """Returns a worker for the function, and how long it took to start (0 if it was
        running)."""
        with self._lock:
            idle = self._idle[function.logical_id]
            while idle:
                worker = idle.pop()
                if worker.is_alive():
                    return worker, 0.0
                self._alive.discard(worker)
                worker.end()
        began = time.monotonic()
        worker = WorkerProcess(function, self._function_environment(function), self._log_directory)
        with self._lock:
            self._alive.add(worker)
            closed = self._closed
        if closed:
            worker.end()
        worker.wait_until_ready()
        return worker, (time.monotonic() - began) * 1000

    def _checked_in(self, worker: WorkerProcess) -> None:
        with self._lock:
            if worker.is_reusable and worker.is_alive() and not self._closed:
                self._idle[worker.function.logical_id].append(worker)
                return
            self._alive.discard(worker)
        worker.end()

    def _function_environment(self, function: DeployedFunction) -> dict[str, str]:
        log_stream = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[$LATEST]{uuid.uuid4().hex}"
        return {
            **client_environment(self._endpoint_url),
            **self._role_credentials(function.role_arn),
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
            "LAMBDA_TASK_ROOT": str(function.code_path),
            "_HANDLER": function.handler,
            "LANG": "en_US.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TZ": ":UTC",
            **function.environment,
            **self._environment,
        }
