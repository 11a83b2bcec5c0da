"""Both sources for one table: what each comes to, and which one fits."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.samples import DEFAULTS, PLANNED_AT, TABLE, request
from trip_kpis.core.errors import InputError
from trip_kpis.core.estimate.comparison import Comparison, OfSource
from trip_kpis.core.estimate.forecast import EstimateTerms
from trip_kpis.core.estimate.plan_notes import Advice
from trip_kpis.core.estimate.planning import make_plan

TB = 10**12
TERMS = EstimateTerms()
ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/trips/export/01700000000000-0a1b2c3d"


def comparison(
    *, recovery: bool | None = True, default: str = "scan", budget: int = 0, **asked: Any
) -> Comparison:
    """Of a table of 1 TB."""
    created_at = PLANNED_AT - timedelta(days=300)
    return Comparison.of(
        request(**asked),
        replace(DEFAULTS, source=default, read_units_per_second=budget),
        replace(TABLE, size_bytes=TB, item_count=3 * 10**9, created_at=created_at),
        recovery=recovery,
        now=PLANNED_AT,
        terms=TERMS,
        lambda_limit=1_000,
    )


def compared(of: Comparison) -> dict[str, OfSource]:
    return of.compared(TERMS, rejected_trips=0)


def fitting(of: Comparison) -> Advice:
    return of.which_fits(compared(of))


def test_the_price_of_reading_is_compared_with_that_of_the_export() -> None:
    both = compared(comparison())
    assert list(both) == ["scan", "export"]
    scan, export = both["scan"], both["export"]
    assert (scan.usd, scan.read_units) == (pytest.approx(15.70, abs=0.01), 122_070_313)
    assert (export.usd, export.read_units) == (pytest.approx(93.13 + 0.69, abs=0.05), 0)
    assert (scan.exact, export.exact) == ("no snapshot", "as of one instant")
    assert (scan.needs, scan.waits) == ("nothing", "")


def test_the_workers_of_an_export_do_not_wait_for_the_table() -> None:
    both = compared(comparison(budget=1_000))
    assert both["scan"].seconds_at_least == 122_071
    # 953,675 MiB of table, at 24 ms of a whole processor, by 32 workers of 512 MB.
    assert both["export"].seconds_at_least == pytest.approx(
        953_675 * 0.024 * 1769 / 512 / 32, abs=1
    )
    assert both["export"].waits == "minutes to hours"


@pytest.mark.parametrize(
    "asked", [{}, {"read_units_per_second": 2_000}, {"consistent_read": True}], ids=str
)
def test_both_are_the_same_whichever_the_stack_uses(asked: dict[str, Any]) -> None:
    """A scan keeps to what is asked for; an export, which has no use for it, leaves it out."""
    by_scan = comparison(**asked)
    by_export = comparison(default="export")
    assert (by_scan.asked.source, by_export.asked.source) == ("scan", "export")
    assert compared(by_scan)["export"] == compared(by_export)["export"]
    if not asked:
        assert compared(by_scan) == compared(by_export)
    assert by_scan.asked == make_plan(
        request(**asked),
        DEFAULTS,
        replace(
            TABLE,
            size_bytes=TB,
            item_count=3 * 10**9,
            created_at=PLANNED_AT - timedelta(days=300),
        ),
        now=PLANNED_AT,
        terms=TERMS,
        lambda_limit=1_000,
    )


def test_the_scan_of_a_stack_with_exports_keeps_to_the_stacks_budget() -> None:
    assert comparison(default="export", budget=500).scan.read_units_per_second == 500


def test_what_no_run_can_be_asked_for_is_no_estimate_either() -> None:
    with pytest.raises(InputError, match="read_units_per_second is 5"):
        comparison(source="export", read_units_per_second=5)


@pytest.mark.parametrize(
    ("recovery", "needs", "says"),
    [
        (True, "point-in-time recovery, which is on", None),
        (False, "point-in-time recovery, which is off", "which is off, and costs 186.26 USD"),
        (
            None,
            "point-in-time recovery, which may be on or off: not known",
            "whether that is on is not known (dynamodb:DescribeContinuousBackups was refused",
        ),
    ],
)
def test_an_export_needs_point_in_time_recovery(
    recovery: bool | None, needs: str, says: str | None
) -> None:
    of = comparison(recovery=recovery)
    assert compared(of)["export"].needs == needs
    for text in (fitting(of).text, fitting(comparison(recovery=recovery, budget=1_000)).text):
        assert ("point-in-time recovery" in text) == (says is not None)
        assert says is None or says in text


def test_a_scan_fits_while_it_takes_less_than_a_day() -> None:
    """At 1,413 read units a second, for which 11 workers wait: 8 USD."""
    fits = fitting(comparison(budget=1_413))
    assert fits.code == "scan"
    assert "it costs 23.36 USD. A run with an export costs 93.8" in fits.text


def test_an_export_fits_where_a_scan_takes_more_than_a_day() -> None:
    fits = fitting(comparison(budget=1_000))
    assert fits.code == "export"
    assert "a scan takes 34 hours" in fits.text
    assert fitting(comparison(default="export", budget=1_000)) == fits


@pytest.mark.parametrize(
    "named",
    [
        {"export_arn": ARN},
        {"export_manifest": "s3://b/AWSDynamoDB/0-a/manifest-summary.json"},
    ],
    ids=str,
)
def test_an_export_that_is_there_costs_what_it_takes_to_read_it(named: dict[str, str]) -> None:
    of = comparison(source="export", recovery=False, **named)
    export = compared(of)["export"]
    assert export.usd == pytest.approx(0.69, abs=0.05)
    assert (export.needs, export.waits) == ("nothing", "")
    assert fitting(of).code == "export"
    assert "off" not in fitting(of).text
    assert compared(of)["scan"] == compared(comparison())["scan"]
