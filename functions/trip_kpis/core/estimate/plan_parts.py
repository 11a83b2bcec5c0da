"""A run's parts must fit into one merge: the forecast of a plan, and its checkpoint interval."""

from dataclasses import replace
from typing import TYPE_CHECKING

from trip_kpis.core.errors import TooManyPartsError
from trip_kpis.core.estimate.forecast import LONGEST_CHECKPOINT_SECONDS, EstimateTerms, Forecast
from trip_kpis.core.estimate.plan_notes import too_many_parts
from trip_kpis.core.items.fares import MOST_TRIPS

if TYPE_CHECKING:
    from trip_kpis.core.run.plan import Plan


def forecast(plan: "Plan", terms: EstimateTerms, *, rejected_trips: float = 0) -> Forecast:
    """Of the plan's run, if its segments are equally long and so many trips are rejected."""
    return Forecast.of(
        table_bytes=plan.estimate.table_bytes,
        read_units=plan.estimate.read_units,
        seconds_at_least=plan.estimate.seconds_at_least,
        segments=plan.total_segments,
        max_concurrency=plan.max_concurrency,
        checkpoint_seconds=plan.checkpoint_seconds,
        scan_memory_mb=terms.scan_memory_mb,
        merge_memory_mb=terms.merge_memory_mb,
        consistent_read=plan.consistent_read,
        rejected_trips=rejected_trips,
    )


def check_parts(plan: "Plan", terms: EstimateTerms) -> None:
    """Raises TooManyPartsError where one merge would not have time for the run's parts, however
    long its checkpoint interval."""
    expected = forecast(plan, terms)
    if not expected.fits(merge_memory_mb=terms.merge_memory_mb):
        raise TooManyPartsError(too_many_parts(plan, expected, terms))


def with_parts_for_one_merge(plan: "Plan", terms: EstimateTerms) -> "Plan":
    """With the shortest checkpoint interval, from the plan's own on, at which one merge has time
    for the run's parts; with the longest where there is none.

    Parts for as many rejected trips as are tolerated are counted, unless that is too many by
    itself: how many there will be is not known.
    """
    completed = min(plan.estimate.item_count, MOST_TRIPS)
    tolerated = float(completed * terms.max_rejected_share)
    intervals = range(plan.checkpoint_seconds, LONGEST_CHECKPOINT_SECONDS + 1)
    for rejected_trips in (tolerated, 0):
        for seconds in intervals:
            longer = replace(plan, checkpoint_seconds=seconds)
            if forecast(longer, terms, rejected_trips=rejected_trips).fits(
                merge_memory_mb=terms.merge_memory_mb
            ):
                return _with_parts(longer, terms, tolerated)
    longest = replace(plan, checkpoint_seconds=LONGEST_CHECKPOINT_SECONDS)
    return _with_parts(longest, terms, tolerated)


def _with_parts(plan: "Plan", terms: EstimateTerms, rejected_trips: float) -> "Plan":
    expected = forecast(plan, terms, rejected_trips=rejected_trips)
    return replace(
        plan,
        estimate=replace(plan.estimate, parts=expected.parts, merge_seconds=expected.merge_seconds),
    )
