"""The state machine: the real file's states and Retry, each Task a call of the real handler."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.faults.deliveries import FailedError, Lambda

_ASL = Path(__file__).parents[2] / "statemachine" / "trip_kpis.asl.json"

MOST_DELIVERIES = 3_000
"""of one execution; a segment without end would take more"""


class StoppedError(Exception):
    """An execution was stopped from outside: by its operator, or because it goes on and on."""


@dataclass(slots=True)
class StateMachine:
    """Executions of the state machine."""

    functions: Lambda
    rng: random.Random
    stop_after: int = MOST_DELIVERIES
    _deliveries: int = 0

    def execute(self, name: str, execution_input: dict[str, Any]) -> dict[str, Any]:
        """The output. Raises FailedError by the name of the error that failed the execution, or
        StoppedError."""
        planned = self._whole("PlanRun", {"execution_name": name, "input": execution_input})
        of_run = {name: planned[name] for name in ("run_id", "plan_sha256")}
        waiting = [self._segment(of_run, number) for number in planned["segments"]]
        under_way: list[Iterator[None]] = []
        while waiting or under_way:
            while waiting and len(under_way) < planned["max_concurrency"]:
                under_way.append(waiting.pop(0))
            chosen = self.rng.choice(under_way)
            try:
                next(chosen)
            except StopIteration:
                under_way.remove(chosen)
        confirmed = {"empty_table_confirmed": planned["empty_table_confirmed"]}
        return self._whole("MergePartials", of_run | confirmed)

    def _segment(self, of_run: dict[str, Any], number: int) -> Iterator[None]:
        """A child of the Map, one delivery at a time."""
        payload = {**of_run, "segment": number}
        while True:
            answer: dict[str, Any] = {}
            yield from self._task("ScanSegment", payload, answer)
            if answer["finished"]:
                return
            if "position" in answer:  # only of a worker that is broken on purpose
                payload = {**payload, "position": answer["position"]}

    def _whole(self, state: str, payload: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for _ in self._task(state, payload, answer):
            pass
        return answer

    def _task(self, state: str, payload: dict[str, Any], answer: dict[str, Any]) -> Iterator[None]:
        """Delivers until there is an answer or Retry is at its end."""
        failures: Counter[int] = Counter()
        while True:
            self._deliveries += 1
            if self._deliveries > self.stop_after:
                raise StoppedError(f"{state} {payload} after {self.stop_after} deliveries")
            try:
                answer |= self.functions.deliver(state, payload)
            except FailedError as failed:
                retrier = _retrier(state, failed.error)
                if retrier is None or failures[retrier[0]] == retrier[1]:
                    raise
                failures[retrier[0]] += 1
                yield
            else:
                yield
                return


def _retrier(state: str, error: str) -> tuple[int, int] | None:
    """The first one for this error: its number, its MaxAttempts."""
    for number, (errors, most) in enumerate(_retriers()[state]):
        if error in errors:
            return number, most
    return None


@cache
def _retriers() -> dict[str, list[tuple[set[str], int]]]:
    states = json.loads(_ASL.read_text())["States"]
    states |= states["ScanSegments"]["ItemProcessor"]["States"]
    return {
        name: [(set(one["ErrorEquals"]), one["MaxAttempts"]) for one in state["Retry"]]
        for name, state in states.items()
        if state["Type"] == "Task"
    }
