"""The gate before publishing, and what a run says of itself afterwards."""

import hashlib
import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.samples import (
    PLANNED_AT,
    counts,
    day_kpis,
    frozen_export,
    header,
    page,
    plan,
    prove,
)
from trip_kpis.core.definition.parsing import DefinitionFile
from trip_kpis.core.errors import TooManyRejectedError
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.log.part_builder import PartBuilder, Position
from trip_kpis.core.run.figures import DayKpis, Published, digest
from trip_kpis.core.run.manifest import Finished, Manifest, manifest, summary
from trip_kpis.core.run.plan import FrozenDefinition
from trip_kpis.core.run.publication import Outcome, Publication
from trip_kpis.core.run.quality import check_rejected_share
from trip_kpis.core.run.totals import published


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
NO_FIGURES = dict.fromkeys(FIGURES)


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
            **NO_FIGURES,
            "open": False,
            "published_trip_count": None,
        },
    ]
    assert summary(run).items() <= document.items()
    assert (document["table_id"], document["schema_version"]) == (run.plan.table_id, 3)
    assert document["plan_sha256"] == run.plan.sha256


def of_export(run: Finished, **of_plan: Any) -> Finished:
    """The run, of an export whose instant is half a day before the plan."""
    export = frozen_export(9, 1, as_of=PLANNED_AT - timedelta(hours=12))
    billed = msgspec.structs.replace(export, billed_bytes=100 * 2**30)
    return replace(run, plan=replace(run.plan, source="export", **of_plan).with_export(billed))


def test_a_run_says_what_it_read_and_as_of_when(run: Finished) -> None:
    scanned, exported = (json.loads(manifest(of).to_bytes()) for of in (run, of_export(run)))
    names = ("source", "export_arn", "as_of")
    assert [scanned[name] for name in names] == ["scan", None, "2024-06-01T02:15:00.000000+00:00"]
    assert [exported[name] for name in names] == [
        "export", of_export(run).plan.export.export_arn, "2024-05-31T14:15:00.000000+00:00",
    ]  # fmt: skip
    read = Manifest.from_bytes(manifest(of_export(run)).to_bytes())
    assert (read.source, read.as_of) == ("export", PLANNED_AT - timedelta(hours=12))
    assert (
        json.loads(json.dumps(summary(of_export(run))))["as_of"]
        == "2024-05-31T14:15:00.000000+00:00"
    )


def test_a_manifest_of_an_earlier_version_is_a_scans(run: Finished) -> None:
    document = json.loads(manifest(run).to_bytes())
    for name in ("source", "export_arn", "as_of"):
        del document[name]
    read = Manifest.from_bytes(json.dumps(document).encode())
    assert (read.source, read.export_arn, read.as_of) == ("scan", None, None)


def test_an_export_that_the_run_made_is_in_its_cost_and_another_is_not(run: Finished) -> None:
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/trips/export/1-a"
    of_own, of_other = (
        json.loads(manifest(of).to_bytes())["cost_usd"]
        for of in (of_export(run), of_export(run, export_arn=arn))
    )
    assert of_own["dynamodb"] - of_other["dynamodb"] == pytest.approx(10)


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
    assert NO_FIGURES.items() <= days[2].items()


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


# Other definitions

BY_CITY = DefinitionFile(
    name="by_city",
    text="""
[item]
day = "at"
[kpis]
n     = { count = true }
total = { sum = "fare" }
mean  = { average = "fare" }
[breakdowns]
city = ["city"]
""",
)


@pytest.fixture
def by_city(run: Finished) -> Finished:
    of = replace(run.plan, kpi_definition=FrozenDefinition.of(BY_CITY))
    builder = PartBuilder(position=Position(), rules=of.rules)
    items = [
        {"trip_id": {"S": "t"}, "at": {"S": "2024-05-25"}, "fare": {"N": fare}, "city": {"S": city}}
        for fare, city in (("1.5", "a"), ("2", "b"), ("3", "a"))
    ]
    builder.add(page(items, rules=of.rules))
    figures = published(builder.partials.table(), of.definition, counted=3)
    (city,) = figures.breakdowns["city"]
    return replace(
        run,
        plan=of,
        figures=figures,
        publication=Publication(
            outcomes={MAY_25: Outcome.PUBLISHED}, digests={MAY_25: digest(figures.days[0])}
        ),
        breakdowns={
            "city": Publication(
                outcomes={MAY_26: Outcome.VANISHED, MAY_25: Outcome.PUBLISHED},
                digests={MAY_25: digest(city)},
                shrank={MAY_25: 9},
                warnings=("of a breakdown",),
            )
        },
    )


def test_a_manifest_has_the_kpis_of_its_definition_flat_in_the_days(by_city: Finished) -> None:
    document = json.loads(manifest(by_city).to_bytes())
    (day,) = document["days"]
    assert list(day.items()) == [
        ("date", "2024-05-25"),
        ("outcome", "published"),
        ("sha256", hashlib.sha256(by_city.figures.days[0].to_bytes()).hexdigest()),
        ("n", 3),
        ("total", "6.5"),
        ("mean", "2.166667"),
        ("open", False),
        ("published_trip_count", None),
    ]
    assert document["definition"] == "by_city"
    assert document["definition_sha256"] == BY_CITY.sha256
    assert document["totals"] == {"n": "3", "total": "6.5"}
    assert "total_fare" not in document


def test_a_manifest_has_each_breakdowns_objects(by_city: Finished) -> None:
    document = json.loads(manifest(by_city).to_bytes())
    (city,) = by_city.figures.breakdowns["city"]
    assert document["breakdowns"] == {
        "city": [
            {
                "date": "2024-05-25",
                "outcome": "published",
                "sha256": hashlib.sha256(city.to_bytes()).hexdigest(),
                "groups": 2,
                "published_trip_count": 9,
            },
            {
                "date": "2024-05-26",
                "outcome": "vanished",
                "sha256": None,
                "groups": None,
                "published_trip_count": None,
            },
        ]
    }
    assert "of a breakdown" in document["warnings"]


def test_reading_inverts_writing_a_manifest(by_city: Finished) -> None:
    body = manifest(by_city).to_bytes()
    read = Manifest.from_bytes(body)
    assert read.to_bytes() == body
    assert read.days[0].kpis == {"n": 3, "total": Decimal("6.5"), "mean": Decimal("2.166667")}
    assert read == manifest(by_city)


def test_a_manifest_of_an_earlier_version_has_nulls_for_the_figures_of_a_day(run: Finished) -> None:
    document = json.loads(manifest(run).to_bytes())
    for name in ("totals", "definition", "definition_sha256", "excluded", "breakdowns"):
        del document[name]
    read = Manifest.from_bytes(json.dumps(document).encode())
    assert read.days[2].kpis == NO_FIGURES
    assert (read.definition, read.excluded, read.breakdowns) == ("trips", 0, {})


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"days": 7}', b'{"days": [7]}', b"\xff"],
)
def test_what_is_no_manifest_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        Manifest.from_bytes(body)


def test_excluded_items_are_in_every_count(by_city: Finished) -> None:
    plan = replace(by_city.plan, total_segments=1)
    part = header(plan_sha256=plan.sha256, counts=counts(counted=3, excluded=5))
    of = replace(by_city, plan=plan, proof=prove(plan, [part]))
    document = json.loads(manifest(of).to_bytes())
    assert (summary(of)["excluded"], summary(of)["scanned"]) == (5, 8)
    assert (document["excluded"], document["by_segment"][0]["excluded"]) == (5, 5)


def test_what_is_excluded_neither_helps_nor_harms() -> None:
    of = counts(counted=98, excluded=10**6, **{Reason.TIME_MISSING: 2})
    with pytest.raises(TooManyRejectedError):
        check_rejected_share(of, tolerated=Decimal("0.01"))
