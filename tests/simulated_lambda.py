"""Simulates the children of a Distributed Map that share an account's Lambda executions.

No clock and no network: events in the order of their time, jitter from a seed. The retries are
those of a definition in Amazon States Language.
"""

import heapq
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

REFUSED = "Lambda.TooManyRequestsException"

EVENTS_PER_ATTEMPT = 3
"""TaskScheduled, TaskStarted, and TaskFailed or TaskSucceeded
https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html"""
EVENTS_PER_ROUND = 4
"""entering and leaving the task and the choice after it"""
EVENTS_PER_CHILD = 4
"""ExecutionStarted and ExecutionSucceeded, entering and leaving the last state"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Others:
    """Other functions of the account: so many executions are taken for some time, again and
    again."""

    executions: int
    busy_seconds: float
    free_seconds: float


@dataclass(slots=True, kw_only=True)
class Child:
    """A segment's execution."""

    number: int
    rounds_left: int
    attempts: int = 0
    """that were refused, in this round"""
    events: int = EVENTS_PER_CHILD


@dataclass(slots=True, kw_only=True)
class Simulation:
    """A Map Run; `run` returns when its last child has ended."""

    retriers: Sequence[Mapping[str, Any]]
    """the Retry of the children's task"""
    quota: int
    workers: int
    invocation_seconds: float
    segments: int = 233
    rounds: int = 1
    """invocations of each segment"""
    others: Others | None = None
    seed: int = 0
    succeeded: list[Child] = field(default_factory=list, init=False)
    failed: list[Child] = field(default_factory=list, init=False)
    seconds: float = field(default=0.0, init=False)
    most_used: int = field(default=0, init=False)
    """executions at once, those of others among them"""

    def run(self) -> "Simulation":
        (retrier,) = (one for one in self.retriers if REFUSED in one["ErrorEquals"])
        rng, order = random.Random(self.seed), count()
        queue: list[tuple[float, int, str, Child | None]] = []
        waiting = iter(
            Child(number=number, rounds_left=self.rounds) for number in range(self.segments)
        )
        in_use = 0

        def at(moment: float, what: str, child: Child | None = None) -> None:
            heapq.heappush(queue, (moment, next(order), what, child))

        def begin_next(moment: float) -> None:
            if (child := next(waiting, None)) is not None:
                at(moment, "invoke", child)

        for _ in range(self.workers):
            begin_next(0.0)
        if self.others is not None:
            at(0.0, "others come")
        others_in_use = 0
        while len(self.succeeded) + len(self.failed) < self.segments:
            now, _, what, child = heapq.heappop(queue)
            if child is None:
                assert self.others is not None
                if what == "others come":
                    # Whoever finds fewer free ones takes what there is.
                    others_in_use = min(self.others.executions, self.quota - in_use)
                    in_use += others_in_use
                    at(now + self.others.busy_seconds, "others go")
                else:
                    in_use -= others_in_use
                    at(now + self.others.free_seconds, "others come")
                self.most_used = max(self.most_used, in_use)
                continue
            if what == "ended":
                in_use -= 1
                child.rounds_left -= 1
                child.events += EVENTS_PER_ROUND + EVENTS_PER_ATTEMPT
                child.attempts = 0
                if child.rounds_left:
                    at(now, "invoke", child)
                else:
                    self.succeeded.append(child)
                    self.seconds = now
                    begin_next(now)
            elif in_use < self.quota:
                in_use += 1
                self.most_used = max(self.most_used, in_use)
                at(now + self.invocation_seconds, "ended", child)
            else:
                child.events += EVENTS_PER_ATTEMPT
                if child.attempts == retrier["MaxAttempts"]:
                    self.failed.append(child)
                    self.seconds = now
                    begin_next(now)
                else:
                    at(now + rng.uniform(0, delay(retrier, child.attempts)), "invoke", child)
                    child.attempts += 1
        return self


def delay(retrier: Mapping[str, Any], attempt: int) -> float:
    """The longest wait before this retry, counted from 0; full jitter draws from 0 to it.

    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    most = float(retrier["MaxDelaySeconds"])
    # 2 to the power of some hundreds is no float that anybody wants.
    grown = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** min(attempt, 64)
    return min(most, grown)


def delays(retrier: Mapping[str, Any]) -> Iterator[float]:
    """The longest waits before each of its retries."""
    return (delay(retrier, attempt) for attempt in range(retrier["MaxAttempts"]))
