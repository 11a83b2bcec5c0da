"""Following an execution: how soon its end is seen, and how much of the time is spent looking."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from ops.runs import running_execution
from ops.runs.run_log import Progress, RunLog
from ops.runs.running_execution import RunningExecution

LOOK_SECONDS = 60.0
"""of a run of very many segments, or on a machine that has no time for it"""


class Target:
    """A state machine whose one execution runs until `ends_at`, on a clock that waits move."""

    state_machine_arn, bucket_name = "machine", "bucket"

    def __init__(self, ends_at: float) -> None:
        self.now = 0.0
        self.looks = 0
        self._ends_at = ends_at

    def client(self, _service: str) -> Any:
        def describe_execution(**_: object) -> dict[str, str]:
            return {"status": "RUNNING" if self.now < self._ends_at else "SUCCEEDED"}

        return SimpleNamespace(describe_execution=describe_execution)

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def look(self) -> Progress:
        self.looks += 1
        self.wait(LOOK_SECONDS)
        return Progress()


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Target]:
    """The target, once an execution that ends at this time was followed to its end."""

    def follow(ends_at: float) -> Target:
        target = Target(ends_at)
        clock = SimpleNamespace(monotonic=lambda: target.now, sleep=target.wait)
        monkeypatch.setattr(running_execution, "time", clock)
        monkeypatch.setattr(RunLog, "look", lambda _: target.look())
        RunningExecution(target, "run-1", "arn").follow(lambda _: None, poll_seconds=2)
        return target

    return follow


def test_an_end_is_seen_at_once_however_long_a_look_took(
    followed: Callable[[float], Target],
) -> None:
    assert followed(LOOK_SECONDS + 3).now == LOOK_SECONDS + 4 + LOOK_SECONDS  # the last look


def test_a_tenth_of_the_time_is_spent_looking(followed: Callable[[float], Target]) -> None:
    assert followed(100 * LOOK_SECONDS).looks == 10 + 1
