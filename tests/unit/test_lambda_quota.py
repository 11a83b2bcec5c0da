"""A run in an account with few Lambda executions: simulated with the deployed retries."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.simulated_lambda import EVENTS_PER_ATTEMPT, REFUSED, Others, Simulation, delays
from trip_kpis.core.capacity import ReadCapacity
from trip_kpis.core.estimate.workers import WorkerLimits, lambda_share

DEFINITION = Path(__file__).resolve().parents[2] / "statemachine" / "trip_kpis.asl.json"
MOST_EVENTS = 25_000
"""https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""
QUOTAS = (10, 20, 28, 1_000)
DURATIONS = (60, 150, 300, 880)
MAX_CONCURRENCY = 32
RUN_SECONDS = 7 * 24 * 3600
"""after which the state machine stops a run"""


def definition() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DEFINITION.read_text())
    return found


def task(name: str) -> dict[str, Any]:
    states = definition()["States"]
    found: dict[str, Any] = {
        **states,
        **states["ScanSegments"]["ItemProcessor"]["States"],
    }[name]
    return found


def retriers() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = task("ScanSegment")["Retry"]
    return found


def planned_workers(lambda_limit: int | None) -> int:
    workers, _ = WorkerLimits(
        capacity=ReadCapacity(),
        read_units=122_070_313,
        consistent_read=False,
        scan_memory_mb=512,
        lambda_limit=lambda_limit,
    ).workers(MAX_CONCURRENCY, budget=0)
    return workers


@pytest.mark.parametrize("seconds", DURATIONS)
@pytest.mark.parametrize("quota", QUOTAS)
def test_a_planned_run_is_refused_nothing_where_it_is_alone(quota: int, seconds: int) -> None:
    run = Simulation(
        retriers=retriers(),
        quota=quota,
        workers=planned_workers(quota),
        invocation_seconds=seconds,
    ).run()
    assert len(run.succeeded) == 233
    assert max(child.events for child in run.succeeded) == 11
    assert run.most_used == planned_workers(quota) <= max(1, quota // 2)


@pytest.mark.parametrize("rounds", [1, 3, 6])
@pytest.mark.parametrize("seconds", DURATIONS)
@pytest.mark.parametrize("quota", QUOTAS)
def test_no_run_fails_where_the_limit_is_unknown_and_smaller_than_the_run(
    quota: int, seconds: int, rounds: int
) -> None:
    """A segment that begins later can overtake those that wait, so they wait for nearly all of the
    run."""
    for seed in range(3):
        run = Simulation(
            retriers=retriers(),
            quota=quota,
            workers=MAX_CONCURRENCY,
            invocation_seconds=seconds,
            rounds=rounds,
            seed=seed,
        ).run()
        assert run.failed == []
        assert len(run.succeeded) == 233
        assert run.most_used == min(quota, MAX_CONCURRENCY)
        assert max(child.events for child in run.succeeded) < MOST_EVENTS / 5


@pytest.mark.parametrize("seconds", DURATIONS)
@pytest.mark.parametrize("quota", QUOTAS)
@pytest.mark.parametrize("is_known", [True, False])
def test_no_run_fails_where_others_take_all_executions_for_an_hour(
    quota: int, seconds: int, *, is_known: bool
) -> None:
    run = Simulation(
        retriers=retriers(),
        quota=quota,
        workers=planned_workers(quota) if is_known else MAX_CONCURRENCY,
        invocation_seconds=seconds,
        others=Others(executions=quota, busy_seconds=3600, free_seconds=1200),
    ).run()
    assert run.failed == []
    assert run.most_used == quota
    assert max(child.events for child in run.succeeded) < MOST_EVENTS / 5


@pytest.mark.parametrize("seconds", [150, 300, 880])
def test_the_simulation_notices_retries_that_are_used_up_in_half_an_hour(seconds: int) -> None:
    impatient = [
        {**retrier, "MaxAttempts": 60, "MaxDelaySeconds": 60}
        if REFUSED in retrier["ErrorEquals"]
        else retrier
        for retrier in retriers()
    ]
    run = Simulation(
        retriers=impatient, quota=10, workers=MAX_CONCURRENCY, invocation_seconds=seconds
    ).run()
    assert run.failed


@pytest.mark.parametrize("name", ["PlanRun", "ScanSegment", "MergePartials"])
def test_refusals_are_retried_for_hours_and_never_fill_a_history(name: str) -> None:
    (retrier,) = (one for one in task(name)["Retry"] if REFUSED in one["ErrorEquals"])
    mean_seconds = sum(delays(retrier)) / 2
    assert mean_seconds > 40 * 3600
    # A child whose every invocation is refused to the last attempt, one after the other, until the
    # whole run is stopped.
    events = (retrier["MaxAttempts"] + 1) * EVENTS_PER_ATTEMPT + 4
    assert events * (1 + RUN_SECONDS / mean_seconds) < MOST_EVENTS * 0.75


def test_a_run_takes_half_of_the_unreserved_executions_and_at_least_one() -> None:
    assert [lambda_share(limit) for limit in (0, 1, 2, 10, 28, 1_000)] == [1, 1, 1, 5, 14, 500]
    assert [planned_workers(quota) for quota in QUOTAS] == [5, 10, 14, 16]
    assert planned_workers(None) == 16
