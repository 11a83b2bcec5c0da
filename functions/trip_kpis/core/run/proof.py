"""Proves that the parts of every segment form a complete chain, and that the counts add up.

Nothing is published before `Chains.proof` has returned. It believes no status and no listing: it
follows each segment's parts from the segment's beginning to its end, each beginning where the one
before it ended.
"""

from dataclasses import dataclass, field

from trip_kpis.core.errors import (
    BrokenChainError,
    ForeignPartError,
    MissingSegmentError,
    PermanentError,
    UnbalancedCountsError,
)
from trip_kpis.core.items.pages import Cursor
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.log.parts import PartHeader
from trip_kpis.core.run.plan import Plan

_LISTED = 20
"""the most problems that one message names; the state machine shows only the beginning of a
message"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentProof:
    """A segment that was read from its beginning to its end, once."""

    segment: int
    parts: int
    invocations: int
    """distinct invocations that appended to it"""
    counts: Counts
    worker_ms: int
    gb_seconds: float
    quarantine_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Every segment of the plan, in order."""

    segments: tuple[SegmentProof, ...]

    @property
    def counts(self) -> Counts:
        return sum((segment.counts for segment in self.segments), Counts())


@dataclass(frozen=True, slots=True)
class _Problem:
    kind: type[PermanentError]
    what: str


_NEXT_STEPS: dict[type[PermanentError], str] = {
    ForeignPartError: "something has put parts where they do not belong: start a new run, and look "
    "at who may write to staging/",
    BrokenChainError: "something has removed or replaced parts: start a new run, and find out who "
    "may write to staging/",
    MissingSegmentError: "resume the run, to read the rest",
    UnbalancedCountsError: "the figures cannot be trusted and nothing was published: start a new "
    "run, and report this with the run's staging objects",
}
"""In order of what is named first: a foreign part explains a broken chain, not the reverse."""


class Chains:
    """The chains of a run's segments, built from the headers of their parts.

    Takes the headers in any order and keeps none of a chain that comes in order: what it holds
    grows with the segments, not with the parts.
    """

    def __init__(self, plan: Plan) -> None:
        self._run_id, self._plan_sha256 = plan.run_id, plan.sha256
        self._problems: list[_Problem] = []
        self._chains = [
            _Chain(segment=n, items=plan.items_of(n), problems=self._problems)
            for n in range(plan.total_segments)
        ]

    def add(self, header: PartHeader) -> None:
        """Adds the header of one more part."""
        if header.plan_sha256 != self._plan_sha256 or not 0 <= header.segment < len(self._chains):
            what = f"segment {header.segment} part {header.part} is of another plan"
            self._problems.append(_Problem(ForeignPartError, what))
        else:
            self._chains[header.segment].add(header)

    def proof(self) -> Proof:
        """Returns the proof that the parts are the whole table; must be called once, after the last
        part.

        Raises ForeignPartError, BrokenChainError, MissingSegmentError or UnbalancedCountsError;
        each lists every problem of its kind, up to 20.
        """
        for chain in self._chains:
            chain.end_of_headers()
        for kind, next_steps in _NEXT_STEPS.items():
            if found := [problem.what for problem in self._problems if problem.kind is kind]:
                more = f"; and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
                raise kind(f"run {self._run_id}: {'; '.join(found[:_LISTED])}{more}. {next_steps}")
        return Proof(segments=tuple(chain.proof for chain in self._chains))


@dataclass(slots=True, kw_only=True)
class _Chain:
    """The parts of a segment, as far as they follow one another from its beginning."""

    segment: int
    items: int | None
    """items that the segment must have; None: not known"""
    problems: list[_Problem]
    """the problems of all segments"""
    _parts: int = 0
    _end: Cursor | None = None
    """the cursor at which the next part must begin"""
    _early: dict[int, PartHeader] = field(default_factory=dict)
    """parts that came before the part that they follow"""
    _invocations: set[str] = field(default_factory=set)
    _counts: Counts = field(default_factory=Counts)
    _worker_ms: int = 0
    _gb_seconds: float = 0.0
    _quarantine_keys: list[str] = field(default_factory=list)

    def add(self, header: PartHeader) -> None:
        """Adds the part, and the parts that came early and follow it."""
        if header.part < self._parts or header.part in self._early:
            self._broken(f"has part {header.part} twice")
            return
        self._early[header.part] = header
        while (following := self._early.pop(self._parts, None)) is not None:
            self._take(following)

    def end_of_headers(self) -> None:
        """Records what is missing, because no more parts come."""
        if self._early:
            shown = ", ".join(map(str, sorted(self._early)[:_LISTED]))
            self._broken(f"lacks part {self._parts}, but has {shown}")
        elif self._parts == 0:
            self._note(MissingSegmentError, "has not been begun")
        elif self._end is not None:
            what = f"has not been read to its end ({self._parts} parts so far)"
            self._note(MissingSegmentError, what)
        elif self.items not in (None, self._counts.scanned):
            what = f"has {self.items} items, and {self._counts.scanned} were read"
            self._note(UnbalancedCountsError, what)

    @property
    def proof(self) -> SegmentProof:
        """Returns the proof of the segment; it is valid only if no problem was recorded."""
        return SegmentProof(
            segment=self.segment,
            parts=self._parts,
            invocations=len(self._invocations),
            counts=self._counts,
            worker_ms=self._worker_ms,
            gb_seconds=self._gb_seconds,
            quarantine_keys=tuple(self._quarantine_keys),
        )

    def _take(self, header: PartHeader) -> None:
        """Checks the next part against the end of the part before it, and adds up its counts."""
        part, counts = f"part {header.part}", header.counts
        if self._parts > 0 and self._end is None:
            self._broken(f"{part} comes after the segment's end")
        elif header.start != self._end:
            self._broken(
                f"{part} begins after {header.start}, but the one before it ends at {self._end}"
            )
        if not counts.balances:
            self._note(
                UnbalancedCountsError,
                f"{part}: scanned {counts.scanned}, but excluded {counts.excluded} + incomplete "
                f"{counts.incomplete} + rejected {counts.rejected_in_all} + counted "
                f"{counts.counted}",
            )
        self._parts += 1
        self._end = header.end
        self._invocations.add(header.invocation)
        self._counts += counts
        self._worker_ms += header.worker_ms
        self._gb_seconds += header.worker_ms / 1000 * header.memory_mb / 1024
        if header.quarantine_key is not None:
            self._quarantine_keys.append(header.quarantine_key)

    def _broken(self, what: str) -> None:
        self._note(BrokenChainError, what)

    def _note(self, kind: type[PermanentError], what: str) -> None:
        self.problems.append(_Problem(kind, f"segment {self.segment} {what}"))
