"""A Distributed Map runs here as it runs in AWS."""

from __future__ import annotations

import json
import threading
from collections import Counter
from typing import Any

import pytest

from ops.runs.execution import failed_segments
from tests.integration.embedded.stand_in_cloud import LambdaError, StandIn, as_lambda

DONE = {"finished": True}


def test_the_outputs_are_in_the_order_of_the_items(stand_in: StandIn) -> None:
    items = [7, 3, 5]
    first_come_last_served = threading.Barrier(3)

    def work(payload: Any) -> Any:
        first_come_last_served.wait(timeout=600)
        return DONE

    _, execution = stand_in.run(work, items)

    assert execution["status"] == "SUCCEEDED"
    assert json.loads(execution["output"]) == [7, 3, 5]


def test_a_child_loops_until_its_function_says_that_it_has_finished(stand_in: StandIn) -> None:
    calls: Counter[int] = Counter()

    def work(payload: Any) -> Any:
        calls[payload["item"]] += 1
        return {"finished": calls[payload["item"]] > payload["item"]}

    _, execution = stand_in.run(work, [0, 1, 4])

    assert execution["status"] == "SUCCEEDED"
    assert calls == {0: 1, 1: 2, 4: 5}


def test_children_run_at_the_same_time_and_never_more_than_max_concurrency(
    stand_in: StandIn,
) -> None:
    full = threading.Barrier(32)
    lock = threading.Lock()
    running, most = 0, 0

    def work(payload: Any) -> Any:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        # All 32 must be here at once, twice over, or the barrier breaks and the run fails.
        full.wait(timeout=600)
        with lock:
            running -= 1
        return DONE

    _, execution = stand_in.run(work, list(range(64)), max_concurrency=32)

    assert execution["status"] == "SUCCEEDED"
    assert most == 32


@pytest.mark.slow
def test_thousands_of_items_pass_through_one_worker(stand_in: StandIn) -> None:
    """moto's own loop recurses for each item: here one worker has more than Python would let it."""
    calls: Counter[int] = Counter()

    def work(payload: Any) -> Any:
        calls[payload["item"]] += 1
        return DONE

    arn, execution = stand_in.run(work, list(range(1100)), max_concurrency=1)

    assert execution["status"] == "SUCCEEDED"
    assert calls == Counter(range(1100))
    assert stand_in.counts(arn)["succeeded"] == 1100


def test_an_empty_map_succeeds(stand_in: StandIn) -> None:
    with stand_in.cloud.lambda_tasks_run_by(as_lambda(lambda payload: DONE)):
        arn = stand_in.start([])
        execution = stand_in.end(arn)

    assert execution["status"] == "SUCCEEDED"
    assert stand_in.counts(arn)["total"] == 0


def test_the_counts_of_a_map_run_say_how_far_it_is(stand_in: StandIn) -> None:
    two_are_in, let_go = threading.Barrier(3), threading.Event()

    def work(payload: Any) -> Any:
        if not let_go.is_set():
            two_are_in.wait(timeout=600)
            let_go.wait(timeout=600)
        return DONE

    with stand_in.cloud.lambda_tasks_run_by(as_lambda(work)):
        arn = stand_in.start(list(range(5)), max_concurrency=2)
        two_are_in.wait(timeout=600)
        during = stand_in.counts(arn)
        let_go.set()
        stand_in.end(arn)
    after = stand_in.counts(arn)

    assert (during["total"], during["pending"], during["running"]) == (5, 3, 2)
    assert (after["total"], after["pending"], after["running"], after["succeeded"]) == (5, 0, 0, 5)


def test_a_failed_child_aborts_those_that_run_and_starts_no_other(stand_in: StandIn) -> None:
    both_are_in, run_is_over = threading.Barrier(2), threading.Event()
    started: list[int] = []

    def work(payload: Any) -> Any:
        started.append(payload["item"])
        both_are_in.wait(timeout=600)
        if payload["item"] == 0:
            raise LambdaError("PermanentError", "segment 0 cannot be read")
        # As in AWS, the other's function goes on; what it answers is not heard any more.
        run_is_over.wait(timeout=600)
        return {"finished": False}

    with stand_in.cloud.lambda_tasks_run_by(as_lambda(work)):
        arn = stand_in.start(list(range(50)), max_concurrency=2)
        execution = stand_in.end(arn)
        run_is_over.set()

    counts = stand_in.counts(arn)
    assert execution["status"] == "FAILED"
    assert sorted(started) == [0, 1]
    assert (counts["failed"], counts["aborted"], counts["succeeded"]) == (1, 1, 0)
    assert (counts["running"], counts["pending"]) == (0, 48)


def test_a_retry_waits_as_the_state_says(stand_in: StandIn) -> None:
    """2 s, three times as long each time, but 15 s at most; after 4 attempts it gives up."""

    def work(payload: Any) -> Any:
        raise LambdaError("TransientError", "throttled")

    arn, execution = stand_in.run(work, [1])

    assert stand_in.retry_waits == [2, 6, 15, 15]
    assert execution["status"] == "FAILED"
    (child,) = failed_segments(stand_in.cloud.client("stepfunctions"), arn)
    assert child.error == "TransientError"


def test_full_jitter_spreads_a_retry_over_its_whole_wait(stand_in: StandIn) -> None:
    def work(payload: Any) -> Any:
        raise LambdaError("Sandbox.Timedout", "Task timed out after 2.00 seconds")

    stand_in.run(work, [1])

    assert len(stand_in.retry_waits) == 20
    assert all(0 <= wait <= 40 for wait in stand_in.retry_waits)
    assert len(set(stand_in.retry_waits)) == 20


def test_an_error_that_no_retrier_names_is_not_retried(stand_in: StandIn) -> None:
    calls: list[Any] = []

    def work(payload: Any) -> Any:
        calls.append(payload)
        raise LambdaError("PermanentError", "no")

    stand_in.run(work, [1])

    assert len(calls) == 1
    assert stand_in.retry_waits == []


def test_an_execution_that_is_stopped_starts_no_further_children(stand_in: StandIn) -> None:
    one_is_in, go_on = threading.Barrier(2), threading.Event()
    started: list[int] = []

    def work(payload: Any) -> Any:
        started.append(payload["item"])
        one_is_in.wait(timeout=600)
        go_on.wait(timeout=600)
        return DONE

    with stand_in.cloud.lambda_tasks_run_by(as_lambda(work)):
        arn = stand_in.start([1, 2, 3], max_concurrency=1)
        one_is_in.wait(timeout=600)
        stand_in.cloud.client("stepfunctions").stop_execution(executionArn=arn)
        go_on.set()
        execution = stand_in.end(arn)

    assert execution["status"] == "ABORTED"
    assert started == [1]
