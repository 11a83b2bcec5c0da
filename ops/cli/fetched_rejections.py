"""Fetches what a run has rejected, from a directory or a stack."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.cli.results import Source, say_ignored
from ops.runs.errors import ResultsError
from ops.runs.finished_run import manifests
from ops.runs.quarantine import Rejections, rejections
from ops.runs.run import runs_in
from ops.stack.fetched import newest_first
from ops.stack.runs import newest_run_id
from ops.stack.stack import Stack
from trip_kpis.core import layout


@contextmanager
def rejected_by(
    source: Source, run_id: str | None, *, each: int | None
) -> Iterator[tuple[Path, Rejections]]:
    """Returns what the run has rejected, and a directory with the objects that contain so many
    trips of each reason; None: all objects that count. Without a run id it is the run that began
    last.

    Raises AccountError or ResultsError.
    """
    if source.stack is not None and run_id is None:
        run_id = newest_run_id(source.stack)
    with source.manifests(*[run_id] if run_id else []) as directory:
        if run_id is None:
            run_id = _newest_in(directory)
        if source.stack is not None and run_id not in manifests(directory):
            _fetch_parts(source, source.stack, directory, run_id)
        of = rejections(directory, run_id)
        say_ignored(source.place, of.foreign_keys)
        keys = of.keys if each is None else of.keys_with(each)
        source.also(directory, [layout.quarantine_prefix(run_id)], wanted={*keys}.__contains__)
        yield directory, of


def _newest_in(out: Path) -> str:
    runs = runs_in(out, [])
    if not runs:
        raise ResultsError(
            f"{out} has no run that has a plan, so nothing was read and nothing rejected: it must "
            "be where an `ops run` or `ops demo` has left its results, or a copy of the bucket"
        )
    return runs[0].run_id


def _fetch_parts(source: Source, stack: Stack, directory: Path, run_id: str) -> None:
    """Fetches the plan, and the parts that have rejected trips: their objects in the quarantine are
    named after them (``segment=00007/part-00003-<digest>.jsonl``)."""
    quarantined = newest_first(stack, layout.quarantine_prefix(run_id))
    places = filter(None, map(layout.quarantined_part, quarantined))
    parts = {layout.part_key(run_id, place.segment, place.part) for place in places}
    wanted = {layout.plan_key(run_id), *parts}
    source.also(directory, [layout.staging_prefix(run_id)], wanted=wanted.__contains__)
