"""Ordinary values to start from: a test names only what it is about."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from trip_kpis.aws.settings import DEFINITIONS
from trip_kpis.core.definition.parsing import DefinitionFile, StackPaths
from trip_kpis.core.estimate.comparison import Comparison
from trip_kpis.core.estimate.planning import make_plan
from trip_kpis.core.export.frozen import ExportFile, FrozenExport
from trip_kpis.core.export.lines import export_lines, line_count, undecoded_items
from trip_kpis.core.items.attributes import AttributePath, Item, dotted_path, key_to_json
from trip_kpis.core.items.pages import Page
from trip_kpis.core.items.scan_answers import scan_answers
from trip_kpis.core.items.zones import time_zone
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.log.parts import PartHeader
from trip_kpis.core.prices import of_export
from trip_kpis.core.reading.read_item import ReadingRules
from trip_kpis.core.run.figures import DayKpis
from trip_kpis.core.run.plan import FrozenDefinition, Plan, RunDefaults
from trip_kpis.core.run.proof import Chains, Proof
from trip_kpis.core.run.requests import RunRequest
from trip_kpis.core.run.table_description import TableDescription

PLANNED_AT = datetime(2024, 6, 1, 2, 15, tzinfo=UTC)

TABLE = TableDescription(
    name="trips",
    arn="arn:aws:dynamodb:us-east-1:123456789012:table/trips",
    table_id="0b0f7a1c-5c3e-4d0e-9b57-8f7f0f5c2b11",
    key_attributes=("trip_id",),
    size_bytes=0,
    item_count=0,
)

DEFINITION = DefinitionFile(
    name="trips", text=(DEFINITIONS / "trips.toml").read_text(encoding="utf-8")
)

DEFAULTS = RunDefaults(
    kpi_definition=FrozenDefinition.of(DEFINITION),
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
)


def rules(
    *,
    fare: AttributePath = ("fare_amount",),
    estimated_fare: AttributePath = ("estimated_fare_amount",),
    day: AttributePath = ("pickup_datetime",),
    definition: DefinitionFile = DEFINITION,
    **others: Any,
) -> ReadingRules:
    """The rules of a definition, the default one unless another is given, and of these paths."""
    paths = StackPaths(
        fare=dotted_path(fare), estimated_fare=dotted_path(estimated_fare), day=dotted_path(day)
    )
    return replace(
        ReadingRules(
            definition=definition.definition(paths),
            key_attributes=("trip_id",),
            time_zone=time_zone("UTC"),
            earliest_day=date(2000, 1, 1),
        ),
        **others,
    )


RULES = rules()


def day_kpis(
    day: date,
    *,
    trips: int = 1,
    total: Decimal | str | int = 1,
    low: Decimal | str | int = 1,
    high: Decimal | str | int = 1,
) -> DayKpis:
    """The KPIs of a day, by the default definition."""
    fares = {"total_fare": total, "min_fare": low, "max_fare": high}
    row = {"date": day, "trip_count": trips, **{name: Decimal(of) for name, of in fares.items()}}
    return DayKpis.of(row, RULES.definition)


def request(run_id: str = "run-1", *, continues: bool = False, **asked: Any) -> RunRequest:
    return RunRequest(run_id=run_id, continues=continues, **asked)


def plan(run_id: str = "run-1", *, now: datetime = PLANNED_AT, **changes: Any) -> Plan:
    """The plan of a run with the defaults, and then `changes` to its fields."""
    of = make_plan(request(run_id), DEFAULTS, TABLE, now=now, lambda_limit=1_000)
    return replace(of, **changes)


def comparison(of: Plan, *, recovery: bool | None = True) -> Comparison:
    """Of the run of a plan with the source scan, and of the same run with an export."""
    export = replace(
        of,
        source="export",
        read_units_per_second=0,
        consistent_read=False,
        estimate=of_export(of.estimate, is_made=True),
    )
    return Comparison(asked=of, other=export, recovery=recovery)


def frozen_export(*items: int | None, as_of: datetime = PLANNED_AT) -> FrozenExport:
    """An export with a segment of one file for each of these numbers of items."""
    folder = "AWSDynamoDB/01717208100000-a1b2c3d4"
    return FrozenExport(
        plan_sha256="0" * 64,
        export_arn=f"{TABLE.arn}/export/01717208100000-a1b2c3d4",
        as_of=as_of.isoformat(timespec="microseconds"),
        table_arn=TABLE.arn,
        bucket="exports",
        manifest_key=f"{folder}/manifest-summary.json",
        billed_bytes=0,
        segments=tuple(
            (
                ExportFile(
                    key=f"{folder}/data/{n}.json.gz", items=of, md5="1B2M2Y8AsgTpgAmY7PhCfg=="
                ),
            )
            for n, of in enumerate(items)
        ),
    )


def trip(trip_id: str = "t-1", **attributes: Any) -> dict[str, Any]:
    """A completed trip, in DynamoDB JSON; an attribute that is None is left out."""
    item = {
        "trip_id": {"S": trip_id},
        "fare_amount": {"N": "12.5"},
        "estimated_fare_amount": {"N": "12"},
        "pickup_datetime": {"S": "2024-05-25 13:19:00"},
        **attributes,
    }
    return {name: value for name, value in item.items() if value is not None}


def answer(items: Iterable[Item], *, filtered: int = 0, end_key: Item | None = None) -> bytes:
    """The body of DynamoDB's answer to a Scan, which the filter left these items of."""
    found = [*items]
    document: dict[str, Any] = {
        "Count": len(found),
        "Items": found,
        "ScannedCount": len(found) + filtered,
        "ConsumedCapacity": {"TableName": "trips", "CapacityUnits": 0.5},
    }
    if end_key is not None:
        document["LastEvaluatedKey"] = key_to_json(end_key)
    return json.dumps(document).encode()


def page(
    items: Iterable[Item],
    *,
    rules: ReadingRules = RULES,
    filtered: int = 0,
    end_key: Item | None = None,
) -> Page:
    """A page with these items, as a worker decodes it."""
    definition = rules.definition
    return scan_answers(*definition.paths, flags=definition.flag_paths).page(
        answer(items, filtered=filtered, end_key=end_key)
    )


def export_page(items: Iterable[Item], *, rules: ReadingRules = RULES) -> Page:
    """A page of an export with these items, as a worker decodes it: nothing is filtered out."""
    definition = rules.definition
    decoder = export_lines(*definition.paths, flags=definition.flag_paths)
    lines = b"".join(json.dumps({"Item": item}).encode() + b"\n" for item in items)
    return Page(
        columns=decoder.columns(
            lines, url="s3://exports/x.json.gz", line=0, lines=line_count(lines)
        ),
        scanned=line_count(lines),
        end=None,
        body=lines,
        undecoded=undecoded_items,
    )


def counts(*, counted: int = 1, incomplete: int = 0, excluded: int = 0, **rejected: int) -> Counts:
    """A counts that balances, of one page."""
    return Counts(
        pages=1,
        scanned=counted + excluded + incomplete + sum(rejected.values()),
        excluded=excluded,
        incomplete=incomplete,
        rejected=Counter(rejected),  # type: ignore[arg-type]
        counted=counted,
        read_units=0.5,
    )


def header(**changes: Any) -> PartHeader:
    """The header of a part that is its segment's only one."""
    return replace(
        PartHeader(
            plan_sha256=plan().sha256,
            segment=0,
            part=0,
            start=None,
            end=None,
            counts=counts(),
            quarantine_key=None,
            invocation="invocation-1",
            worker_ms=1000,
            memory_mb=512,
        ),
        **changes,
    )


def prove(of: Plan, headers: Iterable[PartHeader]) -> Proof:
    """The proof of a run whose parts have these headers. Raises what `Chains.proof` raises."""
    chains = Chains(of)
    for one in headers:
        chains.add(one)
    return chains.proof()
