"""The gate before publishing, and what a run says of itself afterwards."""

import hashlib
import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.samples import PLANNED_AT, counts, day_kpis, header, plan, prove
from trip_kpis.core.errors import TooManyRejectedError
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.run.figures import DayKpis, Published, digest
from trip_kpis.core.run.manifest import Finished, Manifest, manifest, summary
from trip_kpis.core.run.publication import Outcome, Publication
from trip_kpis.core.run.quality import check_rejected_share


@pytest.mark.parametrize(
    ("rejected", "counted", "tolerated"),
    [(0, 0, "0"), (0, 5, "0"), (1, 99, "0.01"), (5, 0, "1"), (29, 71, "0.29"), (57, 43, "0.57"),
     (7, 93, "0.07"), (1, 10**9 - 1, "1e-9")],
)  # fmt: skip
def test_a_share_that_is_exactly_tolerated_passes(
    rejected: int, counted: int, tolerated: str
) -> None:
    of = counts(counted=counted, **{Reason.TIME_MISSING: rejected})
    check_rejected_share(of, tolerated=Decimal(tolerated))


@pytest.mark.parametrize(
    ("rejected", "counted", "tolerated"),
    [(1, 0, "0"), (1, 10**9, "0"), (2, 99, "0.01"), (30, 71, "0.29"), (1, 0, "0.999999")],
)
def test_a_share_above_it_fails(rejected: int, counted: int, tolerated: str) -> None:
    of = counts(counted=counted, **{Reason.TIME_MISSING: rejected})
    with pytest.raises(TooManyRejectedError, match="MaxRejectedShare"):
        check_rejected_share(of, tolerated=Decimal(tolerated))


@given(st.integers(0, 100), st.integers(1, 10**6))
def test_a_share_in_percent_means_what_it_says(percent: int, hundreds: int) -> None:
    share, rejected = Decimal(percent) / 100, percent * hundreds
    counted = 100 * hundreds - rejected
    check_rejected_share(
        counts(counted=counted, **{Reason.TIME_MISSING: rejected}), tolerated=share
    )
    if counted:
        one_more = counts(counted=counted - 1, **{Reason.TIME_MISSING: rejected + 1})
        with pytest.raises(TooManyRejectedError):
            check_rejected_share(one_more, tolerated=share)


def test_incomplete_trips_neither_help_nor_harm() -> None:
    of = counts(counted=98, incomplete=10**6, **{Reason.TIME_MISSING: 2})
    with pytest.raises(TooManyRejectedError):
        check_rejected_share(of, tolerated=Decimal("0.01"))


def test_the_message_counts_by_reason_and_says_where_to_look() -> None:
    of = counts(counted=1, **{Reason.TIME_MISSING: 2, Reason.FARE_NOT_A_NUMBER: 1})
    with pytest.raises(TooManyRejectedError) as caught:
        check_rejected_share(of, tolerated=Decimal("0.01"))
    said = str(caught.value)
    assert "3 of 4 completed trips were rejected (1 fare_not_a_number, 2 time_missing)" in said
    assert "share of 0.01" in said
    assert "quarantine/" in said


MAY_25, MAY_26, MAY_27 = date(2024, 5, 25), date(2024, 5, 26), date(2024, 5, 27)


def kpis_of(day: date, total: str, trips: int) -> DayKpis:
    return day_kpis(day, trips=trips, total=total)


@pytest.fixture
def run() -> Finished:
    of = plan(total_segments=2)
    rejected = {Reason.TIME_MISSING: 2}
    part = header(plan_sha256=of.sha256)
    headers = [
        replace(part, counts=counts(counted=3, incomplete=4, **rejected), quarantine_key="q"),
        replace(part, segment=1, counts=counts(counted=0)),
    ]
    days = [
        kpis_of(MAY_25, "12345678901234567890.000000000000000001", 1),
        kpis_of(MAY_26, "0.50", 2),
    ]
    return Finished(
        plan=of,
        proof=prove(of, headers),
        figures=Published(days=days, breakdowns={}),
        publication=Publication(
            outcomes={
                MAY_26: Outcome.UNCHANGED,
                MAY_25: Outcome.PUBLISHED,
                MAY_27: Outcome.VANISHED,
            },
            digests={day.day: digest(day) for day in days},
        ),
        breakdowns={},
        finished_at=PLANNED_AT + timedelta(seconds=90, microseconds=250_000),
    )


def test_the_summary_balances_and_its_total_is_exact(run: Finished) -> None:
    of = json.loads(json.dumps(summary(run)))
    assert of["scanned"] == of["incomplete"] + sum(of["rejected"].values()) + of["counted"] == 9
    assert of["rejected"] == {"time_missing": 2}
    assert of["trips"] == of["counted"] == 3
    assert of["total_fare"] == "12345678901234567890.500000000000000001"
    assert (of["days_published"], of["days_unchanged"], of["days_vanished"]) == (1, 1, 1)
    assert (of["days_superseded"], of["days_removed"]) == (0, 0)
    assert (of["segments"], of["parts"], of["invocations"]) == (2, 2, 1 + 1)
    assert of["seconds"] == 90.25
    assert of["read_units"] == 1.0


FIGURES = ("trip_count", "total_fare", "average_fare", "max_fare", "min_fare")


def test_the_manifest_is_one_line_with_the_sha256_and_the_figures_of_every_day_in_order(
    run: Finished,
) -> None:
    body = manifest(run).to_bytes()
    assert body.endswith(b"}\n")
    assert body.count(b"\n") == 1
    document = json.loads(body)
    assert document["days"] == [
        {
            "date": "2024-05-25",
            "outcome": "published",
            "sha256": hashlib.sha256(run.figures.days[0].to_bytes()).hexdigest(),
            "trip_count": 1,
            "total_fare": "12345678901234567890.000000000000000001",
            "average_fare": "12345678901234567890",
            "max_fare": "1",
            "min_fare": "1",
            "open": False,
            "published_trip_count": None,
        },
        {
            "date": "2024-05-26",
            "outcome": "unchanged",
            "sha256": hashlib.sha256(run.figures.days[1].to_bytes()).hexdigest(),
            "trip_count": 2,
            "total_fare": "0.5",
            "average_fare": "0.25",
            "max_fare": "1",
            "min_fare": "1",
            "open": False,
            "published_trip_count": None,
        },
        {
            "date": "2024-05-27",
            "outcome": "vanished",
            "sha256": None,
            "open": False,
            "published_trip_count": None,
        },
    ]
    assert summary(run).items() <= document.items()
    assert (document["table_id"], document["schema_version"]) == (run.plan.table_id, 2)
    assert document["plan_sha256"] == run.plan.sha256


def test_the_bytes_of_a_manifest_do_not_change(run: Finished) -> None:
    """Athena's table of runs and programs of others read them."""
    marked = replace(
        run.publication,
        shrank={MAY_25: 7},
        open_days=frozenset({MAY_26}),
        warnings=("a day \u2013 <b>",),
    )
    body = manifest(replace(run, publication=marked)).to_bytes()
    assert body == Path(__file__).with_name("manifest.json").read_bytes()
    assert Manifest.from_bytes(body).to_bytes() == body


def test_a_day_that_a_later_run_has_published_keeps_what_this_run_came_to(run: Finished) -> None:
    """A day of neither, which a later run has published, has nothing to keep."""
    publication = Publication(outcomes=dict.fromkeys((MAY_25, MAY_26, MAY_27), Outcome.SUPERSEDED))
    days = json.loads(manifest(replace(run, publication=publication)).to_bytes())["days"]
    assert [day["sha256"] for day in days] == [None] * 3
    for day, body in zip(days, run.figures.days, strict=False):
        published = json.loads(body.to_bytes(), parse_float=str, parse_int=str)
        assert {name: str(day[name]) for name in FIGURES}.items() <= published.items()
    assert not days[2].keys() & set(FIGURES)


def test_the_manifest_balances_per_segment(run: Finished) -> None:
    segments = json.loads(manifest(run).to_bytes())["by_segment"]
    assert [segment["segment"] for segment in segments] == [0, 1]
    for segment in segments:
        rejected = sum(segment["rejected"].values())
        assert segment["scanned"] == segment["incomplete"] + rejected + segment["counted"]
    assert segments[0]["quarantine_keys"] == ["q"]


def test_the_answer_of_the_largest_run_passes_through_every_state() -> None:
    # 256 KiB: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
    of = plan("r" * 80, total_segments=10_000)
    rejected = dict.fromkeys(Reason, 10**6)
    part = header(plan_sha256=of.sha256, counts=counts(counted=10**9, incomplete=10**9, **rejected))
    run = Finished(
        plan=of,
        proof=prove(
            of,
            (
                replace(part, segment=n, invocation=f"{n}", quarantine_key="q")
                for n in range(10_000)
            ),
        ),
        figures=Published(
            days=[
                kpis_of(MAY_25 + timedelta(days=n), "99999999999999.99", 10**9)
                for n in range(3_650)
            ],
            breakdowns={},
        ),
        breakdowns={},
        publication=Publication(
            outcomes={MAY_25 + timedelta(days=n): Outcome.PUBLISHED for n in range(3_650)}
        ),
        finished_at=PLANNED_AT,
    )
    assert len(json.dumps(summary(run))) < 8_192
    assert len(manifest(run).to_bytes()) < 10 * 2**20
