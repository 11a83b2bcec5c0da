"""A finished run's segment log, made up, and the days that its merge must publish.

A part's rows are one of a few sets, its header is its own, and the body is what a worker would
have appended. The days are computed here from integers and fractions, by nothing of the merge's.
"""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

import pyarrow as pa

from trip_kpis.aws.settings import read_definition
from trip_kpis.core import layout
from trip_kpis.core.estimate.planning import make_plan
from trip_kpis.core.items.attributes import Item
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.log.partials import PartialColumns
from trip_kpis.core.log.parts import PartHeader, encode
from trip_kpis.core.run.plan import FrozenDefinition, Plan, RunDefaults
from trip_kpis.core.run.requests import RunRequest
from trip_kpis.core.run.table_description import TableDescription
from trip_kpis.core.settings import default_environment

RUN_ID = "merge"
TABLE_NAME = "trips"
_SETS_OF_ROWS = 16
_FIRST_DAY = date(2024, 1, 1)
_UNIT = 10**18
"""fares have up to 18 places"""


@dataclass(frozen=True, slots=True)
class _Row:
    """One day of a part; fares in units of the last of 18 places."""

    day: date
    trips: int
    total: int
    low: int
    high: int


@dataclass(frozen=True, kw_only=True)
class MadeUpLog:
    """So many segments of so many parts of so many days each."""

    segments: int
    parts: int
    days: int

    @cached_property
    def plan(self) -> Plan:
        return make_plan(
            RunRequest(run_id=RUN_ID, continues=False, total_segments=self.segments),
            RunDefaults(
                kpi_definition=FrozenDefinition.of(read_definition(default_environment())),
                source="scan",
                fare_attribute="fare_amount",
                estimated_fare_attribute="estimated_fare_amount",
                day_attribute="pickup_datetime",
                time_zone="UTC",
                time_formats=(),
                earliest_day="2000-01-01",
                total_segments=0,
                max_concurrency=32,
                read_units_per_second=0,
                consistent_read=False,
                checkpoint_seconds=60,
            ),
            TableDescription(
                name=TABLE_NAME,
                arn=f"arn:aws:dynamodb:us-east-1:123456789012:table/{TABLE_NAME}",
                table_id="made-up",
                key_attributes=("trip_id",),
                size_bytes=0,
                item_count=0,
            ),
            now=datetime(2025, 1, 1, 2, 15, tzinfo=UTC),
        )

    def keys(self) -> Iterator[str]:
        """Returns the keys of all parts, in the order in which S3 lists them."""
        for segment in range(self.segments):
            for part in range(self.parts):
                yield layout.part_key(RUN_ID, segment, part)

    def body(self, segment: int, part: int) -> bytes:
        """Returns a part as a worker appends it."""
        which = self._which(segment, part)
        trips = sum(row.trips for row in self._sets[which])
        pages = 40
        return encode(
            PartHeader(
                plan_sha256=self._plan_sha256,
                segment=segment,
                part=part,
                start=_key(segment, part - 1) if part > 0 else None,
                end=_key(segment, part) if part < self.parts - 1 else None,
                counts=Counts(pages=pages, scanned=trips, counted=trips, read_units=128.0 * pages),
                quarantine_key=None,
                invocation=_digest("invocation", segment, part // 10)[:32],
                worker_ms=60_000,
                memory_mb=512,
            ),
            self._tables[which],
        )

    def published(self) -> dict[str, bytes]:
        """Returns the known answer: every day's key and body."""
        times = [0] * _SETS_OF_ROWS
        for number in range(self.segments * self.parts):
            times[number % _SETS_OF_ROWS] += 1
        used = [(n, rows) for n, rows in zip(times, self._sets, strict=True) if n]
        found = {}
        for n in range(self.days):
            of_day = [(times, rows[n]) for times, rows in used]
            day = of_day[0][1].day
            count = sum(times * row.trips for times, row in of_day)
            total = sum(times * row.total for times, row in of_day)
            average = round(Fraction(total, count * _UNIT) * 10**6) * (_UNIT // 10**6)
            found[layout.day_key(day)] = (
                f'{{"date":"{day}","trip_count":{count},"total_fare":{_number(total)}'
                f',"average_fare":{_number(average)}'
                f',"max_fare":{_number(max(row.high for _, row in of_day))}'
                f',"min_fare":{_number(min(row.low for _, row in of_day))}}}\n'
            ).encode()
        return found

    def _which(self, segment: int, part: int) -> int:
        return (segment * self.parts + part) % _SETS_OF_ROWS

    @cached_property
    def _sets(self) -> list[list[_Row]]:
        rng = random.Random(20240525)
        return [_made_up_rows(self.days, rng) for _ in range(_SETS_OF_ROWS)]

    @cached_property
    def _tables(self) -> list[pa.Table]:
        schema = PartialColumns(self.plan.definition).schema
        return [_table(rows, schema) for rows in self._sets]

    @cached_property
    def _plan_sha256(self) -> str:
        return self.plan.sha256


def _made_up_rows(days: int, rng: random.Random) -> list[_Row]:
    """A few hundred trips a day, with fares of 18 places: what compresses worst."""

    def row(day: date) -> _Row:
        trips = rng.randrange(1, 400)
        return _Row(
            day=day,
            trips=trips,
            total=rng.randrange(trips * 30 * _UNIT),
            low=rng.randrange(-5 * _UNIT, 5 * _UNIT),
            high=rng.randrange(30 * _UNIT, 900 * _UNIT),
        )

    return [row(_FIRST_DAY + timedelta(days=n)) for n in range(days)]


def _table(rows: list[_Row], schema: pa.Schema) -> pa.Table:
    fares = {
        "total_fare": [row.total for row in rows],
        "min_fare": [row.low for row in rows],
        "max_fare": [row.high for row in rows],
    }
    columns = {
        "date": [row.day for row in rows],
        "trip_count": [row.trips for row in rows],
        **{name: [Decimal(n).scaleb(-18) for n in units] for name, units in fares.items()},
    }
    return pa.table(columns, schema=schema)


def _key(segment: int, part: int) -> Item:
    return {"trip_id": {"S": _digest("key", segment, part)[:36]}}


def _digest(*of: object) -> str:
    return hashlib.sha256(repr(of).encode()).hexdigest()


def _number(units: int) -> str:
    """Formats an exact decimal without trailing zeros."""
    whole, places = divmod(abs(units), _UNIT)
    text = f"{whole}.{places:018d}".rstrip("0").removesuffix(".")
    return f"-{text}" if units < 0 else text
