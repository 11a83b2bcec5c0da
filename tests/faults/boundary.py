"""The boundary between the functions' clients and AWS: every attempt at a call passes it, and its
fault."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from tests.faults import store, table
from tests.faults.faults import Fault, Faults
from tests.faults.http_calls import Answer, Call, read_call
from tests.faults.store import Store
from tests.faults.table import Table
from tests.faults.waiting import Clock, Invocation

_ERRORS = {
    Fault.PROVISIONED_THROUGHPUT: (400, "ProvisionedThroughputExceededException"),
    Fault.THROTTLING: (400, "ThrottlingException"),
    Fault.SLOW_DOWN: (503, "SlowDown"),
    Fault.CONFLICT: (409, "ConditionalRequestConflict"),
    Fault.UPLOAD_BROKEN: (400, "BadDigest"),
}
_SERVERS_ERRORS = {
    Fault.ERROR_500: (500, "InternalServerError", "InternalError"),
    Fault.ERROR_503: (503, "ServiceUnavailable", "ServiceUnavailable"),
}
_KILLED = ("Runtime.ExitError", "Lambda.Unknown", "Runtime.OutOfMemory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """How long things take in a schedule, in the invocation's milliseconds."""

    page_ms: float
    piece_ms: float
    """of a data file"""
    object_ms: float
    retry_ms: float

    def of(self, call: Call) -> float:
        if call.is_of_piece:
            return self.piece_ms
        return self.object_ms if call.is_of_s3 else self.page_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Delayed:
    """A write in progress whose sender is gone."""

    worker: Invocation
    call: Call
    worker_ends: datetime
    """when Lambda would have ended the sender at the latest"""

    def is_over_by(self, now: datetime) -> bool:
        """Returns whether a merge's write takes effect before that, because no merge sends one
        later."""
        return self.worker.function == "MergePartials" and now >= self.worker_ends


@dataclass(slots=True)
class Boundary:
    """Answers in place of AWS, or does not answer."""

    store: Store
    faults: Faults
    rng: random.Random
    takes: Pages
    table_of: Callable[[str], Table]
    """the table as a run sees it"""
    deliver_again: Callable[[Invocation], None]
    """the same event to another worker, from its beginning to its end"""
    overtake: Callable[[Invocation], bool]
    """has a newer run go by; False where it may not"""
    watch_scan: Callable[[Invocation, Call], None]
    clock: Clock
    running: list[Invocation] = field(default_factory=list)
    delayed: list[Delayed] = field(default_factory=list)
    """writes under way whose senders are gone"""

    def answer(self, request: Any, event_name: str, **_: Any) -> Any:
        """botocore's event before-send: a response, or an exception, as its session has it."""
        call = read_call(request, event_name.rpartition(".")[2])
        worker = self.running[-1]
        worker.spend(self.takes.of(call))
        self.let_through(lambda late: late.is_over_by(self.clock.at))
        fault = self.faults.at_call(call)
        if fault is Fault.OVERTAKEN or (fault is Fault.TWICE_AT_ONCE and len(self.running) > 1):
            fault = None
        if fault is None and self.faults.is_on and self._may_be_overtaken(worker, call):
            fault = Fault.OVERTAKEN
        if fault is None:
            return self._effect(worker, call).to_response(call.url)
        return self._strike(fault, worker, call)

    def sleep(self, _seconds: float) -> None:
        """botocore's pause before it tries again."""
        self.running[-1].spend(self.takes.retry_ms)

    def let_through(self, which: Callable[[Delayed], bool]) -> None:
        """Lets delayed writes take effect now."""
        now = [late for late in self.delayed if which(late)]
        self.delayed = [late for late in self.delayed if not which(late)]
        for late in now:
            self.store.answer(late.call)

    def _strike(self, fault: Fault, worker: Invocation, call: Call) -> Any:
        if fault is not Fault.OVERTAKEN:
            self.faults.happened(fault)
        match fault:
            case Fault.KILLED_BEFORE:
                worker.die(self.rng.choice(_KILLED))
            case Fault.TIMED_OUT_BEFORE:
                worker.die("Sandbox.Timedout")
            case Fault.CUT:
                raise ConnectionClosedError(endpoint_url=call.url)
            case Fault.HANGS:
                worker.hang()
            case Fault.DELAYED:
                ends = self.clock.at + timedelta(milliseconds=worker.remaining_ms)
                self.delayed.append(Delayed(worker=worker, call=call, worker_ends=ends))
                worker.die("Sandbox.Timedout")
            case Fault.TWICE_AT_ONCE:
                self.deliver_again(worker)
                worker.spend(0)
            case Fault.OVERTAKEN:
                if self.overtake(worker):
                    self.faults.happened(fault)
                    worker.spend(0)
            case Fault.SLOW:
                worker.spend(worker.remaining_ms * self.rng.choice((0.05, 0.3, 0.6)))
            case Fault.ERROR_500 | Fault.ERROR_503:
                status, of_dynamodb, of_s3 = _SERVERS_ERRORS[fault]
                return _error(call, status, of_s3 if call.is_of_s3 else of_dynamodb)
            case _ if fault in _ERRORS:
                return _error(call, *_ERRORS[fault])
        answer = self._effect(worker, call)
        match fault:
            case Fault.KILLED_AFTER:
                worker.die(self.rng.choice(_KILLED))
            case Fault.TIMED_OUT_AFTER:
                worker.die("Sandbox.Timedout")
            case Fault.ANSWER_LOST:
                raise ReadTimeoutError(endpoint_url=call.url)
            case Fault.BODY_CUT:
                return self._cut(call, answer)
            case Fault.BODY_BROKEN if answer.status == 200 and call.operation != "ListObjectsV2":
                return answer.to_response(call.url, sent=self._broken(answer.body))
            case Fault.BODY_BROKEN:  # nothing would tell
                return self._cut(call, answer)
        return answer.to_response(call.url)

    def _effect(self, worker: Invocation, call: Call) -> Answer:
        if call.is_of_s3:
            return self.store.answer(call)
        if call.operation == "Scan":
            self.watch_scan(worker, call)
        return self.table_of(_run_id(worker)).answer(call)

    def _may_be_overtaken(self, worker: Invocation, call: Call) -> bool:
        return worker.function == "MergePartials" and call.is_write and self.rng.random() < 0.25

    def _cut(self, call: Call, answer: Answer) -> Any:
        """urllib3 notices when it reads a body that botocore wants whole; a stream is the
        caller's."""
        if call.operation != "GetObject":
            raise ConnectionClosedError(endpoint_url=call.url)
        return answer.to_response(call.url, sent=answer.body[: len(answer.body) // 2])

    def _broken(self, body: bytes) -> bytes:
        """One digit is another, so that what comes is still well formed; else one bit."""
        digits = [at for at, byte in enumerate(body) if chr(byte).isdigit() and byte < 128]
        if not body:
            return body
        at = self.rng.choice(digits or range(len(body)))
        other = (body[at] - 48 + 1) % 10 + 48 if digits else body[at] ^ 1
        return body[:at] + bytes([other]) + body[at + 1 :]


def _run_id(worker: Invocation) -> str:
    named = worker.payload.get("run_id") or worker.payload["input"].get("run_id")
    return str(named or worker.payload["execution_name"])


def _error(call: Call, status: int, code: str) -> Any:
    make = store.error if call.is_of_s3 else table.error
    return make(status, code).to_response(call.url)
