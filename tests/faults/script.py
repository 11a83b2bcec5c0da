"""What is injected into a schedule of the slow form, and where.

It is drawn from the seed and written down as it happens, or comes from what was written down
before. Then exactly those faults are injected again, each where it was: at the same question (a
request's or a delivery's), asked for the same time in the same execution.

Real time decides the rest, in either case: how processes interleave, and with that how often a
question is asked and what a worker has in hand when a fault hits it. Two schedules of one seed
differ in the faults that were drawn for questions which only one of them asked; a replay leaves out
those whose question is not asked so often this time, and adds none.
"""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from tests.faults.faults import Fault

Drawn = tuple[Fault, float]
"""with the seconds that it leaves an invocation, where it leaves little"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """A fault, and the call at which it occurred."""

    execution: int
    """of the schedule's, from 0 on"""
    question: str
    occurrence: int
    """1: when the question was asked for the first time in that execution"""
    fault: Fault
    seconds: float = 0.0


class Script:
    """The faults of one schedule; it may be used from several threads."""

    def __init__(self, seed: int, replayed: Iterable[Injected] | None = None) -> None:
        self.seed = seed
        self.injected: list[Injected] = []
        """in the order in which they were"""
        self._replayed = (
            None
            if replayed is None
            else {(one.execution, one.question, one.occurrence): one for one in replayed}
        )
        self._execution: int | None = None
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    def begin(self, execution: int) -> random.Random:
        """Begins the faults of that execution; what is drawn once for all of it is drawn from the
        returned generator."""
        with self._lock:
            self._execution = execution
            self._asked.clear()
        return random.Random(f"{self.seed} {execution}")

    def end(self) -> None:
        """Ends the faults."""
        self._execution = None

    def at(self, question: str, draw: Callable[[random.Random], Drawn | None]) -> Injected | None:
        """Returns what happens at this question; `draw` decides it with the seed."""
        with self._lock:
            if self._execution is None:
                return None
            self._asked[question] += 1
            place = (self._execution, question, self._asked[question])
            found = (
                self._drawn(place, draw) if self._replayed is None else self._replayed.get(place)
            )
            if found is not None:
                self.injected.append(found)
            return found

    @property
    def left_out(self) -> int:
        """Returns the faults that were to be injected again and whose question was not asked so
        often."""
        return 0 if self._replayed is None else len(self._replayed) - len(self.injected)

    def save(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        document = {"seed": self.seed, "faults": [asdict(one) for one in self.injected]}
        file.write_text(json.dumps(document, indent=1) + "\n")

    @classmethod
    def load(cls, file: Path) -> Self:
        """Loads what `save` wrote, to inject it again. Raises OSError or ValueError, whose message
        names the file."""
        try:
            document = json.loads(file.read_text())
            faults = [
                Injected(**{**one, "fault": Fault(one["fault"])}) for one in document["faults"]
            ]
            return cls(int(document["seed"]), faults)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{file} is no file of a schedule's faults ({error!r})") from error

    def _drawn(
        self, place: tuple[int, str, int], draw: Callable[[random.Random], Drawn | None]
    ) -> Injected | None:
        execution, question, occurrence = place
        drawn = draw(random.Random(f"{self.seed} {execution} {question} {occurrence}"))
        if drawn is None:
            return None
        return Injected(
            execution=execution,
            question=question,
            occurrence=occurrence,
            fault=drawn[0],
            seconds=drawn[1],
        )
