"""A segment that takes many times a function's time limit is finished by as many invocations."""

import json
import os
from collections.abc import Iterable, Iterator
from importlib import import_module
from threading import Lock
from unittest.mock import patch
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest

from ops.embedded.lambda_invocation import Invocation, InvocationOutcome, Invoker, error_payload
from ops.embedded.scan_layers import scan_request
from ops.local.local_stack import Where
from ops.local.run import execute
from tests.integration.ops.conftest import trip
from tests.integration.pipeline import LAMBDAS_LIMIT_MS, Context
from tests.stacks import stack_of
from trip_kpis.aws import clients

TRIPS = 241
PAGE_MS = LAMBDAS_LIMIT_MS // 8
"""Less three times the slowest page, which is kept for the append: five pages an invocation, of the
sixty that segment 0 has."""


class OnAClockOfOurOwn:
    """An Invoker that runs the handlers in this process, one at a time.

    No real time passes for them: every page that is scanned takes PAGE_MS of the invocation at
    hand.
    """

    def __init__(self) -> None:
        self._one_at_a_time = Lock()
        self._context = Context()

    def around(self, workers: Invoker) -> "OnAClockOfOurOwn":
        workers.close()
        return self

    def invoke(self, invocation: Invocation) -> InvocationOutcome:
        function = invocation.function
        module, name = function.handler.rsplit(".", 1)
        with self._one_at_a_time:
            os.environ.update(function.environment)
            self._context = Context(aws_request_id=invocation.request_id)
            handler = getattr(import_module(module), name)
            try:
                answer = handler(json.loads(invocation.payload), self._context)
            except Exception as error:  # noqa: BLE001 -- as Lambda answers it
                payload, failed = error_payload(type(error).__name__, str(error)), True
            else:
                payload, failed = json.dumps(answer).encode(), False
        return InvocationOutcome(payload=payload, failed=failed, duration_ms=0, billed_ms=0)

    def close(self) -> None: ...

    def layer(self, application: WSGIApplication) -> WSGIApplication:
        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if scan_request(environ) is not None:
                self._context.pass_time(PAGE_MS)
            return application(environ, start_response)

        return answer


@pytest.fixture
def functions_of_this_process() -> Iterator[None]:
    """Clients that are made for the stack at hand, and an environment that is restored."""
    made = (clients.dynamodb, clients.s3, clients.lambda_)
    for client in made:
        client.cache_clear()
    with patch.dict(os.environ):
        yield
    for client in made:
        client.cache_clear()


@pytest.mark.usefixtures("functions_of_this_process")
def test_a_segment_may_need_any_number_of_invocations() -> None:
    functions = OnAClockOfOurOwn()
    where = Where(
        around_workers=functions.around,
        middleware=functions.layer,
        page_bytes=200,
        enforce_iam=False,
    )
    with stack_of((trip(n) for n in range(TRIPS)), where=where) as local:
        outcome = execute(local, {"total_segments": 2}, name="slow")
    assert outcome.succeeded, (outcome.cause, outcome.failed_segments)
    assert outcome.output is not None
    assert (outcome.output["scanned"], outcome.output["counted"]) == (TRIPS, TRIPS)
    assert outcome.output["total_fare"] == f"{sum(range(TRIPS))}.{TRIPS:018d}"
    invocations = {int(n): of for n, of in outcome.output["segments_by_invocations"].items()}
    assert sum(invocations.values()) == 2
    assert max(invocations) >= 10
    assert outcome.output["invocations"] == sum(n * of for n, of in invocations.items())
    assert outcome.pages.read == outcome.output["pages"] + outcome.pages.again
