"""The append-only log of every segment: parts, each written once."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.concurrency import in_order
from trip_kpis.core import layout
from trip_kpis.core.errors import (
    BrokenChainError,
    CorruptPartError,
    ForeignPartError,
    NoProgressError,
    TooManyPartsError,
)
from trip_kpis.core.log.part_builder import PartBuilder, Position
from trip_kpis.core.log.partials import PartialColumns
from trip_kpis.core.log.parts import PartHeader, decode, encode
from trip_kpis.core.run.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Appender:
    """The invocation that appends, as the part's header records it."""

    invocation: str
    memory_mb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredPart:
    """A part as it was read: its key names its position, and its bytes match their checksum."""

    key: str
    place: layout.Place
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentLog:
    """The log of one run's segments. Every method raises what `aws_call` raises besides its own."""

    bucket: Bucket
    plan: Plan

    def end(self, segment: int) -> Position:
        """Returns the end of the segment's log, from which a worker resumes.

        Raises:
            BrokenChainError: a part is missing on the way.
            ForeignPartError: the last part was written for another plan.
            CorruptPartError: the last part is damaged.
            TooManyPartsError: the log is unfinished and has no number for another part.
        """
        keys = list(self.bucket.keys(layout.parts_prefix(self.plan.run_id, segment)))
        if not keys:
            return Position()
        if keys != [self._key(segment, part) for part in range(len(keys))]:
            raise BrokenChainError(
                f"the log of segment {segment} of run {self.plan.run_id} has a gap or something "
                f"foreign in it, it ends with {', '.join(keys[-3:])}: start a new run, and look at "
                "who may write to staging/"
            )
        header, _ = self._decoded(self._stored(keys[-1]), PartialColumns(self.plan.definition))
        if header.plan_sha256 != self.plan.sha256:
            raise ForeignPartError(
                f"{keys[-1]} was written for another plan of run {self.plan.run_id} than its "
                "plan.json is now: start a new run, and find out who may write to staging/"
            )
        position = Position(next_part=len(keys), start=header.end, finished=header.end is None)
        self.check_room(segment, position)
        return position

    def check_room(self, segment: int, position: Position) -> None:
        """Raises TooManyPartsError if another part would have a number of six digits."""
        if position.next_part > layout.LAST_PART and not position.finished:
            raise TooManyPartsError(
                f"segment {segment} of run {self.plan.run_id} has {position.next_part:,} parts, as "
                "many as a segment can have, and is not at its end. A worker appends early when it "
                "holds many rejected trips: look at them under quarantine/ first. Then start a new "
                "run with more segments (total_segments) and a longer CheckpointSeconds"
            )

    def append(
        self, segment: int, builder: PartBuilder, appender: Appender, *, worker_ms: int
    ) -> bool:
        """Writes the rejected trips to the quarantine, then appends what was built as a part.

        Returns:
            False where another worker has appended that part: what was built is then discarded,
            and the caller resumes at the log's end.
        """
        header = PartHeader(
            plan_sha256=self.plan.sha256,
            segment=segment,
            part=builder.position.next_part,
            start=builder.position.start,
            end=builder.end,
            counts=builder.counts,
            quarantine_key=self._put_rejected(segment, builder),
            invocation=appender.invocation,
            worker_ms=worker_ms,
            memory_mb=appender.memory_mb,
        )
        body = encode(header, builder.partials.table())
        return self.bucket.put_new(
            self._key(segment, header.part),
            body,
            content_type="application/vnd.apache.parquet",
            metadata={"sha256": hashlib.sha256(body).hexdigest()},
        )

    def record_no_progress(self, segment: int, position: Position, appender: Appender) -> None:
        """Records that an invocation ran out of time before it had a page after `position`.

        Raises NoProgressError where another one has noted the same before: two in a row.
        """
        key = layout.no_progress_key(self.plan.run_id, segment, position.next_part)
        note = json.dumps({"invocation": appender.invocation}).encode()
        if self.bucket.put_new(key, note, content_type="application/json"):
            return
        noted = self.bucket.get(key)
        if noted is None or noted.body != note:
            raise NoProgressError(
                f"segment {segment} of run {self.plan.run_id}: two invocations in a row ran out of "
                f"time before they had a single page to append as part {position.next_part}. Give "
                "ScanSegment more memory (ScanMemory), see whether the table is throttled, then "
                "resume the run"
            )

    def parts(self) -> Iterator[tuple[PartHeader, pa.Table]]:
        """Yields every part of the run, in the order of their keys.

        Several threads fetch them, and the caller's decodes them: that takes less of the processor
        than decoding in theirs.

        Raises:
            ForeignPartError: an object is no part, or not the one that its key names.
            CorruptPartError: a part is damaged.
            BrokenChainError: a part was listed and is gone.
        """
        keys = self.bucket.keys(layout.parts_prefix(self.plan.run_id))
        columns = PartialColumns(self.plan.definition)
        for stored in in_order(self._stored, keys):
            yield self._decoded(stored, columns)

    def _stored(self, key: str) -> _StoredPart:
        """Reads the part with this key.

        Raises ForeignPartError for a key that is no part's, BrokenChainError where there is
        nothing, and CorruptPartError for other bytes than were written.
        """
        place = layout.part_at(key)
        if place is None:
            raise ForeignPartError(
                f"{key} is no part of a segment: remove it, and find out who may write to staging/"
            )
        stored = self.bucket.get(key)
        if stored is None:
            raise BrokenChainError(
                f"{key} was listed and is gone: start a new run, and find out who may delete in "
                "staging/"
            )
        if stored.metadata.get("sha256") != hashlib.sha256(stored.body).hexdigest():
            raise CorruptPartError(
                f"the part {key} is damaged: its bytes are not those that were written (sha256). "
                "Start a new run, and find out who may write to staging/"
            )
        return _StoredPart(key=key, place=place, body=stored.body)

    def _decoded(self, stored: _StoredPart, columns: PartialColumns) -> tuple[PartHeader, pa.Table]:
        """Decodes a part."""
        header, table = decode(stored.body, key=stored.key, columns=columns)
        if (header.segment, header.part) != (stored.place.segment, stored.place.part):
            raise ForeignPartError(
                f"{stored.key} holds part {header.part} of segment {header.segment}: start a new "
                "run, and find out who may write to staging/"
            )
        return header, table

    def _put_rejected(self, segment: int, builder: PartBuilder) -> str | None:
        """Writes the builder's rejected trips, one JSON object per line; returns the object's key,
        or None if there are none.

        The key has a digest of the body: a builder that is read twice writes the same object
        twice, and a part that loses its race leaves one that no part refers to.
        """
        body = builder.quarantine
        if not body:
            return None
        digest = hashlib.sha256(body).hexdigest()[:16]
        part = builder.position.next_part
        key = layout.quarantine_key(self.plan.run_id, segment, part, digest=digest)
        self.bucket.put(key, body, content_type="application/jsonl")
        return key

    def _key(self, segment: int, part: int) -> str:
        return layout.part_key(self.plan.run_id, segment, part)
