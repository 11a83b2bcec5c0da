"""Runs functions in worker processes on this machine, as Lambda runs them in execution
environments.

A worker serves one invocation at a time. An idle one is used again, else another is started; one
that died, timed out or could not import its handler is not used again.
"""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

from ops.embedded import lambda_worker
from ops.embedded.isolation import ACCOUNT_ID, DUMMY_CREDENTIALS, REGION, client_environment
from ops.embedded.lambda_invocation import (
    Invocation,
    Outcome,
    error_payload,
    exited,
    timed_out,
)
from ops.embedded.stack import DeployedFunction

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
RESPONSE_LIMIT_BYTES = 6_291_556
# In Lambda 10 s. Here many workers may import their handlers at once, on few processors.
_INIT_SECONDS = 60
_EXIT_SECONDS = 5


class WorkerProcesses:
    """An Invoker that runs each function's own code in processes of its own.

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
        self._idle: defaultdict[str, list[_Worker]] = defaultdict(list)
        self._alive: set[_Worker] = set()
        self._closed = False

    def invoke(self, invocation: Invocation) -> Outcome:
        with self._turn:
            return self._served(invocation)

    def _served(self, invocation: Invocation) -> Outcome:
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
        outcome = Outcome(
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
        """Ends every worker, in the middle of an invocation too."""
        with self._lock:
            self._closed = True
            workers = list(self._alive)
            self._alive.clear()
            self._idle.clear()
        for worker in workers:
            worker.end()

    def process_ids(self) -> frozenset[int]:
        """The processes that are up."""
        with self._lock:
            return frozenset(worker.process_id for worker in self._alive)

    def _checked_out(self, function: DeployedFunction) -> tuple[_Worker, float]:
        """A worker for the function, and how long it took to start (0 if it was there)."""
        with self._lock:
            idle = self._idle[function.logical_id]
            while idle:
                worker = idle.pop()
                if worker.is_alive():
                    return worker, 0.0
                self._alive.discard(worker)
                worker.end()
        began = time.monotonic()
        worker = _Worker(function, self._function_environment(function), self._log_directory)
        with self._lock:
            self._alive.add(worker)
            closed = self._closed
        if closed:
            worker.end()
        worker.wait_until_ready()
        return worker, (time.monotonic() - began) * 1000

    def _checked_in(self, worker: _Worker) -> None:
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


class _Worker:
    """One process of one function. `end` may be called from any thread, and more than once."""

    def __init__(
        self, function: DeployedFunction, environment: dict[str, str], log_directory: Path
    ) -> None:
        self.function = function
        self.is_reusable = True
        self.max_memory_mb = 0
        log_directory.mkdir(parents=True, exist_ok=True)
        self._log_path = log_directory / f"{function.logical_id}.log"
        self._connection, theirs = socket.socketpair()
        with theirs, self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                # -P: the directory of this program is no place where a handler's imports are looked
                # for.
                [sys.executable, "-P", "-X", "utf8", lambda_worker.__file__, str(theirs.fileno())],
                env=environment,
                cwd=function.code_path,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                # Ctrl-C is for the operator's program, which ends its workers; and a group can be
                # ended whole.
                start_new_session=True,
            )
        self.process_id = self._process.pid
        self._ending = threading.Lock()
        self._has_ended = False

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait_until_ready(self) -> None:
        """Until the handler is imported, or has failed to be: `serve` says which."""
        self._connection.settimeout(_INIT_SECONDS)
        try:
            ready = lambda_worker.receive(self._connection)
        except OSError:
            ready = None
        self.is_reusable = bool(ready and ready["ready"])

    def serve(self, invocation: Invocation) -> tuple[bytes, bool]:
        """The response's payload and whether it is an error.

        Raises TimeoutError at the function's time limit, another OSError or EOFError if the process
        is gone.
        """
        limit = invocation.function.timeout_seconds
        self._connection.settimeout(limit)
        request = {
            "payload": invocation.payload.decode(),
            "request_id": invocation.request_id,
            "deadline_ms": int((time.time() + limit) * 1000),
            "arn": f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{self.function.name}",
        }
        lambda_worker.send(self._connection, request)
        response = lambda_worker.receive(self._connection)
        if response is None:
            raise EOFError
        self.max_memory_mb = math.ceil(response["max_memory_kb"] / 1024)
        return response["payload"].encode(), response["failed"]

    def end(self, *, kill: bool = True) -> str:
        """Ends the process and all that it started; says how it ended, in Lambda's words.

        Without `kill` it is one that has closed its connection, and so is about to be gone by
        itself.
        """
        self.is_reusable = False
        with self._ending:
            if not self._has_ended:
                if not kill:
                    with suppress(subprocess.TimeoutExpired):
                        self._process.wait(timeout=_EXIT_SECONDS)
                # The group also when its leader is gone: a handler may have left processes behind.
                with suppress(ProcessLookupError):
                    os.killpg(self.process_id, signal.SIGKILL)
                self._process.wait()
                self._connection.close()
                self._has_ended = True
        code = self._process.returncode
        if code == 0:
            return "without providing a reason"
        if code > 0:
            return f"with error: exit status {code}"
        return f"with error: signal: {(signal.strsignal(-code) or str(-code)).lower()}"

    def log(self, line: str) -> None:
        with self._log_path.open("ab", buffering=0) as log:
            log.write(f"{line}\n".encode())

    def report(self, invocation: Invocation, duration_ms: float, init_ms: float) -> bytes:
        """Writes Lambda's last lines of an invocation into the log, and returns them."""
        request_id = invocation.request_id
        init = f"\tInit Duration: {init_ms:.2f} ms" if init_ms else ""
        lines = (
            f"END RequestId: {request_id}\n"
            f"REPORT RequestId: {request_id}\tDuration: {duration_ms:.2f} ms\t"
            f"Billed Duration: {math.ceil(duration_ms + init_ms)} ms\t"
            f"Memory Size: {self.function.memory_mb} MB\t"
            f"Max Memory Used: {self.max_memory_mb} MB{init}"
        )
        self.log(lines)
        return lines.encode()
