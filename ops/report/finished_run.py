"""A finished run, as its manifest tells of it."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from ops.report.figures import plain
from ops.way_out import rerun_command


class ReportError(Exception):
    """There is nothing to report on, or it cannot be read. The message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDay:
    """What became of a day in the run."""

    date: str
    outcome: str
    sha256: str | None
    """of the day's kpi.json, where it is the run's"""


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

    @property
    def rejected_in_all(self) -> int:
        return sum(self.rejected.values())

    @property
    def balances(self) -> bool:
        """scanned = incomplete + rejected + counted, here and in every segment"""
        return self.scanned == self.incomplete + self.rejected_in_all + self.counted and all(
            segment.balances for segment in self.segments
        )

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Raises KeyError, TypeError or ValueError for what is no manifest of this version's."""
        document = json.loads(body, parse_float=str)
        return cls(
            run_id=document["run_id"],
            planned_at=datetime.fromisoformat(document["planned_at"]),
            finished_at=datetime.fromisoformat(document["finished_at"]),
            seconds=str(document["seconds"]),
            table_arn=document["table_arn"],
            code_version=document["code_version"],
            total_fare=document["total_fare"],
            scanned=int(document["scanned"]),
            incomplete=int(document["incomplete"]),
            rejected=dict(document["rejected"]),
            counted=int(document["counted"]),
            read_units=plain(str(document["read_units"])),
            throttles=dict(document["throttles"]),
            cost_usd={what: plain(str(usd)) for what, usd in document["cost_usd"].items()},
            days=tuple(
                RunDay(date=day["date"], outcome=day["outcome"], sha256=day["sha256"])
                for day in document["days"]
            ),
            segments=tuple(map(Segment.from_json, document["by_segment"])),
        )


def manifests(out: Path) -> dict[str, Path]:
    """Of the finished runs of `out`, by their ids."""
    files = sorted((out / "runs").glob("run=*/manifest.json"))
    return {file.parent.name.removeprefix("run="): file for file in files}


def finished_run(out: Path, run_id: str | None) -> FinishedRun:
    """The run of `out` with that id, or the one that finished last.

    Raises ReportError if there is none, or its manifest cannot be read.
    """
    finished = manifests(out)
    if not finished:
        raise ReportError(
            f"{out} has no finished run (none under {out / 'runs'}): --out must be the directory "
            "of an `ops run` or `ops demo`. One that failed is gone on with first: "
            f"python -m ops rerun --out {shlex.quote(str(out))}"
        )
    if run_id is None:
        return max(map(_read, finished.values()), key=lambda run: run.finished_at)
    if run_id not in finished:
        raise ReportError(
            f"{out} has no finished run {run_id}: there are {', '.join(finished)}. If it failed, "
            f"go on with it first: {rerun_command(run_id, out)}"
        )
    return _read(finished[run_id])


def _read(manifest: Path) -> FinishedRun:
    try:
        return FinishedRun.from_bytes(manifest.read_bytes())
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ReportError(
            f"{manifest} is no manifest that this version can read ({error!r}): put it back as it "
            "was, or have the report written by the version that wrote it"
        ) from error
