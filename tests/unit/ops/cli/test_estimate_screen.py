"""An estimate as a person sees it, and what an execution answers of one."""

import io
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ops.cli.estimate_screen import show_estimate
from ops.runs.errors import ResultsError
from ops.runs.estimate import SHOWN, reported_by
from tests.samples import DEFAULTS, PLANNED_AT, TABLE, comparison, plan, request, trip
from trip_kpis.core.estimate.comparison import Comparison
from trip_kpis.core.estimate.document import estimate_document
from trip_kpis.core.estimate.forecast import EstimateTerms
from trip_kpis.core.estimate.sample import Sample
from trip_kpis.core.items.scan_answers import WholePage
from trip_kpis.core.prices import estimate

TERMS = EstimateTerms(max_rejected_share=Decimal("0.01"), scan_memory_mb=512, merge_memory_mb=1769)


def shown(document: dict[str, Any], *, width: int = 80) -> str:
    out = io.StringIO()
    show_estimate(Console(file=out, width=width), document)
    return out.getvalue()


def of_terabyte(
    *items: Any, pages: int = 16, budget: int = 0, source: str = "scan"
) -> dict[str, Any]:
    """Each page has these items; so many pages were read."""
    calculated = estimate(
        table_bytes=10**12,
        item_count=3 * 10**9,
        consistent_read=False,
        read_units_per_second=budget,
    )
    sample = Sample(
        plan=plan(
            estimate=calculated,
            total_segments=233,
            read_units_per_second=budget,
            key_attributes=("driver", "trip_id"),
        )
    )
    for number, _ in sample.wanted():
        if pages:
            pages -= 1
            end_key = {"driver": {"S": "d"}}
            sample.add(number, WholePage(items=list(items), read_units=128.0, end_key=end_key))
    of = comparison(sample.plan)
    if source == "export":
        of = replace(of, asked=of.other, other=of.asked)
    return estimate_document(of, sample, TERMS)


def test_a_large_table() -> None:
    said = shown(of_terabyte(trip("a", driver={"S": "d"}), trip("b", driver={"S": "e"})))
    assert said.startswith(
        "Table trips\n"
        "  size      3,000,000,000 items, 1.0 TB\n"
        "  source    a scan of the table\n"
        "  reading   122,070,313 read units\n"
        "  cost      15.70 USD at list prices\n"
        "            DynamoDB 15.26, Lambda 0.4071, Step Functions 0.0293, S3 0.0095\n"
        "  duration  about 51 min, unless the table throttles\n"
        "  segments  233, 16 at a time, which read all that the table delivers\n"
        "  Lambda    unreserved executions: 1,000 in this account\n"
        "  merge     932 parts, about 4 s of 900; a checkpoint every 60 s\n"
        "\n"
        "Both sources"
    )
    assert (
        "\n"
        "A sample of 16 pages from 8 segments: 32 items (under 0.01% of the table) for 2,048 read "
        "units\n"
    ) in said
    assert "│ counted    │            32 │ 100.00% │ 3,000,000,000 │" in said
    assert "Skew: 0 of 8 segments ended within the sample; 2 items a page; at the most 50%" in said
    assert "A sample contains nothing about pages that it did not read" in said
    assert said.count("!") == 0
    assert "\nA scan fits this table" in said


def test_a_run_of_more_than_a_day_says_how_many_hours() -> None:
    said = shown(of_terabyte(trip(driver={"S": "d"}), budget=1000))
    assert "about 2,035 min (33.9 hours)" in said
    assert "! An export fits this table: a scan takes 34 hours" in said


def test_both_sources_are_side_by_side() -> None:
    said = shown(of_terabyte(trip(driver={"S": "d"})), width=120)
    table = [
        [cell.strip() for cell in line.strip("│┃\n").replace("┃", "│").split("│")]
        for line in said.partition("Both sources")[2].partition("└")[0].splitlines()
        if line[:1] in ("│", "┃")
    ]
    assert table == [
        ["", "scan", "export"],
        ["cost", "15.70 USD", "93.83 USD"],
        ["duration", "about 51 min", "minutes to hours, then about 83 min"],
        ["figures", "no snapshot", "as of one instant"],
        ["load on the table", "122,070,313 read units", "none"],
        ["needs", "nothing", "point-in-time recovery, which is on"],
    ]


def test_of_an_export_it_says_what_comes_before_the_workers() -> None:
    document = of_terabyte(trip(driver={"S": "d"}), source="export")
    said = shown(document, width=100)
    assert "  source    an export of the table\n" in said
    assert "after the export (minutes to hours)\n" in said
    assert "throttles" not in said
    assert "! A scan fits this table" in said


def test_without_a_sample_there_is_only_what_the_table_says() -> None:
    said = shown(of_terabyte(pages=0, budget=2))
    assert "A sample of 0 pages from 0 segments: 0 items" in said
    assert "there was no time for more" in said
    assert "in the sample" not in said
    assert "! There is no census" in said


def test_long_names_and_looks_are_folded_and_not_cut() -> None:
    of = [trip(str(n), driver={"S": "d"}, fare_amount={"S": "-" * n + "x"}) for n in range(1, 40)]
    said = shown(of_terabyte(*of))
    assert "fare_not_a_number" in said
    assert "…" not in said
    assert all(len(line) <= 80 for line in said.splitlines() if line[:1] in "│┃")


def test_markup_in_an_attributes_name_is_text() -> None:
    document = of_terabyte(trip(driver={"S": "d"}))
    document["census"]["attributes"]["fare"]["path"] = "[red]fare[/blue]"
    document["table"] = "[bold]trips[/]"
    said = shown(document, width=120)
    assert "[red]fare[/blue]" in said
    assert "[bold]trips[/]" in said


def ended(status: str, **more: Any) -> dict[str, Any]:
    return {"name": "estimate-1", "status": status, **more}


def test_an_execution_that_succeeded_has_reported_its_estimate() -> None:
    document = of_terabyte(trip(driver={"S": "d"}))
    assert reported_by(ended("SUCCEEDED", output=json.dumps(document))) == document


def test_one_that_failed_says_why() -> None:
    cause = json.dumps({"errorMessage": "the table trips is not there", "errorType": "X"})
    with pytest.raises(ResultsError) as raised:
        reported_by(ended("FAILED", error="TableNotFoundError", cause=cause))
    assert str(raised.value) == (
        "the estimate failed (execution estimate-1): TableNotFoundError: the table trips is not "
        "there"
    )


def test_one_of_an_earlier_version_says_what_else_there_is() -> None:
    with pytest.raises(ResultsError, match="of an earlier version, whose estimate has no census"):
        reported_by(ended("SUCCEEDED", output=json.dumps({"item_count": 1})))


def test_an_answer_without_a_field_that_is_shown_is_of_an_earlier_version() -> None:
    document = of_terabyte(trip(driver={"S": "d"}))
    for field in ("limited_by", "lambda_limit", "parts", "merge_seconds", "checkpoint_seconds"):
        earlier = {name: value for name, value in document.items() if name != field}
        with pytest.raises(ResultsError, match=f"has no {field}: deploy this one"):
            reported_by(ended("SUCCEEDED", output=json.dumps(earlier)))


def test_what_need_not_be_in_an_answer_is_not_shown() -> None:
    document = of_terabyte(trip(driver={"S": "d"}))
    for field in document:
        fewer = {name: value for name, value in document.items() if name != field}
        if field in SHOWN:
            with pytest.raises(KeyError, match=field):
                shown(fewer)
        else:
            assert shown(fewer) == shown(document)


def test_the_runbook_shows_the_figures_of_a_terabyte_as_they_are_calculated() -> None:
    page = (Path(__file__).parents[4] / "docs" / "operations.md").read_text(encoding="utf-8")
    on_page = page.partition("<!-- estimate -->\n```text\n")[2].partition("```\n")[0]
    created_at = PLANNED_AT - timedelta(days=300)
    of = Comparison.of(
        request(),
        DEFAULTS,
        replace(TABLE, size_bytes=10**12, item_count=3 * 10**9, created_at=created_at),
        recovery=True,
        now=PLANNED_AT,
        terms=TERMS,
        lambda_limit=1_000,
    )
    said = shown(estimate_document(of, Sample(plan=of.scan), TERMS), width=100)
    figures = said.partition("\n\nA sample of")[0]
    assert on_page == "".join(f"{line.rstrip()}\n" for line in figures.splitlines())
