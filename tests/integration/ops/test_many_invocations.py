"""A segment that takes many times a function's time limit is finished by as many invocations."""

import time
from collections.abc import Iterable
from dataclasses import replace
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from ops.embedded.lambda_invocation import Invocation, Invoker, Outcome
from ops.embedded.scan_layers import scan_request
from ops.local.local_stack import Where, local_stack
from ops.local.run import execute
from ops.local.trip_files import Trips
from tests.integration.ops.conftest import trip

TRIPS = 241
PAGE_SECONDS = 0.2
LIMIT_SECONDS = 1.6
"""Less three times the slowest page, which is kept for the append: five pages an invocation, of the
sixty that segment 0 has; on a slower machine, fewer."""


class Hurried:
    """An Invoker that gives ScanSegment little time."""

    def __init__(self, workers: Invoker) -> None:
        self._workers = workers

    def invoke(self, invocation: Invocation) -> Outcome:
        function = invocation.function
        if function.logical_id == "ScanSegmentFunction":
            function = replace(function, timeout_seconds=LIMIT_SECONDS)
        return self._workers.invoke(replace(invocation, function=function))

    def close(self) -> None:
        self._workers.close()


def with_slow_pages(application: WSGIApplication) -> WSGIApplication:
    """Every page of segment 0 takes its time."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        scan = scan_request(environ)
        if scan is not None and scan.segment == 0:
            time.sleep(PAGE_SECONDS)
        return application(environ, start_response)

    return answer


def test_a_segment_may_need_any_number_of_invocations() -> None:
    trips = Trips(
        hash_key="trip_id",
        sort_key=None,
        items={(f"t{n:03d}",): trip(n) for n in range(TRIPS)},
    )
    where = Where(around_workers=Hurried, middleware=with_slow_pages, page_bytes=200)
    with local_stack(
        trips,
        where=where,
        parameters={},
        on_loaded=lambda _: None,
    ) as local:
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
