"""Simulated time that costs no time, and threads whose order the seed decides.

What stands here for the standard library's sleeping, waiting, pooling and clock is all that is
replaced in a schedule, besides what is beyond the HTTP boundary. The project's own functions run as
they are.
"""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import botocore.endpoint

import merge_partials
from trip_kpis.aws import (
    bucket,
    clients,
    concurrency,
    deadline,
    export_files,
    lease,
    planning,
    read_budget,
    throttling,
)

_SHORTEST_POLL_SECONDS = 0.005

_wait_for_real = Future.result


@dataclass(slots=True)
class Clock:
    """The wall clock of a schedule: it advances a little with every look and every call."""

    at: datetime = datetime(2024, 6, 3, 2, 15, tzinfo=UTC)

    def now(self, tz: tzinfo | None = None) -> datetime:
        self.at += timedelta(microseconds=1_700)
        return self.at if tz is None else self.at.astimezone(tz)

    def spend(self, ms: float) -> None:
        self.at += timedelta(milliseconds=ms)


class KilledError(BaseException):
    """The process was killed: nothing in it catches this, and nothing of it continues."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass(slots=True)
class Invocation:
    """An invocation, and Lambda's context for it."""

    function: str
    payload: dict[str, Any]
    aws_request_id: str
    remaining_ms: float
    clock: Clock
    memory_limit_in_mb: str = "512"
    died_of: str | None = None
    hangs: bool = False
    is_over: threading.Event = field(default_factory=threading.Event)

    def get_remaining_time_in_millis(self) -> int:
        return int(self.remaining_ms)

    def spend(self, ms: float) -> None:
        """Lets time pass; at the limit, Lambda ends the invocation."""
        if self.died_of:
            raise KilledError(self.died_of)
        self.clock.spend(ms)
        self.remaining_ms -= ms
        if self.remaining_ms <= 0:
            self.die("Sandbox.Timedout")

    def die(self, error: str) -> None:
        self.died_of = error
        raise KilledError(error)

    def hang(self) -> None:
        """In the thread that waits for a page: it waits for as long as the invocation lasts."""
        self.hangs = True
        self.is_over.wait()
        raise KilledError("the invocation is over")


_mine = threading.local()


@contextmanager
def in_this_thread(invocation: Invocation) -> Iterator[None]:
    """Makes this the invocation of the thread in which its handler runs."""
    before = getattr(_mine, "invocation", None)
    _mine.invocation = invocation
    try:
        yield
    finally:
        _mine.invocation = before
        invocation.is_over.set()


def invocation_here() -> Invocation:
    """Returns the invocation whose handler runs in this thread, or waits for it."""
    invocation: Invocation = _mine.invocation
    return invocation


class _ThreadOfInvocation(threading.Thread):
    """One that an invocation waits for: what happens in it, happens to the invocation."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._invocation = getattr(_mine, "invocation", None)

    def run(self) -> None:
        _mine.invocation = self._invocation
        super().run()


class _InvocationsTime:
    """The module `time`, as the functions know it: an invocation waits in its own time."""

    def monotonic(self) -> float:
        return -float(_mine.invocation.remaining_ms) / 1000

    def sleep(self, seconds: float) -> None:
        _mine.invocation.spend(seconds * 1000)


def _wait_for(future: Future[Any], timeout: float | None = None) -> Any:
    """Future.result: the time that it may take is the invocation's, not this machine's."""
    invocation: Invocation | None = getattr(_mine, "invocation", None)
    if timeout is None or invocation is None:
        return _wait_for_real(future, timeout)
    while not future.done():
        if invocation.hangs:
            invocation.hangs = False
            invocation.spend(timeout * 1000)
            raise TimeoutError
        with future._condition:
            if future._state != "FINISHED":
                future._condition.wait(_SHORTEST_POLL_SECONDS)
    return _wait_for_real(future)


class _Pool:
    """A pool of one thread, the caller's, that takes what waits in an order that the seed says."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._waiting: list[tuple[_Called, Callable[..., Any], tuple[Any, ...]]] = []

    def shutdown(self, *, wait: bool, cancel_futures: bool) -> None:
        """Some of what waits may be under way by now."""
        assert cancel_futures
        begun = self._waiting[: self._rng.randint(0, len(self._waiting))] if wait else []
        for future, _, _ in self._waiting[len(begun) :]:
            future.cancel()
        self._run_until(None)

    def submit(self, call: Callable[..., Any], *arguments: Any) -> "_Called":
        future = _Called(self)
        self._waiting.append((future, call, arguments))
        return future

    def _run_until(self, awaited: "_Called | None") -> None:
        while self._waiting and not (awaited and awaited.done()):
            future, call, arguments = self._waiting.pop(self._rng.randrange(len(self._waiting)))
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call(*arguments))
            except BaseException as error:  # noqa: BLE001 -- as a pool does
                future.set_exception(error)


class _Called(Future[Any]):
    def __init__(self, pool: _Pool) -> None:
        super().__init__()
        self._pool = pool

    def result(self, timeout: float | None = None) -> Any:
        self._pool._run_until(self)
        return super().result(timeout)


@contextmanager
def simulated_time(
    clock: Clock, rng: random.Random, sleep: Callable[[float], None]
) -> Iterator[None]:
    """`sleep` is what botocore does before it tries again."""
    with (
        patch.object(botocore.endpoint, "time", SimpleNamespace(sleep=sleep)),
        patch.object(concurrency, "ThreadPoolExecutor", lambda _workers: _Pool(rng)),
        patch.object(Future, "result", _wait_for),
        patch.object(deadline, "Thread", _ThreadOfInvocation),
        patch.object(export_files, "time", _InvocationsTime()),
        patch.object(read_budget, "time", _InvocationsTime()),
        patch.object(throttling, "random", rng),
        patch.object(bucket, "time", _InvocationsTime()),
        patch.object(clients, "random", rng),
        patch.object(lease, "time", _InvocationsTime()),
        patch.object(lease, "datetime", clock),
        patch.object(planning, "datetime", clock),
        patch.object(merge_partials, "datetime", clock),
    ):
        yield
