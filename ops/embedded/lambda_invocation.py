"""The interface of Lambda: an invocation goes in, and its outcome comes out as the Lambda service
would return it.

Whatever runs functions is an `Invoker`: `WorkerProcesses` on this machine, `LambdaEndpoint`
elsewhere. One that wraps another may deliver twice, wait, or shorten the function's time limit, and
nothing else will know.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

from ops.embedded.stack import DeployedFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """A delivery of a JSON payload to a function."""

    function: DeployedFunction
    payload: bytes
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationOutcome:
    """What Lambda answers: a payload, which describes an error if `failed`; and what it notes in
    its log.
    """

    payload: bytes
    failed: bool
    duration_ms: float
    billed_ms: int
    max_memory_mb: int = 0
    log_tail: bytes = b""


class Invoker(Protocol):
    """Runs functions. `invoke` is called from many threads at once.

    Every failure of a function is an InvocationOutcome. Raises EmbeddedCloudError only if it
    could not run the function at all. After `close` nothing that it started is left.
    """

    def invoke(self, invocation: Invocation) -> InvocationOutcome: ...

    def close(self) -> None: ...


def error_payload(error_type: str, message: str) -> bytes:
    """Returns the payload of an error that Lambda itself reports, not the function's runtime."""
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()


def timed_out(invocation: Invocation) -> bytes:
    """Returns the payload of an invocation that exceeded its function's time limit."""
    limit = invocation.function.timeout_seconds
    message = f"RequestId: {invocation.request_id} Error: Task timed out after {limit:.2f} seconds"
    return error_payload("Sandbox.Timedout", message)


def exited(invocation: Invocation, reason: str) -> bytes:
    """Returns the payload of an invocation whose process ended; `reason` as Lambda words it."""
    message = f"RequestId: {invocation.request_id} Error: Runtime exited {reason}"
    return error_payload("Runtime.ExitError", message)
