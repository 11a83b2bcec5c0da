"""docs/costs.md: every figure of its tables, and those of its prose, calculated again."""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from bench import scale
from trip_kpis.aws.export_files import PIECE_BYTES
from trip_kpis.core.capacity import page_units
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.prices import (
    DEFAULT_READ_QUOTA,
    USD_PER_CAPACITY_HOUR,
    USD_PER_EXPORTED_GIB,
    USD_PER_READ,
    USD_PER_READ_UNIT,
    USD_PER_READ_UNIT_IA,
    USD_PER_RECOVERABLE_GIB_MONTH,
    USD_PER_TRANSITION,
    USD_PER_WRITE,
    cost,
)
from trip_kpis.core.run.run_metrics import Measure

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
PROSE = " ".join(PAGE.split())
RESOURCES = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))["Resources"]

# What the page cites, and core/prices.py has no use for.
USD_PER_STORED_GB_MONTH = 0.023
USD_PER_LOGGED_GB = 0.50
USD_PER_ALARM_MONTH = 0.10
USD_PER_DASHBOARD_MONTH = 3.00
USD_PER_METRIC_MONTH = 0.30
GB = 2**30

SIZES = list(scale.TABLES.values())
UNITS_PER_WORKER = page_units(consistent_read=False) / (
    scale.CPU_MS_PER_PAGE * 1769 / scale.SCAN_MEMORY_MB / 1000
)
"""a second: a worker has its memory's share of the processor that 1,769 MB have"""


@pytest.fixture(scope="module")
def scaled() -> list[scale.Scaled]:
    return scale.run()


def cells(name: str) -> list[str]:
    (row,) = re.findall(rf"^ *\| {re.escape(name)} \| (.+) \|$", PAGE, flags=re.MULTILINE)
    return [cell.strip() for cell in row.split("|")]


def usd(amount: float) -> str:
    return f"{amount:,.2f}" if amount >= 1 else f"{amount:.4f}"


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("Reading the table, on demand", "dynamodb"),
        ("Lambda, at the price of x86_64", "lambda"),
        ("Step Functions", "step_functions"),
        ("Requests to S3", "s3"),
        ("**A run**", "total"),
    ],
)
def test_a_run_costs_what_the_bench_calculates(
    scaled: list[scale.Scaled], name: str, service: str
) -> None:
    assert cells(name) == [usd(one.cost[service]) for one in scaled]


def test_the_columns_are_the_benchs() -> None:
    assert PAGE.count(f"| USD | {' | '.join(scale.TABLES)} |") == 3


def test_the_variants_of_a_run(scaled: list[scale.Scaled]) -> None:
    on_arm64 = [one.cost["dynamodb"] * (1 + one.around_share_arm64) for one in scaled]
    assert cells("on arm64, the default") == [usd(amount) for amount in on_arm64]
    consistent = [one.cost["total"] + one.cost["dynamodb"] for one in scaled]
    assert cells("with `ConsistentRead`") == [usd(amount) for amount in consistent]
    assert "for a large table, about a fortieth more on arm64" in PROSE
    for one in scaled[1:]:
        assert 1 / 50 < one.around_share_arm64 < 1 / 40 < one.around_share < 1 / 30


def test_the_alternatives(scaled: list[scale.Scaled]) -> None:
    hours = [one.cost["dynamodb"] / USD_PER_READ_UNIT / 3600 for one in scaled]
    rows: Mapping[str, list[float]] = {
        "A run's reads, from capacity that is provisioned and used to the full": [
            hour * USD_PER_CAPACITY_HOUR for hour in hours
        ],
    }
    for name, amounts in rows.items():
        assert cells(name) == [usd(amount) for amount in amounts], name


def test_a_run_over_an_export(scaled: list[scale.Scaled]) -> None:
    rows: Mapping[str, list[float]] = {
        "A full export to S3": [size / GB * USD_PER_EXPORTED_GIB for size in SIZES],
        "Its storage for 30 days, at most": [size / GB * USD_PER_STORED_GB_MONTH for size in SIZES],
        "Requests that read it, at most": [size / PIECE_BYTES * USD_PER_READ for size in SIZES],
        "Point-in-time recovery, which an export needs, a month": [
            size / GB * USD_PER_RECOVERABLE_GIB_MONTH for size in SIZES
        ],
    }
    for name, amounts in rows.items():
        assert cells(name) == [usd(amount) for amount in amounts], name
    times = SIZES[1] / GB * USD_PER_EXPORTED_GIB / scaled[1].cost["dynamodb"]
    assert "about six times the cost of a scan on demand" in PROSE
    assert "An export** instead of a scan costs about six times as much" in PROSE
    assert round(times) == 6
    assert f"{USD_PER_EXPORTED_GIB:.2f} USD for a GB (2^30 bytes) of table" in PROSE
    assert f"{USD_PER_RECOVERABLE_GIB_MONTH:.2f} USD for a GB and month" in PROSE
    assert f"**Storage** is {USD_PER_STORED_GB_MONTH} USD for a GB and month" in PROSE
    assert (
        f"a GET request for every {PIECE_BYTES // 2**20} MiB, {USD_PER_READ:.7f} USD each" in PROSE
    )
    assert f"a PUT request is {USD_PER_WRITE:.6f} USD" in PROSE


def test_waiting_for_an_export_costs_its_states() -> None:
    text = (ROOT / "statemachine" / "trip_kpis.asl.json").read_text(encoding="utf-8")
    seconds = json.loads(text)["States"]["WaitForExport"]["Seconds"]
    assert seconds == 5 * 60
    # WaitForExport, DescribeExport, ExportDone
    an_hour = 3 * 3600 / seconds * USD_PER_TRANSITION
    assert f"three state transitions in five minutes, {an_hour:.4f} USD an hour" in PROSE


def test_a_small_budget_wants_few_workers(scaled: list[scale.Scaled]) -> None:
    budget = 1000
    seconds = scaled[1].cost["dynamodb"] / USD_PER_READ_UNIT / budget
    fitting = budget // page_units(consistent_read=False)

    def waited_for(workers: int) -> str:
        gb_seconds = seconds * workers * scale.SCAN_MEMORY_MB / 1024
        return usd(
            cost(
                read_units=0, gb_seconds=gb_seconds, segments=0, invocations=0, parts=0, days=0
            ).compute
        )

    row = f"one for each full page a second of the budget: {fitting}"
    assert cells(row) == [waited_for(fitting)]
    assert cells("1") == [waited_for(1)]
    assert f"1 TB takes {seconds / 3600:.0f} hours" in PROSE
    assert f"512 MB reads about {round(UNITS_PER_WORKER, -2):,.0f} units a second" in PROSE
    assert budget < UNITS_PER_WORKER


def test_how_many_workers_saturate_a_table(scaled: list[scale.Scaled]) -> None:
    assert f"{scaled[1].concurrency} of 512 MB for an on-demand table's default quota" in PROSE
    least = math.ceil(DEFAULT_READ_QUOTA / UNITS_PER_WORKER)
    assert least <= scaled[1].concurrency <= least + 1
    assert 2 * scaled[1].concurrency == scale.MAX_CONCURRENCY


def test_an_infrequently_accessed_table_costs_nearly_a_quarter_more() -> None:
    assert "0.155 USD for a million read units instead of 0.125" in PROSE
    assert (USD_PER_READ_UNIT, USD_PER_READ_UNIT_IA) == (0.125e-6, 0.155e-6)
    assert 1.2 < USD_PER_READ_UNIT_IA / USD_PER_READ_UNIT < 1.25


def test_what_was_read_in_vain_is_a_checkpoint_of_all_workers(scaled: list[scale.Scaled]) -> None:
    units = DEFAULT_READ_QUOTA * scale.CHECKPOINT_SECONDS
    lost = f"{units / 1e6} million read units a minute, {units * USD_PER_READ_UNIT:.2f} USD"
    assert lost in PROSE
    assert scaled[1].checkpoint_seconds == 60
    assert {one.checkpoint_seconds for one in scaled} == {60}


def test_what_is_left_out(scaled: list[scale.Scaled]) -> None:
    logged = scaled[-1].invocations * 4_000
    price = logged / GB * USD_PER_LOGGED_GB
    assert f"run's are {logged / 1e6:.0f} MB, {price:.2f} USD at 0.50 USD for a GB" in PROSE

    def many(kind: str) -> int:
        return sum(resource["Type"] == kind for resource in RESOURCES.values())

    alarms = many("AWS::CloudWatch::Alarm")
    assert f"{alarms} alarms, {alarms * USD_PER_ALARM_MONTH:.2f} USD" in PROSE
    assert many("AWS::CloudWatch::Dashboard") == 1
    assert f"a dashboard, {USD_PER_DASHBOARD_MONTH:.2f} USD" in PROSE
    metrics = len(Measure) + len(Reason)
    assert f"{metrics} metrics at the most, {USD_PER_METRIC_MONTH:.2f} USD each" in PROSE
    assert f"{metrics * USD_PER_METRIC_MONTH / 24:.2f} USD for a run every night" in PROSE
