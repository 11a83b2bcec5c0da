"""The days' `kpi.json` objects: an older run never overwrites a newer one's figures."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from trip_kpis.aws.bucket import Bucket, StoredObject
from trip_kpis.aws.concurrency import in_order
from trip_kpis.core.errors import TransientError
from trip_kpis.core.kpis import DayKpis
from trip_kpis.core.plan import Plan
from trip_kpis.core.results import Outcome

PREFIX = "kpis/date="
_KEY = re.compile(PREFIX + r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})/kpi\.json")
_AS_OF = "as-of"
_RUN_ID = "run-id"
_ATTEMPTS = 8
"""lost races in a row over one day before the merge gives up; each means that another run wrote"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Publishes one run's days. Raises what `aws_call` raises."""

    bucket: Bucket
    plan: Plan
    earlier_run_may_publish: bool = False
    """then a day whose bytes are there already is written again all the same, with this run's as-of
    time: the earlier run would take the older time on it for leave to overwrite"""
    later_run_has_removed: bool = False
    """vanished days are removed and a later run has finished: an absent day stays away"""

    def publish(self, days: Sequence[DayKpis], *, remove_vanished: bool) -> dict[date, Outcome]:
        """Writes every day whose bytes are not there already and not a later run's; removes the
        days that are no longer in the table if asked to. The outcome of every day of either kind.

        Can be repeated: a day that this run has written counts as published again.
        """
        outcomes = dict(zip((day.day for day in days), in_order(self._publish, days), strict=True))
        for day in sorted(self._published_days() - outcomes.keys()):
            outcomes[day] = self._remove(day) if remove_vanished else Outcome.VANISHED
        return outcomes

    def _published_days(self) -> set[date]:
        """Every day that has a `kpi.json`, whichever run wrote it."""
        return {day for day in map(_day, self.bucket.keys(PREFIX)) if day is not None}

    def _publish(self, day: DayKpis) -> Outcome:
        key, body = _key(day.day), day.to_bytes()
        for _ in range(_ATTEMPTS):
            there = self.bucket.get(key)
            if self._is_later(there):
                return Outcome.SUPERSEDED
            same = there is not None and there.body == body
            if same and self._is_mine(there):
                return Outcome.PUBLISHED
            if same and not self.earlier_run_may_publish:
                return Outcome.UNCHANGED
            if self._put(key, body, there):
                return Outcome.UNCHANGED if same else Outcome.PUBLISHED
        raise _beaten(key)

    def _remove(self, day: date) -> Outcome:
        key = _key(day)
        for _ in range(_ATTEMPTS):
            there = self.bucket.get(key)
            if there is None:
                return Outcome.REMOVED
            if self._is_later(there):
                return Outcome.SUPERSEDED
            if self.bucket.delete(key, etag=there.etag):
                return Outcome.REMOVED
        raise _beaten(key)

    def _put(self, key: str, body: bytes, there: StoredObject | None) -> bool:
        metadata = {_AS_OF: self.plan.planned_at, _RUN_ID: self.plan.run_id}
        if there is None:
            return self.bucket.put_new(
                key, body, content_type="application/json", metadata=metadata
            )
        return self.bucket.replace(
            key, body, etag=there.etag, content_type="application/json", metadata=metadata
        )

    def _is_mine(self, there: StoredObject | None) -> bool:
        return there is not None and there.metadata.get(_RUN_ID) == self.plan.run_id

    def _is_later(self, there: StoredObject | None) -> bool:
        """Is that a later run's doing? As-of times are UTC with microseconds in ISO 8601, so that
        text order is time order; the run id decides between two runs of one microsecond."""
        if there is None:
            return self.later_run_has_removed
        theirs = there.metadata.get(_AS_OF, ""), there.metadata.get(_RUN_ID, "")
        return theirs > (self.plan.planned_at, self.plan.run_id)


def _key(day: date) -> str:
    return f"{PREFIX}{day.isoformat()}/kpi.json"


def _day(key: str) -> date | None:
    """The day of a `kpi.json`; None for a key that the program never writes."""
    match = _KEY.fullmatch(key)
    try:
        return date.fromisoformat(match["day"]) if match else None
    except ValueError:  # no day of the calendar
        return None


def _beaten(key: str) -> TransientError:
    return TransientError(f"{key}: other runs wrote it {_ATTEMPTS} times in between; try again")
