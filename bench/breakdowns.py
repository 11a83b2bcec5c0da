"""Measures the merge of a run with breakdowns: processor time and memory; checks the result.

`python -m bench.breakdowns SEGMENTS DAYS GROUPS` makes up the parts, merges them without S3, and
compares every line with the known answer.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import pyarrow as pa

from bench import measured, result_line
from trip_kpis.core.definition.parsing import DefinitionFile, StackPaths
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.log.partials import PartialColumns
from trip_kpis.core.log.parts import PartHeader, decode, encode
from trip_kpis.core.run.totals import Totals, published

SEGMENTS, DAYS, GROUPS = 64, 365, 300

_BREAKDOWNS = ("city", "vendor")
_DEFINITION = DefinitionFile(
    name="by_city_and_vendor",
    text="""
        [item]
        day = "pickup_datetime"
        [kpis]
        trips = { count = true }
        revenue = { sum = "fare_amount" }
        average = { average = "fare_amount" }
        highest = { max = "fare_amount" }
        [breakdowns]
        city = ["city"]
        vendor = ["vendor"]
    """,
)
_FIRST_DAY = date(2024, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """One merge of so many rows, which come to `groups` groups on each of the days."""

    segments: int
    days: int
    groups: int
    """of a day, in each of the two breakdowns"""
    rows: int
    """of all parts"""
    cpu_seconds: float
    """to decode and combine the parts, and to write all bodies"""
    peak_mb: int
    """of the whole process"""


class WrongFiguresError(Exception):
    """The merge's result differs from the known answer."""


def run(*, segments: int = SEGMENTS, days: int = DAYS, groups: int = GROUPS) -> list[Merged]:
    """Measures in a separate process. Raises RuntimeError for a figure that is not the known
    answer."""
    done = measured.run(
        "bench.breakdowns", str(segments), str(days), str(groups), endpoint_url="http://127.0.0.1:9"
    )
    return [Merged(**done.answer, peak_mb=round(done.peak_mb))]


def table(merges: Sequence[Merged]) -> str:
    """Formats the figures as Markdown."""
    lines = [
        "| Segments | Days | Groups a day, two breakdowns | Rows | CPU | Peak |",
        "| --: | --: | --: | --: | --: | --: |",
    ]
    lines += [
        f"| {one.segments:,} | {one.days:,} | 2 x {one.groups:,} | {one.rows:,} "
        f"| {one.cpu_seconds:,.1f} s | {one.peak_mb:,} MB |"
        for one in merges
    ]
    return "\n".join(lines)


def _merge(segments: int, days: int, groups: int) -> dict[str, float | int]:
    paths = StackPaths(fare="fare_amount", estimated_fare="estimate", day="pickup_datetime")
    definition = _DEFINITION.definition(paths)
    columns = PartialColumns(definition)
    cpu, rows = 0.0, 0
    totals = Totals(definition)
    for segment in range(segments):
        body = _part(segment, days, groups, columns)
        began = time.process_time()
        _, part = decode(body, key="part", columns=columns)
        totals.add(part)
        cpu += time.process_time() - began
        rows += part.num_rows
    began = time.process_time()
    found = published(totals.table(), definition, counted=segments * days * groups)
    bodies = [day.to_bytes() for of in found.breakdowns.values() for day in of]
    cpu += time.process_time() - began
    lines = (line for body in bodies for line in body.splitlines())
    if any(a != b for a, b in zip(lines, _known(segments, days, groups), strict=True)):
        raise WrongFiguresError("a line of a breakdown is not the known answer")
    return {
        "segments": segments,
        "days": days,
        "groups": groups,
        "rows": rows,
        "cpu_seconds": round(cpu, 1),
    }


def _part(segment: int, days: int, groups: int, columns: PartialColumns) -> bytes:
    """Makes a part of a segment with one trip of each group on each day; the fare depends on the
    segment."""
    dates = [_FIRST_DAY + timedelta(days=n) for n in range(days)]
    in_groups = [day for day in dates for _ in range(groups)]
    names = [f"g{n:05d}" for n in range(groups)] * days
    fare = Decimal(segment) + Decimal("0.01")
    trips = [groups] * days + [1] * (2 * days * groups)
    nothing: list[str | None] = [None] * days
    elsewhere: list[str | None] = [None] * (days * groups)
    values = {
        "breakdown": [0] * days + [1] * (days * groups) + [2] * (days * groups),
        "date": [*dates, *in_groups, *in_groups],
        "by city": [*nothing, *names, *elsewhere],
        "by vendor": [*nothing, *elsewhere, *names],
        "trips": trips,
        "revenue": [fare * n for n in trips],
        "highest": [fare] * len(trips),
    }
    header = PartHeader(
        plan_sha256="0" * 64,
        segment=segment,
        part=0,
        start=None,
        end=None,
        counts=Counts(scanned=days * groups, counted=days * groups),
        quarantine_key=None,
        invocation="bench",
        worker_ms=0,
        memory_mb=0,
    )
    return encode(header, pa.table(values, schema=columns.schema))


def _known(segments: int, days: int, groups: int) -> Iterator[bytes]:
    cents = sum(100 * segment + 1 for segment in range(segments))
    highest = json.dumps(segments - 1 + 0.01)
    # Below 10,000 segments a mean has no more than six places here.
    average = f"{cents / 100 / segments:.6f}".rstrip("0").rstrip(".")
    for name in _BREAKDOWNS:
        for day in range(days):
            for group in range(groups):
                yield (
                    f'{{"date":"{_FIRST_DAY + timedelta(days=day)}","{name}":"g{group:05d}"'
                    f',"trips":{segments},"revenue":{cents // 100}.{cents % 100:02d}'.rstrip("0")
                    + f',"average":{average},"highest":{highest}}}'
                ).encode()


if __name__ == "__main__":
    result_line.tell(_merge(*map(int, sys.argv[1:])))
