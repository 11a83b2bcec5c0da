"""What a run has left under staging/: as files, in a copy of the bucket, or as objects of the state
of a run on this machine."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ops.embedded.objects_on_disk import ObjectOnDisk
from ops.local.state_directory import StateDirectory
from ops.runs.layout import is_known, is_run_id
from trip_kpis.core.errors import CorruptPartError
from trip_kpis.core.log.parts import PartHeader, decode


@dataclass(frozen=True, slots=True)
class StagedPart:
    """A part of a segment's log, and when it was appended."""

    header: PartHeader
    appended_at: datetime


def staged_parts(out: Path, run_id: str) -> Iterator[StagedPart]:
    """In any order. Without those that are damaged, which are the run's own to complain of."""
    if not is_run_id(run_id):
        return
    for key, body, written_at in _staged(out, f"run={run_id}/segment=*/part-*.parquet"):
        with suppress(CorruptPartError):
            header, _ = decode(body, key=key)
            yield StagedPart(header, written_at)


def staged_plans(out: Path, run_id: str | None = None) -> dict[str, Mapping[str, Any]]:
    """Of one run, or of all, by their ids: what their plan.json says, whichever version wrote it.

    Without those that are damaged.
    """
    found: dict[str, Mapping[str, Any]] = {}
    if run_id is not None and not is_run_id(run_id):
        return found
    for key, body, _ in _staged(out, f"run={run_id or '*'}/plan.json"):
        with suppress(ValueError):
            plan = json.loads(body)
            if isinstance(plan, dict):
                found[key.split("/")[1].removeprefix("run=")] = plan
    return found


def _staged(out: Path, form: str) -> Iterator[tuple[str, bytes, datetime]]:
    """Key, body and time of writing. A copy of the bucket has them as files, and `aws s3 sync`
    gives these the objects' times."""
    copied = {str(file.relative_to(out)): file for file in sorted((out / "staging").glob(form))}
    for key, file in copied.items():
        if is_known(key) and file.is_file():
            written_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
            yield key, file.read_bytes(), written_at
    if not copied:
        for kept in sorted(StateDirectory(out).objects_path.glob("*/staging*.object")):
            with suppress(KeyError, TypeError, ValueError):
                stored = ObjectOnDisk.from_bytes(kept.read_bytes())
                if is_known(stored.key) and fnmatchcase(stored.key, f"staging/{form}"):
                    yield stored.key, stored.body, stored.last_modified.replace(tzinfo=UTC)
