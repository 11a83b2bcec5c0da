"""A run that is broken off once a segment is done, and resumed, and one over an export of the same
table: what is seen from outside.

Everything goes through the APIs of AWS. How a run is resumed is handed in: by Redrive in an
account, by a new execution with the run's id where nothing can redrive.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.local.bucket_tree import mirror
from ops.local.demo import differing_days
from ops.local.made_up_trips import make_up_month
from ops.runs.storage import Bucket
from tests.day_rows import COLUMNS
from tests.deployed.athena import Figures, differing, published_figures
from tests.deployed.made_here import executions_over, objects_removed, table_of
from tests.deployed.stack import Clients, DeployedStack
from tests.deployed.waiting import A_SEGMENT_DONE, EXECUTION_ENDED, MAP_RUN_BEGUN, Patience
from trip_kpis.core.log.parts import decode

SEGMENTS = 40
"""One after the other, so that there is time to break the run off before the last."""
MONTH = make_up_month(trips=1_000)
"""of which so few are broken that the stack's default MaxRejectedShare lets them pass"""

GoOn = Callable[[str, str], str]
"""resumes the run of this broken-off execution and this run id; the ARN that now runs"""

ReadDays = Callable[[], Mapping[str, Figures]]
"""reads what is published, with a reader of tables; its figures by the name of the table"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An object of a segment's log; two of them are equal if it was not written again."""

    segment: int
    is_last: bool
    """the segment ends with it"""
    etag: str
    written_at: str


Log = Mapping[str, Part]
"""by object key"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Of the two executions, and of what they left."""

    statuses: tuple[str, str]
    cause: str
    """why the second failed, if it did"""
    broken_off: Log
    in_the_end: Log
    published_before: int
    """objects under kpis/ after the first"""
    summary: Mapping[str, Any]
    wrong_days: list[str]
    unproved_days: list[str]
    """whose object is not the one that the manifest names"""
    misread_days: Mapping[str, list[str]]
    """by table, those of which a reader of tables gives other figures than the objects have"""
    exported: Mapping[str, Any]
    """the summary of a run over an export; empty, if it failed"""


def broken_off_and_resumed(
    clients: Clients,
    stack: DeployedStack,
    go_on: GoOn,
    *,
    read_days: ReadDays = dict,
    run_id: str,
    out: Path,
    patience: Patience,
) -> Seen:
    """Leaves in `out` what was published, and nothing in the account."""
    states, s3 = clients("stepfunctions"), clients("s3")
    bucket = stack.bucket_name
    made = (f"staging/run={run_id}/", f"quarantine/run={run_id}/", f"runs/run={run_id}/", "kpis/")
    of_export = f"{run_id}-export"
    made += ("athena/", *(f"{top}/run={of_export}/" for top in ("staging", "runs", "exports")))
    made += (f"quarantine/run={of_export}/",)
    with ExitStack() as cleanup:
        cleanup.enter_context(
            table_of(clients("dynamodb"), stack.table_name, MONTH.trips, patience)
        )
        cleanup.enter_context(objects_removed(s3, bucket, made))
        executions = cleanup.enter_context(executions_over(states, patience))
        first = states.start_execution(
            stateMachineArn=stack.state_machine_arn,
            name=run_id,
            input=json.dumps({"total_segments": SEGMENTS, "max_concurrency": 1}),
        )["executionArn"]
        executions.append(first)
        _break_off(states, first, patience)
        status = states.describe_execution(executionArn=first)["status"]
        broken_off, published = _log(s3, bucket, run_id), [*_keys(s3, bucket, "kpis/")]
        second = go_on(first, run_id)
        executions.append(second)
        EXECUTION_ENDED.wait(states, patience, executionArn=second)
        ended = states.describe_execution(executionArn=second)
        mirror(Bucket(s3, bucket), out)
        published_days = published_figures(out)
        exported = _run_over_an_export(states, stack, of_export, executions, patience)
        return Seen(
            statuses=(status, ended["status"]),
            cause=f"{ended.get('error', '')} {ended.get('cause', '')}",
            broken_off=broken_off,
            in_the_end=_log(s3, bucket, run_id),
            published_before=len(published),
            summary=json.loads(ended.get("output", "{}")),
            wrong_days=differing_days(MONTH, out),
            unproved_days=_unproved_days(out, run_id),
            misread_days={
                table: differing(figures, published_days) for table, figures in read_days().items()
            },
            exported=exported,
        )


def complaints(seen: Seen) -> list[str]:
    """What is not as it should be."""
    finished = {part.segment for part in seen.broken_off.values() if part.is_last}
    ended = [part.segment for part in seen.in_the_end.values() if part.is_last]
    expected = {
        "trips": sum(day.trip_count for day in MONTH.days.values()),
        "incomplete": MONTH.incomplete,
        "scanned": len(MONTH.trips.items),
        "segments": SEGMENTS,
        "days_published": len(MONTH.days),
    }
    rejected = sum(seen.summary.get("rejected", {}).values())
    holds = {
        f"the statuses are {seen.statuses} {seen.cause}": seen.statuses == ("ABORTED", "SUCCEEDED"),
        f"{len(finished)} segments were done when it was broken off": 0 < len(finished) < SEGMENTS,
        f"{seen.published_before} days had been published by then": not seen.published_before,
        f"written again or gone: {sorted(changed(seen))}": not changed(seen),
        f"read on after their end: {sorted(read_on(seen))}": not read_on(seen),
        f"the segments that end are {sorted(ended)}": sorted(ended) == [*range(SEGMENTS)],
        f"the days that differ are {seen.wrong_days}": not seen.wrong_days,
        f"the days that the manifest does not prove are {seen.unproved_days}": (
            not seen.unproved_days
        ),
        f"the days that are misread are {seen.misread_days}": not any(seen.misread_days.values()),
        f"of the export: {seen.exported}": _as_expected(seen.exported, expected),
        f"{rejected} trips were rejected, not {MONTH.rejected}": rejected == MONTH.rejected,
        **{
            f"{name} is {seen.summary.get(name)}, not {value}": seen.summary.get(name) == value
            for name, value in expected.items()
        },
    }
    return [complaint for complaint, is_so in holds.items() if not is_so]


def changed(seen: Seen) -> set[str]:
    """Keys of parts that are not any more what they were when the run was broken off."""
    return {key for key, part in seen.broken_off.items() if seen.in_the_end.get(key) != part}


def read_on(seen: Seen) -> set[int]:
    """Segments that were finished then and have parts that were appended later."""
    finished = {part.segment for part in seen.broken_off.values() if part.is_last}
    added = seen.in_the_end.keys() - seen.broken_off.keys()
    return finished & {seen.in_the_end[key].segment for key in added}


def _as_expected(exported: Mapping[str, Any], expected: Mapping[str, int]) -> bool:
    """The run over the export has found the same, as of an instant, and changed nothing."""
    same = {name: expected[name] for name in ("trips", "incomplete", "scanned")}
    of_export = {"source": "export", "days_unchanged": expected["days_published"], **same}
    return all(exported.get(name) == value for name, value in of_export.items())


def _run_over_an_export(
    states: Any, stack: DeployedStack, run_id: str, executions: list[str], patience: Patience
) -> Mapping[str, Any]:
    """Its summary. An export takes DynamoDB minutes, however small the table is."""
    execution = states.start_execution(
        stateMachineArn=stack.state_machine_arn,
        name=run_id,
        input=json.dumps({"source": "export"}),
    )["executionArn"]
    executions.append(execution)
    EXECUTION_ENDED.wait(states, patience.for_exports, executionArn=execution)
    output = states.describe_execution(executionArn=execution).get("output", "{}")
    summary: dict[str, Any] = json.loads(output)
    return summary


def _break_off(states: Any, execution: str, patience: Patience) -> None:
    """Stops it once a segment is done. One that has ended by then is left as it is."""
    MAP_RUN_BEGUN.wait(states, patience, executionArn=execution)
    (map_run,) = states.list_map_runs(executionArn=execution)["mapRuns"]
    A_SEGMENT_DONE.wait(states, patience, mapRunArn=map_run["mapRunArn"])
    states.stop_execution(executionArn=execution, error="BrokenOff", cause="by the test")
    EXECUTION_ENDED.wait(states, patience, executionArn=execution)


def _log(client: Any, bucket_name: str, run_id: str) -> Log:
    log = {}
    for key in _keys(client, bucket_name, f"staging/run={run_id}/segment="):
        stored = client.get_object(Bucket=bucket_name, Key=key)
        header, _ = decode(stored["Body"].read(), key=key, columns=COLUMNS)
        log[key] = Part(
            segment=header.segment,
            is_last=header.end is None,
            etag=stored["ETag"],
            written_at=stored["LastModified"].isoformat(),
        )
    return log


def _keys(client: Any, bucket_name: str, prefix: str) -> Iterator[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket_name, Prefix=prefix)
    return (found["Key"] for page in pages for found in page.get("Contents", ()))


def _unproved_days(out: Path, run_id: str) -> list[str]:
    """By the manifest's SHA-256 of each day; every day, if there is no manifest."""
    file = out / "runs" / f"run={run_id}" / "manifest.json"
    named = json.loads(file.read_bytes())["days"] if file.exists() else []
    proved = {one["date"]: one["sha256"] for one in named}
    found = {
        path.parent.name.removeprefix("date="): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (out / "kpis").glob("date=*/kpi.json")
    }
    return sorted(day for day in found.keys() | proved.keys() if found.get(day) != proved.get(day))
