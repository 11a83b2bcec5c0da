"""The rejected trips of a run: how many for each reason, and the trips themselves."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from ops.runs.copied_files import file_of
from ops.runs.documents import read_document
from ops.runs.errors import ResultsError
from ops.runs.finished_run import FinishedRun, finished_run, manifests
from ops.runs.next_steps import runs_command
from ops.runs.staging_reader import staged_parts, staged_plans
from ops.runs.storage import Directory, Storage
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.layout import is_quarantine_of, quarantine_prefix

_MOST_OBJECTS = 20
_MOST_TIMES = 200
"""enough to see their form"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """The rejected trips in the same object or objects."""

    segment: int
    by_reason: Mapping[str, int]
    keys: tuple[str, ...]
    """keys of the objects: only these count. Other objects come from attempts that lost a race or
    died"""


@dataclass(frozen=True, kw_only=True)
class Rejections:
    """Everything that a run rejected, in the order of its segments."""

    run_id: str
    is_finished: bool
    """if false, this is what the run has rejected so far, and it may reject more"""
    completed: int
    """trips with both fares, rejected or counted"""
    quarantined: tuple[Quarantined, ...]
    foreign_keys: tuple[str, ...] = ()
    """objects that its documents name and that the run cannot have written: they are not read"""

    @cached_property
    def by_reason(self) -> Mapping[str, int]:
        """Returns the counts, the most frequent reason first."""
        sums: Counter[str] = Counter()
        for one in self.quarantined:
            sums.update(one.by_reason)
        return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))

    @property
    def in_all(self) -> int:
        return sum(self.by_reason.values())

    @property
    def keys(self) -> tuple[str, ...]:
        """Returns the keys of all objects."""
        return tuple(key for one in self.quarantined for key in one.keys)

    def keys_with(self, each: int) -> tuple[str, ...]:
        """Returns the keys of the first objects that certainly contain so many trips of each
        reason."""
        missing = dict.fromkeys(self.by_reason, each)
        wanted: list[str] = []
        for one in self.quarantined:
            if any(missing[reason] > 0 for reason in one.by_reason):
                wanted += one.keys
                for reason, trips in one.by_reason.items():
                    missing[reason] -= trips
        return tuple(wanted)


def rejections(out: Path, run_id: str) -> Rejections:
    """Reads the run's manifest, or its parts if it has none: a run that rejected too many trips
    stops before it is written. Raises ResultsError where there is no such run."""
    if run_id in manifests(out):
        return of_finished(finished_run(out, run_id))
    parts = sorted(
        (part.header for part in staged_parts(Directory(out), run_id)),
        key=lambda header: (header.segment, header.part),
    )
    if not parts and run_id not in staged_plans(Directory(out), run_id):
        raise ResultsError(
            f"{out} has no run {run_id} that has read anything: it has no manifest, as a finished "
            "run has, and nothing under staging/, where one that is not finished has its plan and "
            "its parts for StagingExpirationDays. To list the runs: "
            f"{runs_command(out)}"
        )
    return Rejections(
        run_id=run_id,
        is_finished=False,
        completed=sum(part.counts.counted + part.counts.rejected_in_all for part in parts),
        quarantined=tuple(
            Quarantined(
                segment=part.segment,
                by_reason={str(reason): n for reason, n in part.counts.rejected.items()},
                keys=(part.quarantine_key,)
                if is_quarantine_of(run_id, part.quarantine_key)
                else (),
            )
            for part in parts
            if part.quarantine_key is not None
        ),
        foreign_keys=tuple(
            part.quarantine_key
            for part in parts
            if part.quarantine_key and not is_quarantine_of(run_id, part.quarantine_key)
        ),
    )


def of_finished(run: FinishedRun) -> Rejections:
    return Rejections(
        run_id=run.run_id,
        is_finished=True,
        completed=run.counted + run.rejected_in_all,
        quarantined=tuple(
            Quarantined(
                segment=segment.segment,
                by_reason=segment.rejected_by_reason,
                keys=segment.quarantine_keys,
            )
            for segment in run.segments
            if segment.rejected
        ),
        foreign_keys=run.foreign_keys,
    )


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an object in the quarantine, as it is in the file."""

    key: dict[str, dict[str, str]]
    reason: str
    attribute: str
    value: Any


_LINE = msgspec.json.Decoder(_Line)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedTrip:
    """A rejected trip in the quarantine."""

    segment: int
    key: Mapping[str, Mapping[str, str]]
    """in DynamoDB JSON, as `attribute` and `value` are"""
    reason: str
    attribute: str
    value: Any

    @property
    def key_as_text(self) -> str:
        return ", ".join(str(value) for typed in self.key.values() for value in typed.values())

    @property
    def value_as_json(self) -> str:
        return json.dumps(self.value, ensure_ascii=False)


def rejected_trips(out: Path, quarantined: Iterable[Quarantined]) -> Iterator[QuarantinedTrip]:
    """Yields the trips whose objects are here. Raises ResultsError for an object that is
    damaged."""
    for one in quarantined:
        for key in one.keys:
            file = file_of(out, key)
            if file.is_file():
                with file.open("rb") as lines:
                    for number, body in enumerate(lines, start=1):
                        line = read_document(
                            body,
                            _LINE.decode,
                            name=f"{file}, line {number},",
                            kind="rejected trip",
                            advice="restore the file, or remove it to continue without its trips",
                        )
                        yield QuarantinedTrip(
                            segment=one.segment,
                            key=line.key,
                            reason=line.reason,
                            attribute=line.attribute,
                            value=line.value,
                        )


def unreadable_times(storage: Storage, run_id: str) -> tuple[str, ...]:
    """Returns some of the Strings that the run has rejected as times, from its first objects that
    have any; also of attempts that do not count. Without lines that cannot be read."""
    found: list[str] = []
    listed = storage.objects(quarantine_prefix(run_id))
    objects = (one for one in listed if is_quarantine_of(run_id, one.key))
    for one in islice(objects, _MOST_OBJECTS):
        for body in (storage.read(one.key) or b"").splitlines():
            with suppress(msgspec.DecodeError):
                line = msgspec.json.decode(body, type=_Line)
                text = line.value.get("S") if isinstance(line.value, dict) else None
                if line.reason == Reason.TIME_UNREADABLE and text and isinstance(text, str):
                    found.append(text)
            if len(found) == _MOST_TIMES:
                return tuple(found)
    return tuple(found)


def examples(out: Path, of: Rejections, *, each: int) -> dict[str, list[QuarantinedTrip]]:
    """Returns so many trips of each reason; fewer if the quarantine has expired."""
    found: dict[str, list[QuarantinedTrip]] = {reason: [] for reason in of.by_reason}
    missing = {reason: min(each, trips) for reason, trips in of.by_reason.items()}
    for trip in rejected_trips(out, of.quarantined):
        if not any(missing.values()):
            break
        if missing.get(trip.reason):
            found[trip.reason].append(trip)
            missing[trip.reason] -= 1
    return found
