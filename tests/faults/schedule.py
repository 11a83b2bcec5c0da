"""One seed's story: a table, its runs, what befalls them, and what comes of it."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.faults.boundary import Boundary, Pages
from tests.faults.check import Checker
from tests.faults.deliveries import HANDLERS, FailedError, Handler, Lambda
from tests.faults.faults import Fault, Faults
from tests.faults.functions_here import clients_answered_by, environment
from tests.faults.machine import MOST_DELIVERIES, StateMachine, StoppedError
from tests.faults.runs import Run
from tests.faults.store import Store
from tests.faults.totals import Totals
from tests.faults.trips import made_up
from tests.faults.waiting import Clock, Invocation, simulated_time

_MOST_EXECUTIONS = 4
"""with faults, before the run is continued without any"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What is broken on purpose, to see whether it is seen. By default, nothing is."""

    handlers: Mapping[str, Handler] = field(default_factory=lambda: HANDLERS)
    store_honours_conditions: bool = True


AS_IT_IS = Variant()


def play(seed: int, variant: Variant = AS_IT_IS, *, faults: bool = True) -> Totals:
    """Plays the schedule of this seed; the totals say whether anything was wrong."""
    story = _Story(seed, variant, with_faults=faults)
    with (
        environment(story.settings),
        clients_answered_by(story.boundary.answer),
        simulated_time(story.clock, story.rng, story.boundary.sleep),
    ):
        story.tell()
    return story.totals()


class _Story:
    def __init__(self, seed: int, variant: Variant, *, with_faults: bool) -> None:
        self.seed, self.with_faults = seed, with_faults
        self.rng = rng = random.Random(seed)
        self.clock = Clock()
        self.faults = Faults(rng, is_on=False)
        removes = rng.random() < 0.25
        self.settings = {
            "TOTAL_SEGMENTS": str(rng.randint(1, 5)),
            "MAX_CONCURRENCY": str(rng.randint(1, 4)),
            "VANISHED_DAYS": "remove" if removes else "keep",
        }
        self.store = Store(
            now=self.clock.now,
            keys_a_page=rng.choice((1, 3, 1000)),
            honours_conditions=variant.store_honours_conditions,
        )
        self.checker = Checker(store=self.store, removes_vanished_days=removes)
        self.boundary = Boundary(
            store=self.store,
            faults=self.faults,
            rng=rng,
            takes=Pages(
                page_ms=rng.choice((50, 5_000, 40_000, 90_000, 150_000)),
                object_ms=rng.choice((5, 50, 2_000)),
                retry_ms=rng.choice((20, 2_000)),
            ),
            table_of=lambda run_id: self.checker.runs[run_id].table,
            deliver_again=lambda worker: self.functions.again(worker),
            overtake=self._overtake,
            watch_scan=self.checker.watch_scan,
            clock=self.clock,
        )
        self.functions = Lambda(
            self.boundary,
            self.faults,
            rng,
            variant.handlers,
            self.checker.watch_beginning,
            self.clock,
        )
        self._failures: list[str] = []
        self._executions = 0
        self._overlaps = rng.random() < 0.25
        self._may_overtake = self._overlaps and rng.random() < 0.5
        self._recreates = not self._overlaps and rng.random() < 0.05

    def tell(self) -> None:
        if self.rng.random() < 0.3:
            self._run("earlier", with_faults=False)
        if self._overlaps and not self._may_overtake:
            # Somebody stops the run, wherever it is, if faults have not failed it before.
            self._add("run")
            self._execute("run", with_faults=self.with_faults, stop_after=self.rng.randint(1, 12))
            self._run("newer", with_faults=self.with_faults)
            self._go_on("run")
        elif self._recreates and self.with_faults:
            self._over_two_tables()
        else:
            self._run("run", with_faults=self.with_faults)
        self.boundary.let_through(lambda _late: True)
        self.checker.in_the_end()

    def totals(self) -> Totals:
        runs = self.checker.runs.values()
        pages = sum(run.pages for run in runs)
        wrong = self.checker.wrong
        return Totals(
            schedules=1,
            invocations=self.functions.invocations,
            faults=self.faults.counts,  # type: ignore[arg-type]
            failed_and_continued=len(self._failures),
            errors=Counter(self._failures),
            pages=pages,
            pages_scanned_twice=0 if wrong else pages - sum(run.pages_in_chain for run in runs),
            differences={self.seed: wrong} if wrong else {},
        )

    def _run(self, run_id: str, *, with_faults: bool) -> None:
        """A run until it has finished."""
        self._add(run_id)
        if with_faults:
            for _ in range(self.rng.randint(1, _MOST_EXECUTIONS)):
                if self._execute(run_id, with_faults=True):
                    return
        self._go_on(run_id)

    def _over_two_tables(self) -> None:
        """Somebody deletes the table and creates it again while the run is stopped; a newer run
        reads the new one."""
        self._add("run")
        run, stop_after = self.checker.runs["run"], self.rng.randint(1, 12)
        if self._execute("run", with_faults=True, stop_after=stop_after):
            return
        if "staging/run=run/plan.json" not in self.store.objects:
            self._go_on("run")
            return
        self.faults.happened(Fault.RECREATED)
        table, _ = made_up(self.rng, at_least_one=True, name="recreated")
        table.table_id = "another-id"
        run.table, run.is_recreated = table, True
        for _ in range(2):
            self._execute("run", with_faults=False)
        self._run("newer", with_faults=True)

    def _archive(self) -> None:
        """A lifecycle rule moves some of the published days to Glacier."""
        published = [key for key in self.store.objects if key.startswith("kpis/")]
        if published and self.with_faults and self.rng.random() < 0.1:
            self.store.archived.update(
                self.rng.sample(published, self.rng.randint(1, len(published)))
            )
            self.faults.happened(Fault.ARCHIVED)

    def _go_on(self, run_id: str) -> None:
        if not self._execute(run_id, with_faults=False):
            self.checker.wrong.append(f"{run_id} cannot be continued: {self._failures[-1]}")

    def _add(self, run_id: str) -> None:
        earlier = self.checker.runs.get("earlier")
        if run_id == "newer" and earlier is not None and self.rng.random() < 0.5:
            # The table is again as it was: the newer run confirms what the earlier one published.
            self.checker.runs[run_id] = Run(run_id=run_id, table=earlier.table, truth=earlier.truth)
            return
        table, truth = made_up(
            self.rng, at_least_one=self.checker.removes_vanished_days, name=run_id
        )
        self.checker.runs[run_id] = Run(run_id=run_id, table=table, truth=truth)

    def _execute(
        self, run_id: str, *, with_faults: bool, stop_after: int = MOST_DELIVERIES
    ) -> bool:
        """One execution: the run's first, the run's from its beginning (the same name), or a new
        one that names it.

        From its beginning is more than a Redrive: there, finished segments are left out. Here each
        of them is called, and its log makes that one small read.
        """
        run, published_before = self.checker.runs[run_id], self.store.below("kpis/")
        name, asked = run_id, {}
        if f"staging/run={run_id}/plan.json" in self.store.objects and self.rng.random() < 0.5:
            self._executions += 1
            name, asked = f"again-{self._executions}", {"run_id": run_id}
        machine = StateMachine(self.functions, self.rng, stop_after)
        self._archive()
        before, self.faults.is_on = self.faults.is_on, with_faults
        try:
            self.checker.finished(run, machine.execute(name, asked))
        except FailedError as failed:
            self._failures.append(failed.error)
            self.checker.failed(run, failed.error, str(failed))
            self.checker.not_finished(run, published_before)
            return False
        except StoppedError as stopped:
            if stop_after == MOST_DELIVERIES:
                self.checker.wrong.append(str(stopped))
            self._failures.append("stopped by its operator")
            self.checker.not_finished(run, published_before)
            return False
        finally:
            self.faults.is_on = before
        return True

    def _overtake(self, worker: Invocation) -> bool:
        """A newer run goes by, whole, while this one publishes."""
        if not self._may_overtake or worker.payload["run_id"] != "run":
            return False
        self._may_overtake = False
        self._run("newer", with_faults=False)
        return True
