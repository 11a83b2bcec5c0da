"""The metrics of the functions, by the names that the dashboard and the alarms use."""

from collections.abc import Mapping
from enum import StrEnum

from trip_kpis.core.log.counts import Counts


class Measure(StrEnum):
    """A metric's name in CloudWatch."""

    PAGES_SCANNED = "PagesScanned"
    ITEMS_SCANNED = "ItemsScanned"
    TRIPS_COUNTED = "TripsCounted"
    TRIPS_INCOMPLETE = "TripsIncomplete"
    TRIPS_REJECTED = "TripsRejected"
    """also by reason"""
    READ_UNITS = "ReadUnits"
    THROTTLES = "Throttles"
    SCAN_SECONDS = "ScanSeconds"
    """seconds of one invocation"""
    REJECTED_SHARE = "RejectedShare"
    """of a run's completed trips, whether the run may publish or not"""
    INVOCATIONS_PER_SEGMENT = "InvocationsPerSegment"
    """invocations of the segment of a run that took the most"""
    SEGMENT_SKEW = "SegmentSkew"
    """pages of the longest segment of a run ÷ pages of an average one"""
    COST_USD = "CostUsd"
    DAYS_PUBLISHED = "DaysPublished"
    """written by this run; unchanged days are not counted"""


def of_invocation(appended: Counts, *, seconds: float) -> Mapping[Measure, float]:
    """Returns the metrics of an invocation of ScanSegment that has appended so much."""
    return {
        Measure.PAGES_SCANNED: appended.pages,
        Measure.ITEMS_SCANNED: appended.scanned,
        Measure.TRIPS_COUNTED: appended.counted,
        Measure.TRIPS_INCOMPLETE: appended.incomplete,
        Measure.TRIPS_REJECTED: appended.rejected_in_all,
        Measure.READ_UNITS: appended.read_units,
        Measure.THROTTLES: sum(appended.throttles.values()),
        Measure.SCAN_SECONDS: seconds,
    }


def of_proof(counts: Counts) -> Mapping[Measure, float]:
    """Returns the metrics of a complete run, before it publishes anything."""
    completed = counts.rejected_in_all + counts.counted
    return {Measure.REJECTED_SHARE: counts.rejected_in_all / completed if completed else 0.0}
