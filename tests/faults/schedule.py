"""The schedule of one seed: a table, its runs, their faults, and the results."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from tests.faults.boundary import Boundary, Pages
from tests.faults.check import Checker
from tests.faults.deliveries import HANDLERS, FailedError, Handler, Lambda
from tests.faults.exports import Damage, Export
from tests.faults.faults import Fault, Faults
from tests.faults.functions_here import clients_answered_by, environment
from tests.faults.machine import MOST_DELIVERIES, Execution, StateMachine, StoppedError
from tests.faults.runs import Run
from tests.faults.store import Store
from tests.faults.table import Table
from tests.faults.totals import Totals
from tests.faults.trips import made_up
from tests.faults.waiting import Clock, Invocation, invocation_here, simulated_time
from trip_kpis.aws import export_files as export_source
from trip_kpis.aws.export_files import ExportFiles
from trip_kpis.core.export import lines
from trip_kpis.core.items.pages import Cursor, Page

_MOST_EXECUTIONS = 4
"""with faults, before the run is continued without any"""
_BLOCK_BYTES = (1, 400, 1_500, 2**20)
"""a line each, a few lines, or all of a file's"""
_PIECE_BYTES = (150, 400, 8 * 2**20)
"""A data file of this form has some hundred bytes, at most 2,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A variant of the program that is broken on purpose. By default, nothing is broken."""

    handlers: Mapping[str, Handler] = field(default_factory=lambda: HANDLERS)
    store_honours_conditions: bool = True


AS_IT_IS = Variant()


def play(seed: int, variant: Variant = AS_IT_IS, *, faults: bool = True) -> Totals:
    """Plays the schedule of this seed; the totals say whether there was a difference."""
    story = _Story(seed, variant, with_faults=faults)
    with (
        environment(story.settings),
        clients_answered_by(story.boundary.answer),
        simulated_time(story.clock, story.rng, story.boundary.sleep),
        story.small_blocks(),
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
            "SOURCE": rng.choice(("scan", "export")),
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
                piece_ms=rng.choice((50, 500, 2_000)),
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
        self._exports = 0
        self._executions = 0
        self._under_way: dict[str, Execution] = {}
        """the last execution of each run"""
        self._block_bytes, self._piece_bytes = rng.choice(_BLOCK_BYTES), rng.choice(_PIECE_BYTES)
        self._block_ms = rng.choice((5, 1_000, 20_000))
        self._reads_export = rng.random() < 0.5
        self._overlaps = rng.random() < 0.25
        self._may_overtake = self._overlaps and rng.random() < 0.5
        self._recreates = not self._overlaps and rng.random() < 0.05
        self._damages = not self._overlaps and self._reads_export and rng.random() < 0.15

    @contextmanager
    def small_blocks(self) -> Iterator[None]:
        """Makes exports be read in pieces and blocks of a few items, each of which takes time."""
        read = ExportFiles.pages

        def pages(files: ExportFiles, segment: int, *, after: Cursor | None) -> Iterator[Page]:
            for page in read(files, segment, after=after):
                self.checker.watch_page(files.plan.run_id, segment, page)
                invocation_here().spend(self._block_ms)
                yield page

        with (
            patch.object(lines, "BLOCK_BYTES", self._block_bytes),
            patch.object(export_source, "PIECE_BYTES", self._piece_bytes),
            patch.object(ExportFiles, "pages", pages),
        ):
            yield

    def tell(self) -> None:
        if self.rng.random() < 0.3:
            self._run("earlier", with_faults=False)
        if self._overlaps and not self._may_overtake:
            # Somebody stops the run, wherever it is, if faults have not failed it before.
            self._add("run")
            self._execute("run", with_faults=self.with_faults, stop_after=self.rng.randint(1, 12))
            self._run("newer", with_faults=self.with_faults)
            self._go_on("run")
        elif self._damages and self.with_faults:
            self._over_a_damaged_export()
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
            of_exports=self._reads_export,
            invocations=self.functions.invocations,
            faults=self.faults.counts,  # type: ignore[arg-type]
            failed_and_continued=len(self._failures),
            errors=Counter(self._failures),
            pages=pages,
            pages_scanned_twice=0 if wrong else pages - sum(run.pages_in_chain for run in runs),
            differences={self.seed: wrong} if wrong else {},
        )

    def _run(self, run_id: str, *, with_faults: bool) -> None:
        """Executes a run until it has finished."""
        self._add(run_id)
        if with_faults:
            for _ in range(self.rng.randint(1, _MOST_EXECUTIONS)):
                if self._execute(run_id, with_faults=True):
                    return
        self._go_on(run_id)

    def _over_two_tables(self) -> None:
        """Somebody deletes the table and creates it again while the run is stopped; a newer run
        reads the new one. An export that was begun before is still that of the old one: the run
        that reads it finishes."""
        self._add("run")
        run, stop_after = self.checker.runs["run"], self.rng.randint(1, 12)
        if self._execute("run", with_faults=True, stop_after=stop_after):
            return
        if "staging/run=run/plan.json" not in self.store.objects:
            self._go_on("run")
            return
        self.faults.happened(Fault.RECREATED)
        table, _ = made_up(self.rng, at_least_one=True, name="recreated")
        table.table_id, table.exports = "another-id", run.table.exports
        run.table, run.is_recreated = table, not run.reads_export
        if run.export is not None:
            self._go_on("run")
        else:
            # An export that is begun now, or was when nobody knew of it yet, is of another table.
            run.may_fail_with = {"PlanMismatchError"} if run.reads_export else set()
            self._execute("run", with_faults=False)
            self._execute("run", with_faults=False)
        self._run("newer", with_faults=True)

    def _over_a_damaged_export(self) -> None:
        """The export is not what DynamoDB wrote, or somebody replaces or removes one of its files
        while the run is stopped; a newer run reads another export."""
        at_once = self.rng.random() < 0.6
        run = self._add("run", damage=self.rng.choice([*Damage]) if at_once else None)
        if at_once:
            self.faults.happened(Fault.DAMAGED)
        elif self._execute("run", with_faults=True, stop_after=self.rng.randint(2, 20)):
            return
        elif run.export is not None:
            run.may_fail_with = self._replace_a_file(run.export)
        is_finished = False
        for _ in range(2):
            is_finished = is_finished or self._execute("run", with_faults=True)
        if not is_finished and self.rng.random() < 0.5:
            self._put_right(run)
        if not is_finished and not self._execute("run", with_faults=False):
            allowed = run.may_fail_with
            if self._failures[-1] not in allowed:
                self.checker.wrong.append(f"run fails with {self._failures[-1]}, not {allowed}")
        self._run("newer", with_faults=True)

    def _put_right(self, run: Run) -> None:
        """Somebody copies the export once more, whole. The run may finish now, but with no figure
        of the other files; it must, if it cannot have read any."""
        if run.export is None or run.export.damage is Damage.FAILED:
            return
        is_cut = run.export.damage in {Damage.MANIFEST, Damage.CUT}
        if is_cut or run.may_fail_with == {"ExportNotFoundError"}:
            run.may_fail_with = set()
        run.export.damage, run.must_fail = None, False
        if not run.export.in_progress:
            self.faults.happened(Fault.PUT_RIGHT)
            self._complete(run.export)

    def _replace_a_file(self, export: Export) -> set[str]:
        """Returns what a run over the export may fail with then."""
        key, body = export.other_object(self.rng)
        if key not in self.store.objects:
            return set()
        self.faults.happened(Fault.REPLACED)
        if self.rng.random() < 0.5:
            self.store.add(key, body)
            return {"CorruptExportError"}
        del self.store.objects[key]
        return {"ExportNotFoundError"}

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

    def _add(self, run_id: str, damage: Damage | None = None) -> Run:
        earlier = self.checker.runs.get("earlier")
        if run_id == "newer" and earlier is not None and self.rng.random() < 0.5:
            # The table is again as it was: the newer run confirms what the earlier one published.
            table, truth = earlier.as_planned, earlier.truth
        else:
            table, truth = made_up(
                self.rng, at_least_one=self.checker.removes_vanished_days, name=run_id
            )
        reads_export = self._reads_export if run_id == "run" else self.rng.random() < 0.5
        run = Run(run_id=run_id, table=table, truth=truth)
        self.checker.runs[run_id] = run
        if reads_export:
            self._let_read_export(run, damage)
        elif self.settings["SOURCE"] != "scan" or self.rng.random() < 0.5:
            run.asked = {"source": "scan"}
        return run

    def _let_read_export(self, run: Run, damage: Damage | None) -> None:
        """Lets the run read an export: one that it makes, or one that exists or is in progress.
        Whatever is written to the table later is in no export."""
        run.reads_export = True
        run.table, _ = made_up(self.rng, at_least_one=True, name=f"{run.run_id}-later")
        if damage is not None and not run.as_planned.items:
            damage = Damage.MISSING  # other bytes of no items may be the same
        if damage is not None:
            run.must_fail, run.may_fail_with = True, {damage.error}
        named = self.rng.choice((None, None, "export_arn", "export_manifest"))
        if named == "export_manifest" and damage is Damage.FAILED:
            named = "export_arn"
        if named is None:
            run.damage = damage
            if self.settings["SOURCE"] != "export" or self.rng.random() < 0.5:
                run.asked = {"source": "export"}
            return
        minutes = self.rng.choice((0, 5, 80))
        # After the last day of the trips is over.
        earliest = datetime(2024, 6, 3, 0, 30, tzinfo=UTC)
        at = max(self.clock.at - timedelta(minutes=minutes), earliest)
        run.export = export = self._exported(
            run.as_planned, f"exports-by-hand/of-{run.run_id}", at=at, damage=damage
        )
        run.table.exports[export.arn] = export
        if named == "export_manifest":
            export.in_progress = 0
            run.asked = {named: f"s3://trip-kpis/{export.manifest_key}"}
        else:
            run.asked = {named: export.arn}
        if not export.in_progress:
            self._complete(export)

    def _exported(
        self, table: Table, prefix: str, *, at: datetime, damage: Damage | None
    ) -> Export:
        self._exports += 1
        export = Export.of(
            table.items,
            self.rng,
            description=table.description(),
            export_id=f"0171746{self._exports:07d}-abcd{self._exports:04d}",
            prefix=prefix,
            at=at,
            damage=damage,
        )
        self.store.add(f"{export.folder}/_started", b"")
        return export

    def _complete(self, export: Export) -> None:
        for key, body in export.objects(self.rng).items():
            self.store.add(key, body)

    def _start_export(self, source: Mapping[str, Any]) -> Export:
        """Answers ExportTableToPointInTime: the same request is the same export."""
        run = self.checker.runs[source["prefix"].removeprefix("exports/run=")]
        if export := run.exports_begun.get(source["token"]):
            return export
        if run.export is not None:
            self.checker.wrong.append(f"{run.run_id} begins another export")
        is_first = run.export is None and run.table.table_id == run.as_planned.table_id
        export = self._exported(
            run.as_planned if is_first else run.table,
            source["prefix"],
            at=self.clock.now(UTC),
            damage=run.damage,
        )
        run.exports_begun[source["token"]] = run.table.exports[export.arn] = export
        run.export = run.export or export
        if not export.in_progress:
            self._complete(export)
        return export

    def _export_of(self, arn: str) -> Export:
        """Answers DescribeExport."""
        for run in self.checker.runs.values():
            if export := run.table.exports.get(arn):
                if not export.in_progress and export.manifest_key not in self.store.objects:
                    self._complete(export)
                return export
        raise AssertionError(f"no such export: {arn}")

    def _execute(
        self, run_id: str, *, with_faults: bool, stop_after: int = MOST_DELIVERIES
    ) -> bool:
        """One execution: the run's first, the run's from its beginning (the same name), or a new
        one that names it.

        A redrive goes on where the execution failed. From its beginning is more than that: there,
        finished segments are called, and their log makes that one small read.
        """
        run, published_before = self.checker.runs[run_id], self.store.below("kpis/")
        execution = Execution(name=run_id, input=run.asked)
        if f"staging/run={run_id}/plan.json" in self.store.objects and self.rng.random() < 0.5:
            self._executions += 1
            execution = Execution(name=f"again-{self._executions}", input={"run_id": run_id})
        elif run_id in self._under_way and self.rng.random() < 0.5:
            execution = self._under_way[run_id]
        self._under_way[run_id] = execution
        machine = StateMachine(
            self.functions, self.rng, self._start_export, self._export_of, stop_after
        )
        self._archive()
        before, self.faults.is_on = self.faults.is_on, with_faults
        try:
            self.checker.finished(run, machine.execute(execution))
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
        """Runs a newer run completely, while this one publishes."""
        if not self._may_overtake or worker.payload["run_id"] != "run":
            return False
        self._may_overtake = False
        self._run("newer", with_faults=False)
        return True
