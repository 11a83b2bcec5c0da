"""Faults of the Lambda service, as it delivers invocations to worker processes."""

import random
import threading
import uuid
from dataclasses import dataclass, field, replace

from ops.embedded.lambda_invocation import Invocation, InvocationOutcome, Invoker, error_payload
from tests.faults.faults import Fault
from tests.faults.script import Drawn, Injected, Script
from tests.faults.slow_faults import FaultyServer

_RATE = 0.15
_DELIVERY = (
    Fault.TWICE_AT_ONCE,
    Fault.TWICE_AT_ONCE,
    Fault.TWICE_IN_TURN,
    Fault.TOO_MANY_REQUESTS,
    Fault.LITTLE_TIME,
    Fault.LITTLE_TIME,
)
_SECONDS_OF_A_SCAN = 4.0
"""so that a segment takes several invocations, and each appends more than once"""


@dataclass(slots=True)
class FaultyDeliveries:
    """An Invoker around one that really runs functions."""

    workers: Invoker
    server: FaultyServer
    invocations: int = 0
    merges: int = 0
    """invocations of MergePartials"""
    _script: Script | None = None
    """None: nothing happens"""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, script: Script) -> None:
        """From now on, faults of this script's."""
        self._script = script

    def end(self) -> None:
        """No more of them."""
        self._script = None

    def invoke(self, invocation: Invocation) -> InvocationOutcome:
        injected = self._injected(invocation)
        fault = injected.fault if injected else None
        if invocation.function.logical_id == "ScanSegmentFunction":
            invocation = _in_small_blocks(_within(invocation, _SECONDS_OF_A_SCAN))
        if fault is not None:
            self.server.happened(fault)
        match fault:
            case Fault.TOO_MANY_REQUESTS:
                return _too_many_requests()
            case Fault.TWICE_AT_ONCE:
                other = threading.Thread(target=self.workers.invoke, args=[_another(invocation)])
                other.start()
                outcome = self.workers.invoke(invocation)
                other.join()
                return outcome
            case Fault.TWICE_IN_TURN:
                self.workers.invoke(_another(invocation))
            case Fault.LITTLE_TIME if injected:
                invocation = _within(invocation, injected.seconds)
        outcome = self.workers.invoke(invocation)
        if not outcome.failed:
            # A successor got on: now the writes of workers that are gone arrive.
            self.server.let_through()
        return outcome

    def close(self) -> None:
        self.workers.close()

    def _injected(self, invocation: Invocation) -> Injected | None:
        name = invocation.function.logical_id
        with self._lock:
            self.invocations += 1
            self.merges += name == "MergePartialsFunction"
        segment = invocation.payload.partition(b'"segment"')[2].decode()
        return self._script.at(f"deliver {name} {segment}", _draw) if self._script else None


def _draw(rng: random.Random) -> Drawn | None:
    if rng.random() >= _RATE:
        return None
    return rng.choice(_DELIVERY), rng.uniform(0.02, 1.0)


def _within(invocation: Invocation, seconds: float) -> Invocation:
    return replace(invocation, function=replace(invocation.function, timeout_seconds=seconds))


def _in_small_blocks(invocation: Invocation) -> Invocation:
    handler = "tests.faults.small_blocks.handler"
    return replace(invocation, function=replace(invocation.function, handler=handler))


def _another(invocation: Invocation) -> Invocation:
    return replace(invocation, request_id=str(uuid.uuid4()))


def _too_many_requests() -> InvocationOutcome:
    payload = error_payload("Lambda.TooManyRequestsException", "Rate Exceeded.")
    return InvocationOutcome(payload=payload, failed=True, duration_ms=0, billed_ms=0)
