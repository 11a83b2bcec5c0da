"""Runs a Distributed Map in the embedded cloud: a Map Run whose children can make it fail.

Takes the place of moto's own loop (see `step_functions_patches.failed_child_fails_the_map`). What a
child does is still moto's: its program, its frames, its choices and retries. This decides which
child runs when, what the counts of the Map Run are, and when it has failed.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from datetime import UTC, datetime
from typing import Any

from moto.stepfunctions.parser.api import HistoryEventType, MapRunFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
    StatesErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.program_state import (
    ProgramError,
    ProgramStopped,
    ProgramTimedOut,
)
from moto.stepfunctions.parser.asl.eval.states import ItemData, MapData

from ops.embedded.map_run_children import Child, Children

THRESHOLD_CAUSE = "The specified tolerated failure threshold was exceeded"


class MapRun:
    """One Map Run: `run()` returns the children's outputs in the order of the items, or raises the
    error that fails the Map."""

    def __init__(self, *, program: Any, env: Any, eval_input: Any, items: list[Any]) -> None:
        self._program = program
        self._env = env
        self._record = eval_input.map_run_record
        self._selector = eval_input.item_selector or eval_input.parameters
        self._map_input = env.stack[-1] if env.stack else env.states.get_input()
        self._items = items
        self._waiting = deque(enumerate(items))
        self._outputs: list[Any] = [None] * len(items)
        self._running = 0
        self._over = False
        self._exceeded = False
        self._changed = threading.Condition()
        self._children = self._record.children = Children()

    def run(self) -> list[Any]:
        for counter in self._counters():
            counter.total.count(len(self._items))
            counter.pending.count(len(self._items))
        width = min(self._record.max_concurrency or len(self._items), len(self._items))
        for _ in range(width):
            threading.Thread(target=self._work, name="map-run-worker", daemon=True).start()
        with self._changed:
            self._changed.wait_for(lambda: self._over or not (self._waiting or self._running))
            self._over = True
        if self._exceeded:
            # The children that still run see that they were stopped at their next step.
            self._env.set_stop(stop_date=datetime.now(UTC), cause=None, error=None)
            raise FailureEventException(failure_event=self._failure())
        return self._outputs

    def _work(self) -> None:
        while (job := self._next()) is not None:
            index, item = job
            child = self._children.begin(item)
            try:
                frame = self._env.open_inner_frame()
                child.input = self._begin(frame, index, item)
                self._program.eval(frame)
                self._env.delete_frame(frame)
                self._settle(frame, index, child)
            except Exception as error:  # noqa: BLE001 - a child that breaks the emulator has failed too
                with self._changed:
                    self._failed(child, *_error_and_cause(error))

    def _next(self) -> tuple[int, Any] | None:
        with self._changed:
            if self._over or not self._waiting or not self._env.is_running():
                # Not running: the execution was stopped, or its own time is up. No child starts any
                # more.
                if not self._env.is_running():
                    self._waiting.clear()
                self._changed.notify_all()
                return None
            self._running += 1
            for counter in self._counters():
                counter.pending.offset(-1)
                counter.running.offset(1)
            return self._waiting.popleft()

    def _begin(self, frame: Any, index: int, item: Any) -> Any:
        """Passes the item to the child, through the ItemSelector if there is one; returns its
        input."""
        frame.states.context_object.context_object_data["Map"] = MapData(
            Item=ItemData(Index=index, Value=item)
        )
        if self._selector:
            frame.states.reset(input_value=self._map_input)
            frame.stack.append(frame.states.get_input())
            self._selector.eval(frame)
            frame.states.reset(input_value=frame.stack[-1])
        else:
            frame.states.reset(input_value=item)
        return frame.states.get_input()

    def _settle(self, frame: Any, index: int, child: Child) -> None:
        state = frame.program_state()
        with self._changed:
            if isinstance(state, ProgramError):
                error: Any = state.error or {}
                self._failed(child, error.get("error") or "", error.get("cause") or "")
            elif isinstance(state, ProgramStopped | ProgramTimedOut):
                # A child has no time limit of its own: it was the execution that was stopped.
                self._count_out(child, "ABORTED", "aborted")
            else:
                self._outputs[index] = frame.states.get_input()
                self._count_out(child, "SUCCEEDED", "succeeded", "results_written")

    def _failed(self, child: Child, error: str, cause: str) -> None:
        self._count_out(child, "FAILED", "failed", error=error, cause=cause)
        if not self._over and self._threshold_exceeded():
            self._over = self._exceeded = True
            self._children.abort_the_rest()
            for counter in self._counters():
                counter.aborted.count(self._running)
                counter.running.offset(-self._running)
            self._changed.notify_all()

    def _count_out(
        self, child: Child, status: str, *counted: str, error: str = "", cause: str = ""
    ) -> None:
        """Counts a child that has ended. Once the Map Run is over it has been counted as aborted,
        and stays that."""
        self._running -= 1
        if not self._over:
            child.end(status, error, cause)
            for counter in self._counters():
                counter.running.offset(-1)
                for outcome in counted:
                    getattr(counter, outcome).count()
        self._changed.notify_all()

    def _threshold_exceeded(self) -> bool:
        """AWS fails the Map Run when either threshold is exceeded; neither given means that none
        may fail.
        """
        failed = sum(child.status == "FAILED" for child in self._children)
        count = self._record.tolerated_failure_count
        percentage = self._record.tolerated_failure_percentage
        if not count and not percentage:
            return True
        share = 100 * failed / len(self._items)
        return bool((count and failed > count) or (percentage and share > percentage))

    def _failure(self) -> FailureEvent:
        name = StatesErrorNameType.StatesExceedToleratedFailureThreshold
        return FailureEvent(
            env=self._env,
            error_name=StatesErrorName(typ=name),
            event_type=HistoryEventType.MapRunFailed,
            event_details=EventDetails(  # type: ignore[typeddict-item]  # one of them is what it takes
                mapRunFailedEventDetails=MapRunFailedEventDetails(
                    error=name.to_name(), cause=THRESHOLD_CAUSE
                )
            ),
        )

    def _counters(self) -> tuple[Any, Any]:
        return self._record.item_counter, self._record.execution_counter


def _error_and_cause(error: Exception) -> tuple[str, str]:
    if isinstance(error, FailureEventException):
        name, cause = error.extract_error_cause_pair() or (None, None)
        return name or "", cause or ""
    return "States.Runtime", f"{type(error).__name__}: {json.dumps(str(error))}"
