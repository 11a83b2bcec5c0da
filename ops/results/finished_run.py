"""A finished run, as its manifest tells of it."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from ops.figures import plain
from ops.results.errors import ResultsError
from ops.results.run_day import RunDay
from ops.way_out import ops_command


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What the run read in one segment."""

    segment: int
    parts: int
    invocations: int
    pages: int
    scanned: int
    incomplete: int
    rejected: int
    rejected_by_reason: Mapping[str, int]
    counted: int
    read_units: str
    throttles: int
    worker_ms: int
    quarantine_keys: tuple[str, ...]

    @property
    def balances(self) -> bool:
        return self.scanned == self.incomplete + self.rejected + self.counted

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            **{name: int(document[name]) for name in _COUNTS},
            rejected=sum(document["rejected"].values()),
            rejected_by_reason=dict(document["rejected"]),
            throttles=sum(document["throttles"].values()),
            read_units=plain(str(document["read_units"])),
            quarantine_keys=tuple(document["quarantine_keys"]),
        )


_COUNTS = (
    "segment", "parts", "invocations", "pages", "scanned", "incomplete", "counted", "worker_ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """Numbers that are no counts are text, as the manifest has them."""

    run_id: str
    planned_at: datetime
    finished_at: datetime
    seconds: str
    table_arn: str
    table_id: str
    code_version: str
    total_fare: str
    scanned: int
    incomplete: int
    rejected: Mapping[str, int]
    counted: int
    read_units: str
    throttles: Mapping[str, int]
    cost_usd: Mapping[str, str]
    days: tuple[RunDay, ...]
    segments: tuple[Segment, ...]
    warnings: tuple[str, ...] = ()
    """sentences; none in manifests of an earlier version"""

    @property
    def parts(self) -> int:
        return sum(segment.parts for segment in self.segments)

    @property
    def rejected_in_all(self) -> int:
        return sum(self.rejected.values())

    @property
    def balances(self) -> bool:
        """scanned = incomplete + rejected + counted, here and in every segment"""
        return self.scanned == self.incomplete + self.rejected_in_all + self.counted and all(
            segment.balances for segment in self.segments
        )

    @property
    def has_figures(self) -> bool:
        """Of each of its days. Manifests of an earlier version have none."""
        of_days = (day.figures.trip_count for day in self.days if day.figures)
        return sum(of_days) == self.counted

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Raises KeyError, TypeError or ValueError for what is no manifest of this version's."""
        document = json.loads(body, parse_float=str)
        return cls(
            run_id=document["run_id"],
            planned_at=_moment(document["planned_at"]),
            finished_at=_moment(document["finished_at"]),
            seconds=str(document["seconds"]),
            table_arn=document["table_arn"],
            table_id=document["table_id"],
            code_version=document["code_version"],
            total_fare=document["total_fare"],
            scanned=int(document["scanned"]),
            incomplete=int(document["incomplete"]),
            rejected=dict(document["rejected"]),
            counted=int(document["counted"]),
            read_units=plain(str(document["read_units"])),
            throttles=dict(document["throttles"]),
            cost_usd={what: plain(str(usd)) for what, usd in document["cost_usd"].items()},
            days=tuple(map(RunDay.from_json, document["days"])),
            segments=tuple(map(Segment.from_json, document["by_segment"])),
            warnings=tuple(map(str, document.get("warnings", ()))),
        )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} does not say in which time zone it is")
    return moment


def manifests(out: Path) -> dict[str, Path]:
    """Of the finished runs of `out`, by their ids."""
    files = sorted((out / "runs").glob("run=*/manifest.json"))
    return {file.parent.name.removeprefix("run="): file for file in files}


def finished_run(out: Path, run_id: str | None) -> FinishedRun:
    """The run of `out` with that id, or the one that finished last.

    Raises ResultsError if there is none, or its manifest cannot be read.
    """
    finished = manifests(out)
    if run_id in finished:
        return read_manifest(finished[run_id])
    if run_id is not None:
        there = f"there are {', '.join(finished)}" if finished else "there is none of that name"
        raise ResultsError(
            f"{out} has no finished run {run_id}: {there}. How it stands, if it was begun, says: "
            f"{ops_command('status', run_id, out)}"
        )
    if finished:
        return max(map(read_manifest, finished.values()), key=lambda run: run.finished_at)
    raise ResultsError(
        f"{out} has no finished run (there is no manifest under {out / 'runs'}). Which runs there "
        "are, and how to go on with one that failed, says: python -m ops runs --out "
        f"{shlex.quote(str(out))}"
    )


def read_manifest(manifest: Path) -> FinishedRun:
    """Raises ResultsError."""
    try:
        return FinishedRun.from_bytes(manifest.read_bytes())
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ResultsError(
            f"{manifest} is no manifest that this version can read ({error!r}): put it back as it "
            "was, or take the version that wrote it"
        ) from error
