"""What is published: only what changed, and never older figures over newer ones."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any

import pytest

from tests.integration.pipeline import BUCKET_NAME, Pipeline, once_before
from tests.samples import day_kpis, page, plan, rules
from trip_kpis.aws import clients
from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.publishing import Publisher
from trip_kpis.core.definition.parsing import DefinitionFile
from trip_kpis.core.errors import TransientError
from trip_kpis.core.layout import DayObjects
from trip_kpis.core.log.part_builder import PartBuilder, Position
from trip_kpis.core.run.figures import BreakdownDay, DayKpis
from trip_kpis.core.run.publication import Judge, LaterRuns, Outcome, Publication, PublishingTerms
from trip_kpis.core.run.totals import published as figures_of

MAY_25, MAY_26 = date(2024, 5, 25), date(2024, 5, 26)
KEY = "kpis/date=2024-05-25/kpi.json"
FIRST_RUN = datetime(2024, 6, 1, 2, 15, tzinfo=UTC)


def day(total: int, of: date = MAY_25) -> DayKpis:
    return day_kpis(of, total=total, low=total, high=total)


NOW = FIRST_RUN + timedelta(days=1)


def publisher(run: str, at: datetime = FIRST_RUN, **terms: bool) -> Publisher:
    judge = Judge(
        plan=plan(run, now=at),
        terms=PublishingTerms(**terms),
        later=LaterRuns(),
        now=NOW,
        empty_table_confirmed=True,
    )
    return Publisher(bucket=Bucket(clients.s3(), BUCKET_NAME), objects=DayObjects(), judge=judge)


def published(run: int, *figures: DayKpis, **terms: bool) -> Publication:
    """As the run of that number; a higher one was planned later."""
    return publisher(f"run-{run}", FIRST_RUN + timedelta(hours=run), **terms).publish(figures)


def publish(run: int, *figures: DayKpis, remove: bool = False) -> dict[date, Outcome]:
    return published(run, *figures, remove_vanished_days=remove).outcomes


def version(pipeline: Pipeline, key: str = KEY) -> tuple[Any, ...]:
    """What tells an object from one that was written again, the same bytes or not."""
    head = pipeline.s3.head_object(Bucket=BUCKET_NAME, Key=key)
    return head["VersionId"], head["ETag"], head["LastModified"], head["Metadata"]


@pytest.fixture(autouse=True)
def versioned(pipeline: Pipeline) -> None:
    pipeline.s3.put_bucket_versioning(
        Bucket=BUCKET_NAME, VersioningConfiguration={"Status": "Enabled"}
    )


def test_a_day_is_one_object_whose_metadata_says_which_run_wrote_it(pipeline: Pipeline) -> None:
    assert publish(1, day(7), day(8, MAY_26)) == {
        MAY_25: Outcome.PUBLISHED,
        MAY_26: Outcome.PUBLISHED,
    }
    assert pipeline.objects() == {
        KEY: day(7).to_bytes(),
        "kpis/date=2024-05-26/kpi.json": day(8, MAY_26).to_bytes(),
    }
    head = pipeline.s3.head_object(Bucket=BUCKET_NAME, Key=KEY)
    assert head["ContentType"] == "application/json"
    assert head["Metadata"] == {
        "as-of": "2024-06-01T03:15:00.000000+00:00",
        "planned-at": "2024-06-01T03:15:00.000000+00:00",
        "run-id": "run-1",
        "sha256": sha256(day(7).to_bytes()).hexdigest(),
        "trip-count": "1",
        "open": "false",
    }


def test_a_day_that_did_not_change_is_not_rewritten(pipeline: Pipeline) -> None:
    publish(1, day(7))
    before = version(pipeline)
    assert publish(2, day(7)) == {MAY_25: Outcome.UNCHANGED}
    assert version(pipeline) == before


def test_a_newer_run_overwrites_an_older_one(pipeline: Pipeline) -> None:
    publish(1, day(7))
    assert publish(2, day(8)) == {MAY_25: Outcome.PUBLISHED}
    assert pipeline.objects() == {KEY: day(8).to_bytes()}


def test_an_older_run_never_overwrites_a_newer_one(pipeline: Pipeline) -> None:
    publish(2, day(8))
    before = version(pipeline)
    assert publish(1, day(7)) == {MAY_25: Outcome.SUPERSEDED}
    assert version(pipeline) == before


def test_of_two_runs_of_one_microsecond_the_same_one_always_wins(pipeline: Pipeline) -> None:
    one, other = publisher("run-a"), publisher("run-b")
    for first, second in ((one, other), (other, one)):
        pipeline.remove("kpis/")
        first.publish([day(1 if first is one else 2)])
        second.publish([day(1 if second is one else 2)])
        assert pipeline.objects() == {KEY: day(2).to_bytes()}


def test_publishing_again_changes_nothing_and_says_the_same(pipeline: Pipeline) -> None:
    first = publish(1, day(7))
    before = version(pipeline)
    assert publish(1, day(7)) == first == {MAY_25: Outcome.PUBLISHED}
    assert version(pipeline) == before


def test_an_object_without_the_programs_metadata_is_older_than_any_run(pipeline: Pipeline) -> None:
    pipeline.s3.put_object(Bucket=BUCKET_NAME, Key=KEY, Body=b"{}\n")
    assert publish(1, day(7)) == {MAY_25: Outcome.PUBLISHED}
    assert pipeline.objects() == {KEY: day(7).to_bytes()}


@pytest.mark.parametrize("there_before", [True, False])
def test_a_newer_run_that_writes_in_between_wins(pipeline: Pipeline, there_before: bool) -> None:
    if there_before:
        publish(0, day(6))
    once_before("PutObject", lambda: publish(2, day(8)))
    assert publish(1, day(7)) == {MAY_25: Outcome.SUPERSEDED}
    assert pipeline.objects() == {KEY: day(8).to_bytes()}


@pytest.mark.parametrize("there_before", [True, False])
def test_an_older_run_that_writes_in_between_is_overwritten(
    pipeline: Pipeline, there_before: bool
) -> None:
    if there_before:
        publish(0, day(6))
    once_before("PutObject", lambda: publish(1, day(7)))
    assert publish(2, day(8)) == {MAY_25: Outcome.PUBLISHED}
    assert pipeline.objects() == {KEY: day(8).to_bytes()}


def test_an_object_that_goes_away_in_between_is_written_anew(pipeline: Pipeline) -> None:
    publish(0, day(6))
    once_before("PutObject", lambda: pipeline.s3.delete_object(Bucket=BUCKET_NAME, Key=KEY))
    assert publish(1, day(7)) == {MAY_25: Outcome.PUBLISHED}
    assert pipeline.objects() == {KEY: day(7).to_bytes()}


@pytest.mark.parametrize("remove", [False, True])
def test_a_race_that_is_lost_for_ever_is_left_to_a_later_attempt(
    pipeline: Pipeline, remove: bool
) -> None:
    written = count()

    def write_again() -> None:
        body = b"%d" % next(written)
        pipeline.s3.put_object(Bucket=BUCKET_NAME, Key=KEY, Body=body)
        once_before("DeleteObject" if remove else "PutObject", write_again)

    write_again()
    with pytest.raises(TransientError, match="date=2024-05-25"):
        publish(1, *([] if remove else [day(7)]), remove=remove)
    assert next(written) == 1 + 8
    assert pipeline.objects() == {KEY: b"8"}


# Days that have vanished


def test_a_vanished_day_is_kept_and_reported(pipeline: Pipeline) -> None:
    publish(1, day(7), day(8, MAY_26))
    before = version(pipeline)
    assert publish(2, day(8, MAY_26)) == {MAY_25: Outcome.VANISHED, MAY_26: Outcome.UNCHANGED}
    assert version(pipeline) == before


def test_a_vanished_day_is_removed_where_that_is_asked_for(pipeline: Pipeline) -> None:
    publish(1, day(7), day(8, MAY_26))
    outcomes = publish(2, day(8, MAY_26), remove=True)
    assert outcomes == {MAY_25: Outcome.REMOVED, MAY_26: Outcome.UNCHANGED}
    assert list(pipeline.objects()) == ["kpis/date=2024-05-26/kpi.json"]


def test_an_older_run_does_not_remove_a_newer_ones_day(pipeline: Pipeline) -> None:
    publish(2, day(7))
    assert publish(1, remove=True) == {MAY_25: Outcome.SUPERSEDED}
    assert pipeline.objects() == {KEY: day(7).to_bytes()}


def test_a_newer_run_that_writes_before_the_removal_keeps_its_day(pipeline: Pipeline) -> None:
    publish(0, day(6))
    once_before("DeleteObject", lambda: publish(2, day(8)))
    assert publish(1, remove=True) == {MAY_25: Outcome.SUPERSEDED}
    assert pipeline.objects() == {KEY: day(8).to_bytes()}


def test_an_older_run_that_writes_before_the_removal_does_not_prevent_it(
    pipeline: Pipeline,
) -> None:
    publish(0, day(6))
    once_before("DeleteObject", lambda: publish(1, day(7)))
    assert publish(2, remove=True) == {MAY_25: Outcome.REMOVED}
    assert pipeline.objects() == {}


def test_a_day_that_another_run_removes_first_is_removed(pipeline: Pipeline) -> None:
    publish(0, day(6))
    once_before(
        "DeleteObject",
        lambda: pipeline.s3.delete_object(
            Bucket=BUCKET_NAME, Key=KEY, IfMatch=version(pipeline)[1]
        ),
    )
    assert publish(1, remove=True) == {MAY_25: Outcome.REMOVED}


@pytest.mark.parametrize(
    "key",
    ["kpis/", "kpis/notes.txt", "kpis/date=2024-05-25/other.json", "kpis/date=2024-05-25/",
     "kpis/date=soon/kpi.json", "kpis/date=2024-02-30/kpi.json", "kpis/date=2024-05-25/kpi.json.gz",
     "kpis/date=\u0662\u0660\u0662\u0664-05-25/kpi.json"],
)  # fmt: skip
def test_what_is_no_days_object_is_nobodys_business(pipeline: Pipeline, key: str) -> None:
    pipeline.s3.put_object(Bucket=BUCKET_NAME, Key=key, Body=b"x")
    assert publish(1, day(8, MAY_26), remove=True) == {MAY_26: Outcome.PUBLISHED}
    assert pipeline.objects()[key] == b"x"


# Breakdowns: the rules of days, for other objects


BY_CITY = DefinitionFile(
    name="by_city",
    text="""
[item]
day = "at"
[kpis]
trips = { count = true }
[breakdowns]
city = ["city"]
""",
)
CITY = DayObjects("city")
CITY_KEY = "breakdowns/by=city/date=2024-05-25/kpis.jsonl"


def by_city(*cities: str, of: date = MAY_25) -> BreakdownDay:
    """What a run publishes of a day with these items."""
    reading = rules(definition=BY_CITY)
    builder = PartBuilder(position=Position(), rules=reading)
    items = [{"trip_id": {"S": "t"}, "at": {"S": str(of)}, "city": {"S": city}} for city in cities]
    builder.add(page(items, rules=reading))
    found = figures_of(builder.partials.table(), reading.definition, counted=len(cities))
    (day,) = found.breakdowns["city"]
    return day


def publish_cities(run: int, *days: BreakdownDay, **terms: bool) -> Publication:
    of = publisher(f"run-{run}", FIRST_RUN + timedelta(hours=run), **terms)
    return replace(of, objects=CITY).publish(days)


def test_a_breakdowns_object_is_published_beside_the_days(pipeline: Pipeline) -> None:
    publish(1, day(7))
    written = by_city("a", "b", "a")
    publication = publish_cities(1, written)
    assert publication.outcomes == {MAY_25: Outcome.PUBLISHED}
    assert publication.digests == {MAY_25: sha256(written.to_bytes()).hexdigest()}
    assert pipeline.objects() == {KEY: day(7).to_bytes(), CITY_KEY: written.to_bytes()}
    head = pipeline.s3.head_object(Bucket=BUCKET_NAME, Key=CITY_KEY)
    assert head["ContentType"] == "application/jsonl"
    assert head["Metadata"]["trip-count"] == "3"


def test_a_breakdowns_object_that_did_not_change_is_not_rewritten(pipeline: Pipeline) -> None:
    publish_cities(1, by_city("a", "b"))
    before = version(pipeline, CITY_KEY)
    assert publish_cities(2, by_city("b", "a")).outcomes == {MAY_25: Outcome.UNCHANGED}
    assert version(pipeline, CITY_KEY) == before


def test_an_older_run_never_overwrites_a_newer_ones_breakdown(pipeline: Pipeline) -> None:
    publish_cities(2, by_city("a", "b"))
    before = version(pipeline, CITY_KEY)
    superseded = publish_cities(1, by_city("a"))
    assert superseded.outcomes == {MAY_25: Outcome.SUPERSEDED}
    assert superseded.digests == {}
    assert version(pipeline, CITY_KEY) == before


def test_a_breakdown_of_a_day_with_fewer_items_is_overwritten_or_kept(pipeline: Pipeline) -> None:
    publish_cities(1, by_city("a", "b", "c"))
    before = version(pipeline, CITY_KEY)
    kept = publish_cities(2, by_city("a"), keep_shrunk_days=True)
    assert (kept.outcomes, kept.shrank) == ({MAY_25: Outcome.SHRUNK}, {MAY_25: 3})
    assert version(pipeline, CITY_KEY) == before
    overwritten = publish_cities(3, by_city("a"))
    assert (overwritten.outcomes, overwritten.shrank) == (
        {MAY_25: Outcome.PUBLISHED},
        {MAY_25: 3},
    )


@pytest.mark.parametrize(
    ("remove", "outcome"), [(False, Outcome.VANISHED), (True, Outcome.REMOVED)]
)
def test_a_vanished_days_breakdown_is_kept_or_removed_and_the_days_are_left_alone(
    pipeline: Pipeline, remove: bool, outcome: Outcome
) -> None:
    publish(1, day(7))
    publish_cities(1, by_city("a"), by_city("a", of=MAY_26))
    vanished = publish_cities(2, by_city("a", of=MAY_26), remove_vanished_days=remove)
    assert vanished.outcomes == {MAY_25: outcome, MAY_26: Outcome.UNCHANGED}
    assert (CITY_KEY in pipeline.objects()) is not remove
    assert KEY in pipeline.objects()


def test_a_breakdown_of_a_day_that_begins_after_the_plan_is_not_yet_published(
    pipeline: Pipeline,
) -> None:
    to_come = by_city("a", of=(FIRST_RUN + timedelta(days=2)).date())
    assert publish_cities(1, to_come).outcomes == {to_come.day: Outcome.NOT_YET}
    assert pipeline.objects() == {}


def test_other_breakdowns_and_other_files_are_nobodys_business(pipeline: Pipeline) -> None:
    others = [
        "breakdowns/by=city_by_type/date=2024-05-25/kpis.jsonl",
        "breakdowns/by=city/date=2024-05-25/notes.txt",
    ]
    for key in others:
        pipeline.s3.put_object(Bucket=BUCKET_NAME, Key=key, Body=b"x")
    publish_cities(1, by_city("a", of=MAY_26), remove_vanished_days=True)
    assert {key: pipeline.objects()[key] for key in others} == dict.fromkeys(others, b"x")
