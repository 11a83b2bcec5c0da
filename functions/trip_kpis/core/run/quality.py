"""The checks before publishing: too many rejected trips, or none that counts."""

from decimal import Decimal

from trip_kpis.core.errors import NothingCountedError, TooManyRejectedError
from trip_kpis.core.log.counts import Counts


def check_quality(counts: Counts, *, max_rejected_share: Decimal) -> None:
    """Raises TooManyRejectedError or NothingCountedError if the run must not publish."""
    check_rejected_share(counts, tolerated=max_rejected_share)
    check_something_counts(counts)


def check_rejected_share(counts: Counts, *, tolerated: Decimal) -> None:
    """Raises TooManyRejectedError above the `tolerated` share of trips."""
    if counts.rejects_more_than(tolerated):
        completed = counts.rejected_in_all + counts.counted
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(counts.rejected.items()))
        raise TooManyRejectedError(
            f"{counts.rejected_in_all} of {completed} completed trips were rejected ({reasons}), "
            f"more than the share of {tolerated} that MaxRejectedShare tolerates; nothing was "
            "published. Look at them under quarantine/, then fix the trips and start a new run, "
            "or raise MaxRejectedShare and resume this one"
        )


def check_something_counts(counts: Counts) -> None:
    """Raises NothingCountedError if there are items and none of them counts: a wrong attribute path
    has this effect, and readers would see old figures for ever."""
    if counts.scanned and not counts.counted:
        excluded = f"{counts.excluded} are excluded, " if counts.excluded else ""
        check = (
            "[item.where] of the KPI definition fits the table's items: a String, a Number and a "
            "Boolean that look the same are different values"
            if counts.excluded == counts.scanned
            else "FareAttribute and EstimatedFareAttribute, or the KPI definition, name the "
            "table's attributes: an estimate lists those that its items have"
        )
        raise NothingCountedError(
            f"none of the {counts.scanned} items of the table counts ({excluded}"
            f"{counts.incomplete} are incomplete, {counts.rejected_in_all} are rejected); nothing "
            f"was published. Check whether {check}. Then start a new run"
        )
