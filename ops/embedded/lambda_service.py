"""The Lambda service of the embedded cloud, which a state machine's Lambda tasks call."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Self

from ops.embedded.cloud import EmbeddedCloud
from ops.embedded.errors import EmbeddedCloudError
from ops.embedded.lambda_invocation import Invocation, InvocationOutcome, Invoker
from ops.embedded.stack import DeployedStack


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCounts:
    """Counts of a function since the service was opened."""

    invocations: int = 0
    errors: int = 0
    billed_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedInvocation:
    """A finished invocation, as reported to an observer."""

    logical_id: str
    request_id: str
    payload: Any
    outcome: InvocationOutcome

    @property
    def response(self) -> Any:
        """The response's payload; if `outcome.failed`, a dict with errorType and errorMessage."""
        return json.loads(self.outcome.payload)


class LambdaService:
    """Runs the functions of `stack` with `invoker` while it is open, and closes the invoker at the
    end.

    `on_invocation` is called after every invocation, from the threads that run them; it must be
    quick and must not raise.
    """

    def __init__(
        self,
        cloud: EmbeddedCloud,
        stack: DeployedStack,
        invoker: Invoker,
        *,
        on_invocation: Callable[[FinishedInvocation], None] | None = None,
    ) -> None:
        self._cloud = cloud
        self._invoker = invoker
        self._on_invocation = on_invocation
        self._functions = {function.name: function for function in stack.functions.values()}
        self._lock = threading.Lock()
        self._in_flight = 0
        self._idle = threading.Condition(self._lock)
        self._counts = {logical_id: FunctionCounts() for logical_id in stack.functions}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            opening.callback(self._invoker.close)
            opening.enter_context(self._cloud.lambda_tasks_run_by(self.invoke))
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def counts(self) -> dict[str, FunctionCounts]:
        """Returns the current counts by logical id."""
        with self._lock:
            return dict(self._counts)

    def wait_until_idle(self) -> None:
        """Waits until no function is running; each has its own time limit."""
        with self._idle:
            self._idle.wait_for(lambda: self._in_flight == 0)

    def invoke(self, function_name: str, payload: bytes) -> tuple[bytes, str | None, bytes]:
        """Delivers the payload to the function; see `InvokeLambda` for what comes back."""
        with self._lock:
            self._in_flight += 1
        try:
            return self._invoke(function_name, payload)
        finally:
            with self._idle:
                self._in_flight -= 1
                self._idle.notify_all()

    def _invoke(self, function_name: str, payload: bytes) -> tuple[bytes, str | None, bytes]:
        function = self._functions.get(function_name)
        if function is None:
            raise EmbeddedCloudError(f"The stack has no function {function_name}.")
        request_id = str(uuid.uuid4())
        outcome = self._invoker.invoke(
            Invocation(function=function, payload=payload, request_id=request_id)
        )
        self._count(function.logical_id, outcome)
        if self._on_invocation is not None:
            self._on_invocation(
                FinishedInvocation(
                    logical_id=function.logical_id,
                    request_id=request_id,
                    payload=json.loads(payload),
                    outcome=outcome,
                )
            )
        return outcome.payload, "Unhandled" if outcome.failed else None, outcome.log_tail

    def _count(self, logical_id: str, outcome: InvocationOutcome) -> None:
        with self._lock:
            counts = self._counts[logical_id]
            self._counts[logical_id] = replace(
                counts,
                invocations=counts.invocations + 1,
                errors=counts.errors + outcome.failed,
                billed_ms=counts.billed_ms + outcome.billed_ms,
            )
