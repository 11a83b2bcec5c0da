"""Is the chain of every segment whole, and do the counts balance?

Nothing is published before `prove` has returned. It believes no status and no listing: it follows
each segment's parts from the segment's beginning to its end, each beginning where the one before
it ended.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trip_kpis.core.errors import (
    BrokenChainError,
    ForeignPartError,
    MissingSegmentError,
    PermanentError,
    UnbalancedCountsError,
)
from trip_kpis.core.parts import PartHeader
from trip_kpis.core.plan import Plan
from trip_kpis.core.tallies import Tally

_LISTED = 20
"""problems that one message names; the state machine shows the beginning of a message only"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentProof:
    """A segment that was read from its beginning to its end, once."""

    segment: int
    parts: int
    invocations: int
    """distinct invocations that appended to it"""
    tally: Tally
    worker_ms: int
    gb_seconds: float
    quarantine_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Every segment of the plan, in order."""

    segments: tuple[SegmentProof, ...]

    @property
    def tally(self) -> Tally:
        return sum((segment.tally for segment in self.segments), Tally())


@dataclass(frozen=True, slots=True)
class _Problem:
    kind: type[PermanentError]
    what: str


_WAY_OUT: dict[type[PermanentError], str] = {
    ForeignPartError: "something has put parts where they do not belong: start a new run, and look "
    "at who may write to staging/",
    BrokenChainError: "something has removed or replaced parts: start a new run, and look at who "
    "may write to staging/",
    MissingSegmentError: "redrive the execution, or start a new one with this run_id, to read the "
    "rest",
    UnbalancedCountsError: "the figures cannot be trusted and nothing was published: start a new "
    "run, and report this with the run's staging objects",
}
"""In order of what is named first: a foreign part explains a broken chain, not the reverse."""


def prove(plan: Plan, headers: Iterable[PartHeader]) -> Proof:
    """The proof that the parts with these headers, in any order, are the whole table.

    Raises ForeignPartError, BrokenChainError, MissingSegmentError or UnbalancedCountsError; each
    lists every problem of its kind, up to 20.
    """
    chains: dict[int, list[PartHeader]] = {n: [] for n in range(plan.total_segments)}
    problems: list[_Problem] = []
    for header in headers:
        if header.plan_sha256 != plan.sha256 or header.segment not in chains:
            problems.append(
                _Problem(
                    ForeignPartError,
                    f"segment {header.segment} part {header.part} is of another plan",
                )
            )
        else:
            chains[header.segment].append(header)
    for segment, chain in chains.items():
        chain.sort(key=lambda header: header.part)
        problems.extend(_problems(segment, chain))
    for kind, way_out in _WAY_OUT.items():
        if found := [problem.what for problem in problems if problem.kind is kind]:
            more = f"; and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
            raise kind(f"run {plan.run_id}: {'; '.join(found[:_LISTED])}{more}. {way_out}")
    return Proof(segments=tuple(_segment_proof(n, chain) for n, chain in chains.items()))


def _problems(segment: int, chain: Sequence[PartHeader]) -> Iterable[_Problem]:
    numbers = [header.part for header in chain]
    if numbers != list(range(len(chain))):
        yield _Problem(BrokenChainError, f"segment {segment} has the parts {_listed(numbers)}")
        return
    end = None
    for header in chain:
        if header.part > 0 and end is None:
            yield _Problem(
                BrokenChainError,
                f"segment {segment} part {header.part} comes after the segment's end",
            )
        elif header.start_key != end:
            yield _Problem(
                BrokenChainError,
                f"segment {segment} part {header.part} begins after {header.start_key}, "
                f"but the one before it ends at {end}",
            )
        if not header.tally.balances:
            tally = header.tally
            yield _Problem(
                UnbalancedCountsError,
                f"segment {segment} part {header.part}: scanned {tally.scanned}, but incomplete "
                f"{tally.incomplete} + rejected {tally.rejected_in_all} + counted {tally.counted}",
            )
        end = header.end_key
    if not chain:
        yield _Problem(MissingSegmentError, f"segment {segment} has not been begun")
    elif end is not None:
        yield _Problem(
            MissingSegmentError,
            f"segment {segment} has not been read to its end ({len(chain)} parts so far)",
        )


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_LISTED]))
    return f"{shown}, …" if len(numbers) > _LISTED else shown


def _segment_proof(segment: int, chain: Sequence[PartHeader]) -> SegmentProof:
    return SegmentProof(
        segment=segment,
        parts=len(chain),
        invocations=len({header.invocation for header in chain}),
        tally=sum((header.tally for header in chain), Tally()),
        worker_ms=sum(header.worker_ms for header in chain),
        gb_seconds=sum(header.worker_ms / 1000 * header.memory_mb / 1024 for header in chain),
        quarantine_keys=tuple(h.quarantine_key for h in chain if h.quarantine_key is not None),
    )
