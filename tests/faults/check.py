"""Watches a schedule for forbidden effects, at every write and at the end."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.faults.http_calls import Call
from tests.faults.machine import StoppedError
from tests.faults.runs import NAMED_ERRORS, Run
from tests.faults.store import Store, Stored
from tests.faults.waiting import Invocation, invocation_here
from trip_kpis.core.items.pages import Page

_AT_END = 10**9
_ENOUGH_WRONG = 20
"""A schedule with so many differences is stopped, because it might never end."""


@dataclass(slots=True, kw_only=True)
class Checker:
    """Collects the differences of a schedule in `wrong`; the list is empty if there are none."""

    store: Store
    removes_vanished_days: bool
    runs: dict[str, Run] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    _ends: dict[tuple[str, int], int] = field(default_factory=dict)
    """how far each log reaches, in items of its segment"""
    _began_at: dict[str, int] = field(default_factory=dict)
    """how far its log reached when an invocation began"""

    def __post_init__(self) -> None:
        self.store.watchers.append(self._watch_write)

    def watch_beginning(self, invocation: Invocation) -> None:
        """Raises StoppedError if there are enough differences."""
        if len(self.wrong) >= _ENOUGH_WRONG:
            raise StoppedError("enough is wrong")
        if invocation.function == "ScanSegment":
            where = invocation.payload["run_id"], invocation.payload["segment"]
            self._began_at[invocation.aws_request_id] = self._ends.get(where, 0)
        if invocation.function == "MergePartials":
            self.runs[invocation.payload["run_id"]].merge_began = True

    def watch_scan(self, invocation: Invocation, call: Call) -> None:
        """Checks that nothing is read that was appended when the invocation began."""
        run = self.runs[invocation.payload["run_id"]]
        run.pages += 1
        if run.reads_export:
            self.wrong.append(f"{run.run_id} reads an export, and scans the table")
        if run.is_recreated or run.reads_export:
            return
        request = json.loads(call.body)
        begins = run.table.place_after(
            request["Segment"], request["TotalSegments"], request.get("ExclusiveStartKey")
        )
        self._watch_reading(run, request["Segment"], begins, invocation)

    def watch_page(self, run_id: str, segment: int, page: Page) -> None:
        """Checks the same for a page of an export."""
        run = self.runs[run_id]
        run.pages += 1
        total = self._segments(run)
        ends = run.read.size(segment, total)
        if page.end is not None:
            ends = run.read.place_after(segment, total, page.end)
        self._watch_reading(run, segment, ends - page.scanned, invocation_here())

    def _watch_reading(self, run: Run, segment: int, begins: int, invocation: Invocation) -> None:
        if begins < self._began_at[invocation.aws_request_id]:
            self.wrong.append(
                f"segment {segment} of {run.run_id} is read from item {begins} on "
                f"though {self._began_at[invocation.aws_request_id]} were appended"
            )

    def failed(self, run: Run, error: str, said: str) -> None:
        """Records that an execution of the run has failed with this error."""
        if run.is_recreated and error == "PlanMismatchError":
            return
        if error not in NAMED_ERRORS | run.may_fail_with:
            self.wrong.append(f"faults alone made a run fail with {said}")

    def not_finished(self, run: Run, published_before: dict[str, bytes]) -> None:
        """Checks, after an execution has failed or was stopped before the merge, that nothing is
        published."""
        if run.merge_began:
            return
        if self.store.below("kpis/") != published_before:
            self.wrong.append(f"{run.run_id} failed before it merged, and kpis/ is not as it was")
        if f"runs/run={run.run_id}/manifest.json" in self.store.objects:
            self.wrong.append(f"{run.run_id} failed before it merged, and has a manifest")

    def finished(self, run: Run, summary: dict[str, Any]) -> None:
        """Checks an execution that has succeeded."""
        run.is_finished = True
        if run.is_recreated:
            self.wrong.append(f"{run.run_id} has finished over two tables")
        if run.must_fail:
            self.wrong.append(f"{run.run_id} has finished over a damaged export")
        counts = summary["scanned"], summary["incomplete"], summary["counted"]
        if counts != (run.truth.scanned, run.truth.incomplete, run.truth.counted):
            self.wrong.append(f"the summary of {run.run_id} counts {counts}, not as the truth")

    def in_the_end(self) -> None:
        """Checks the bucket after everything that ran has finished."""
        for run in self.runs.values():
            # The checker has not kept the table that was there before.
            if self._has_published(run) and not run.is_recreated:
                self.wrong += self._wrong_in_manifest(run)
        published, wanted = self.store.below("kpis/"), self._wanted()
        for key in sorted(published.keys() | wanted.keys()):
            there = published.get(key)
            if there != wanted.get(key) and not self._may_be_left(key, there):
                self.wrong.append(f"{key} is {there!r}, not {wanted.get(key)!r}")

    def _wanted(self) -> dict[str, bytes]:
        """Returns the expected days: those of the newer run overwrite those of the older run."""
        published = [run for run in self.runs.values() if self._has_published(run)]
        published.sort(key=lambda run: self._as_of(run.run_id))
        if self.removes_vanished_days:
            published = published[-1:]
        wanted: dict[str, bytes] = {}
        for run in published:
            wanted |= run.objects
        return wanted

    def _has_published(self, run: Run) -> bool:
        """Returns whether the run is complete, even if its execution was stopped after that."""
        return run.is_finished or f"runs/run={run.run_id}/manifest.json" in self.store.objects

    def _may_be_left(self, key: str, there: bytes | None) -> bool:
        """Returns whether a run has left this day that was stopped while it published, and could
        not be resumed: unless a later run has decided on the day."""
        decided = [
            self._as_of(run.run_id)
            for run in self.runs.values()
            if self._has_published(run) and (self.removes_vanished_days or key in run.objects)
        ]
        return there is not None and any(
            run.merge_began
            and not self._has_published(run)
            and run.objects.get(key) == there
            and self._as_of(run.run_id) > max(decided, default="")
            for run in self.runs.values()
        )

    def _as_of(self, run_id: str) -> str:
        run, plan = self.runs[run_id], self._staged(run_id, "plan.json")
        if run.reads_export:
            return run.export.as_of if run.export else ""
        return str(json.loads(plan)["planned_at"]) if plan else ""

    def _staged(self, run_id: str, name: str) -> bytes | None:
        stored = self.store.objects.get(f"staging/run={run_id}/{name}")
        return stored.body if stored else None

    def _segments(self, run: Run) -> int:
        """Returns how many segments the run has; 0: not known yet."""
        if run.reads_export:
            return len(run.export.segments) if run.export else 0
        plan = self._staged(run.run_id, "plan.json")
        return int(json.loads(plan)["total_segments"]) if plan else 0

    def _wrong_in_manifest(self, run: Run) -> Iterator[str]:
        stored = self.store.objects.get(f"runs/run={run.run_id}/manifest.json")
        if stored is None:
            yield f"{run.run_id} has finished and has no manifest"
            return
        document = json.loads(stored.body)
        run.pages_in_chain = document["pages"]
        segments, truth = document["by_segment"], run.truth
        if len(segments) != self._segments(run):
            yield f"{run.run_id} has {self._segments(run)} segments, its manifest {len(segments)}"
            return
        for number, segment in enumerate(segments):
            rejected = sum(segment["rejected"].values())
            if segment["scanned"] != segment["incomplete"] + rejected + segment["counted"]:
                yield f"segment {number} of {run.run_id} does not balance: {segment}"
            if segment["scanned"] != run.read.size(number, len(segments)):
                yield f"segment {number} of {run.run_id} scanned {segment['scanned']}"
        counts = document["scanned"], document["incomplete"], document["counted"]
        if counts != (truth.scanned, truth.incomplete, truth.counted):
            yield f"the manifest of {run.run_id} counts {counts}, not as the truth"
        if datetime.fromisoformat(document["as_of"]) != datetime.fromisoformat(
            self._as_of(run.run_id)
        ):
            yield f"the manifest of {run.run_id} is as of {document['as_of']}"
        if document["rejected"] != dict(Counter(truth.rejected.values())):
            yield f"the manifest of {run.run_id} counts as rejected {document['rejected']}"
        lines = [
            json.loads(line)
            for segment in segments
            for key in segment["quarantine_keys"]
            for line in self.store.objects[key].body.splitlines()
        ]
        quarantined = sorted((line["key"]["trip_id"]["S"], line["reason"]) for line in lines)
        if quarantined != sorted(truth.rejected.items()):
            yield f"the quarantine of {run.run_id} holds {quarantined}"

    def _watch_write(self, key: str, before: Stored | None, after: Stored | None) -> None:
        if key.startswith("kpis/"):
            self.wrong += self._wrong_in_kpis(key, before, after)
        elif key.startswith("staging/") and before is not None:
            self.wrong.append(f"{key} was written once, and again")
        elif key.endswith("/export.json") and after is not None:
            self._frozen(self.runs[_run_id(key)], json.loads(after.body))
        elif "/segment=" in key and key.endswith(".parquet") and after is not None:
            self._appended(self.runs[_run_id(key)], after.body)
        elif key.startswith("runs/") and after is not None:
            self.wrong += self._wrong_when_proved(key, after)

    def _wrong_in_kpis(
        self, key: str, before: Stored | None, after: Stored | None
    ) -> Iterator[str]:
        """Checks every write of a day: no wrong byte at any moment, and nothing older over anything
        newer."""
        if after is None:
            if not self.removes_vanished_days:
                yield f"{key} was removed"
            return
        run = self.runs[after.metadata["run-id"]]
        if run.is_recreated:
            yield f"{run.run_id} wrote {key} after its table was created again"
        if not self._is_read_to_its_end(run):
            yield f"{run.run_id} wrote {key} before it had read every segment to its end"
        if run.objects.get(key) != after.body:
            yield f"{run.run_id} wrote {after.body!r} to {key}, not {run.objects.get(key)!r}"
        if after.metadata["as-of"] != self._as_of(run.run_id):
            yield f"{run.run_id} wrote {key} as of {after.metadata['as-of']}"
        if before is not None and before.metadata["as-of"] > after.metadata["as-of"]:
            yield f"{run.run_id} wrote over a newer {key}"

    def _wrong_when_proved(self, key: str, manifest: Stored) -> Iterator[str]:
        """The manifest comes last: every day that it names is there, unless a later run has been
        by meanwhile."""
        as_of = manifest.metadata["as-of"]
        removed = self.removes_vanished_days and as_of < max(map(self._as_of, self.runs))
        for day in json.loads(manifest.body)["days"]:
            there = self.store.objects.get(f"kpis/date={day['date']}/kpi.json")
            if day["sha256"] is None or (there is None and removed):
                continue
            if there is None:
                yield f"{key} names {day['date']}, which is not there"
            elif hashlib.sha256(there.body).hexdigest() != day["sha256"] and (
                there.metadata["as-of"] <= as_of
            ):
                yield f"{key} names {day}, but there is {there.body!r}"

    def _is_read_to_its_end(self, run: Run) -> bool:
        segments = self._segments(run)
        return segments > 0 and all(
            self._ends.get((run.run_id, number)) == _AT_END for number in range(segments)
        )

    def _frozen(self, run: Run, document: dict[str, Any]) -> None:
        """Checks that the run reads the export that it began with, or that it was asked to read,
        and all of it."""
        if run.export is None or document["export_arn"] != run.export.arn:
            self.wrong.append(f"{run.run_id} has frozen another export, {document['export_arn']}")
        else:
            self.wrong += run.export.freeze(document)

    def _appended(self, run: Run, body: bytes) -> None:
        """Checks that a part has exactly the items between its cursors."""
        metadata = pq.read_schema(pa.BufferReader(body)).metadata
        header = json.loads(metadata[b"trip_kpis"])
        total, number = self._segments(run), header["segment"]
        if run.is_recreated or total == 0:
            return
        begins = run.read.place_after(number, total, header["start"])
        ends = run.read.size(number, total)
        if header["end"] is not None:
            ends = run.read.place_after(number, total, header["end"])
        if header["tally"]["scanned"] != ends - begins:
            self.wrong.append(
                f"part {header['part']} of segment {number} of {run.run_id} has "
                f"{header['tally']['scanned']} items, and between its cursors are {ends - begins}"
            )
        self._ends[run.run_id, number] = _AT_END if header["end"] is None else ends


def _run_id(key: str) -> str:
    """Returns the id of the run that writes such a key."""
    return key.partition("/run=")[2].partition("/")[0]
