"""What finished runs leave in a directory, written by the program's own encoders."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import msgspec

from tests.day_rows import DayRows, as_table, rows_of, trips_in
from tests.samples import PLANNED_AT, counts, header, plan, prove
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.log.parts import PartHeader, encode
from trip_kpis.core.run.figures import DayKpis, Published, digest
from trip_kpis.core.run.manifest import Finished, manifest
from trip_kpis.core.run.publication import Outcome, Publication

FIRST = date(2024, 5, 1)
EVIL = "</script><script>document.title = 'taken over'</script>"


def leave_run(
    out: Path,
    *,
    run_id: str = "run-1",
    planned_at: datetime = PLANNED_AT,
    days: int = 3,
    segments: int = 2,
    rejected: int = 0,
    pause: timedelta | None = None,
    publication: Publication | None = None,
) -> Path:
    """A run over so many days; each segment rejects so many trips. With a pause, the run was
    continued: a second invocation has resumed every second segment, after it. All days are
    published, unless there is a publication that says otherwise.

    Parts are there as a copy of the bucket has them, with the time of their writing.
    """
    frozen = plan(run_id, now=planned_at, total_segments=segments)
    rows = _rows(days)
    in_order = sorted(rows)
    _write(out / f"staging/run={run_id}/plan.json", frozen.to_bytes())
    headers = []
    for segment in range(segments):
        of_segment = {day: rows[day] for day in in_order[segment::segments]}
        key = _quarantine(out, run_id, segment, rejected) if rejected else None
        first = header(
            plan_sha256=frozen.sha256,
            segment=segment,
            counts=counts(counted=trips_in(of_segment), **{Reason.FARE_NOT_A_NUMBER: rejected}),
            quarantine_key=key,
            invocation=f"invocation-{segment}",
            worker_ms=1500,
        )
        log = [(first, of_segment, planned_at + timedelta(seconds=2 + segment % 3))]
        if pause is not None and segment % 2:
            cut = {"trip_id": {"S": f"t-{segment}"}}
            log = [(replace(first, end=cut), of_segment, log[0][2])]
            rest = replace(
                first, part=1, start=cut, counts=counts(counted=0, incomplete=4),
                quarantine_key=None, invocation=f"later-{segment}",
            )  # fmt: skip
            log.append((rest, {}, log[0][2] + pause))
        for one, rows_, appended_at in log:
            _part(out, run_id, one, rows_, appended_at)
            headers.append(one)
    kpis = [
        DayKpis.of(row, frozen.definition)
        for row in as_table({day: rows[day] for day in in_order}).to_pylist()
    ]
    for day in kpis:
        _write(out / f"kpis/date={day.day.isoformat()}/kpi.json", day.to_bytes())
    publication = publication or Publication(outcomes={day.day: Outcome.PUBLISHED for day in kpis})
    here = {day.day: digest(day) for day in kpis}
    is_the_runs = {Outcome.PUBLISHED, Outcome.UNCHANGED}
    digests = {
        day: here[day]
        for day, outcome in publication.outcomes.items()
        if outcome in is_the_runs and day in here
    }
    run = Finished(
        plan=frozen,
        proof=prove(frozen, headers),
        figures=Published(days=kpis, breakdowns={}),
        publication=replace(publication, digests=digests),
        breakdowns={},
        finished_at=planned_at + timedelta(seconds=6) + (pause or timedelta(0)),
    )
    file = out / f"runs/run={run_id}/manifest.json"
    _write(file, manifest(run).to_bytes())
    return file


def leave_other_kpis(manifest: Path, lines: Sequence[Mapping[str, object]]) -> None:
    """Replaces the figures of the run's days, as another definition would have them. What begins
    with "total_" or is an int can be added up."""
    out = manifest.parents[2]
    document = json.loads(manifest.read_bytes(), parse_float=Decimal)
    totals: dict[str, Decimal] = {}
    document["days"] = []
    for line in lines:
        body = (_exact_json(line) + "\n").encode()
        _write(out / f"kpis/date={line['date']}/kpi.json", body)
        texts = {name: str(one) if isinstance(one, Decimal) else one for name, one in line.items()}
        of_object = {"outcome": "published", "sha256": sha256(body).hexdigest(), "open": False}
        document["days"].append({**of_object, **texts})
        for name, one in line.items():
            if isinstance(one, int) or (isinstance(one, Decimal) and name.startswith("total_")):
                totals[name] = totals.get(name, Decimal(0)) + one
    document["totals"] = {name: str(total) for name, total in totals.items()}
    manifest.write_text(_exact_json(document) + "\n", encoding="utf-8")


def leave_breakdown(manifest: Path, name: str, lines: Sequence[Mapping[str, object]]) -> None:
    """Adds a breakdown to a run that is left: what its objects say, a line a day and group."""
    out = manifest.parents[2]
    by_day: dict[str, list[Mapping[str, object]]] = {}
    for line in lines:
        by_day.setdefault(str(line["date"]), []).append(line)
    days = []
    for day, groups in sorted(by_day.items()):
        body = "".join(_exact_json(group) + "\n" for group in groups).encode()
        _write(out / f"breakdowns/by={name}/date={day}/kpis.jsonl", body)
        days.append(
            {
                "date": day,
                "outcome": "published",
                "sha256": sha256(body).hexdigest(),
                "groups": len(groups),
            }
        )
    document = json.loads(manifest.read_bytes(), parse_float=Decimal)
    document.setdefault("breakdowns", {})[name] = days
    manifest.write_text(_exact_json(document) + "\n", encoding="utf-8")


def _exact_json(document: object) -> str:
    """JSON with the very digits of the decimals."""
    return msgspec.json.Encoder(decimal_format="number").encode(document).decode()


def _rows(days: int) -> DayRows:
    """Totals that differ in their last place alone, on every second day."""
    rows: DayRows = {}
    for n in range(days):
        day = FIRST + timedelta(days=n)
        big = Decimal(1000 + (n // 2 * 37) % 500) + Decimal(n).scaleb(-18)
        trips = [(day, big), (day, Decimal("-2.5")), (day, Decimal("12.25"))]
        rows |= rows_of(trips)
    return rows


def _part(out: Path, run_id: str, one: PartHeader, rows: DayRows, appended_at: datetime) -> None:
    name = f"segment={one.segment:05d}/part-{one.part:05d}.parquet"
    file = out / f"staging/run={run_id}/{name}"
    _write(file, encode(one, as_table(rows)))
    os.utime(file, (appended_at.timestamp(), appended_at.timestamp()))


def _quarantine(out: Path, run_id: str, segment: int, rejected: int) -> str:
    key = f"quarantine/run={run_id}/segment={segment:05d}/part-00000-0123456789abcdef.jsonl"
    lines = [
        {
            "key": {"trip_id": {"S": f"t-{segment}-{n}"}},
            "reason": str(Reason.FARE_NOT_A_NUMBER),
            "attribute": "fare_amount",
            "value": {"S": EVIL},
        }
        for n in range(rejected)
    ]
    _write(out / key, "".join(json.dumps(line) + "\n" for line in lines).encode())
    return key


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
