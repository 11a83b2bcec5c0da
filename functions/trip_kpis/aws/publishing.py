"""Publishes the objects that exist once a day: an older run never overwrites a newer run's figures.

Everything here happens under the publishing lease (`aws.lease`), which keeps other merges out.
Conditional writes prevent conflicts with other programs that write to the bucket.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import md5, sha256

from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.concurrency import in_order
from trip_kpis.core.errors import TransientError
from trip_kpis.core.layout import DayObjects
from trip_kpis.core.run.figures import DayObject, Published
from trip_kpis.core.run.publication import (
    Judge,
    Outcome,
    Publication,
    PublishedDay,
    Verdict,
    is_open,
)

_ATTEMPTS = 8
"""lost races in a row over one day, before the merge gives up; each means that something other than
a merge wrote"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Publishes one run's days, or one of its breakdowns. Raises what `aws_call` raises."""

    bucket: Bucket
    objects: DayObjects
    judge: Judge
    _warnings: list[str] = field(default_factory=list, init=False)

    def check(self, days: Sequence[DayObject]) -> None:
        """Raises NothingCountedError as `Judge.check_days` does; writes nothing."""
        self.judge.check_days(days, self._published_days())

    def publish(self, days: Sequence[DayObject]) -> Publication:
        """Writes, keeps or removes every day as `judge` decides, also published days that have no
        items any more.

        Can be repeated: a day that this run has written counts as published again.
        """
        published = self._published_days()
        verdicts = dict(
            zip(
                (day.day for day in days),
                in_order(lambda day: self._publish(day, is_there=day.day in published), days),
                strict=True,
            )
        )
        for day in sorted(published - verdicts.keys()):
            verdicts[day] = self._vanished(day)
        return Publication(
            outcomes={day: verdict.outcome for day, verdict in verdicts.items()},
            digests={
                day: verdict.digest
                for day, verdict in verdicts.items()
                if verdict.digest is not None
            },
            open_days=frozenset(
                day
                for day, verdict in verdicts.items()
                if is_open(self.judge.plan, day) and verdict.outcome is not Outcome.NOT_YET
            ),
            shrank={
                day: verdict.shrank_from
                for day, verdict in sorted(verdicts.items())
                if verdict.shrank_from is not None
            },
            warnings=(*self.judge.later.warnings, *sorted(self._warnings)),
        )

    def _published_days(self) -> frozenset[date]:
        """Returns every day that has an object, whichever run wrote it."""
        keys = self.bucket.keys(self.objects.prefix)
        return frozenset(day for day in map(self.objects.day_at, keys) if day is not None)

    def _publish(self, day: DayObject, *, is_there: bool) -> Verdict:
        for _ in range(_ATTEMPTS):
            there = self._there(day.day, compared_with=day) if is_there else None
            verdict = self.judge.of_counted(day, there)
            if not verdict.write or self._write(day, verdict, there):
                self._warn(day.day, there, verdict)
                return verdict
            is_there = True
        raise self._lost(day.day)

    def _vanished(self, day: date) -> Verdict:
        for _ in range(_ATTEMPTS):
            there = self._there(day)
            if there is None:
                return Verdict(outcome=Outcome.REMOVED)
            verdict = self.judge.of_vanished(day, there)
            if verdict.outcome is not Outcome.REMOVED or self._delete(day, there):
                self._warn(day, there, verdict)
                return verdict
        raise self._lost(day)

    def _there(self, day: date, *, compared_with: DayObject | None = None) -> PublishedDay | None:
        """Returns what is published, as far as its metadata says; reads the body only if the
        metadata is not enough to compare it."""
        head = self.bucket.head(self.objects.key(day))
        if head is None:
            return None
        there = PublishedDay.from_metadata(head.etag, head.metadata)
        if compared_with is not None and there.sha256 is None:
            body = compared_with.to_bytes()
            if head.etag.strip('"') == md5(body, usedforsecurity=False).hexdigest():
                return replace(there, sha256=sha256(body).hexdigest())
            if not head.is_archived:
                return self._with_body(day, there)
        return there

    def _with_body(self, day: date, there: PublishedDay) -> PublishedDay:
        """Reads the body of an object that another program wrote, or a version without all of the
        metadata."""
        stored = self.bucket.get(self.objects.key(day))
        if stored is None or stored.etag != there.etag:
            return there
        return replace(
            there, sha256=sha256(stored.body).hexdigest(), trip_count=_trip_count(stored.body)
        )

    def _write(self, day: DayObject, verdict: Verdict, there: PublishedDay | None) -> bool:
        """Writes the object; returns False if something else has written it in between."""
        key, body = self.objects.key(day.day), day.to_bytes()
        metadata = self.judge.metadata(day, verdict)
        if there is None:
            return self.bucket.put_new(
                key, body, content_type=self.objects.content_type, metadata=metadata
            )
        return self.bucket.replace(
            key, body, etag=there.etag, content_type=self.objects.content_type, metadata=metadata
        )

    def _delete(self, day: date, there: PublishedDay) -> bool:
        return self.bucket.delete(self.objects.key(day), etag=there.etag)

    def _warn(self, day: date, there: PublishedDay | None, verdict: Verdict) -> None:
        key = self.objects.key(day)
        if there is not None and self.judge.has_impossible_as_of(there):
            became = "the object was overwritten" if verdict.write else "it counts as the oldest"
            self._warnings.append(
                f"{key} had the as-of time {there.as_of!r}, which no run can have: {became}"
            )
        if there is not None and verdict.outcome is Outcome.SHRUNK and verdict.shrank_from is None:
            self._warnings.append(
                f"{key} is archived and does not say how many trips it counts: it was "
                "kept (ShrunkDays is keep). Restore or remove it to have the day published again"
            )

    def _lost(self, day: date) -> TransientError:
        return TransientError(
            f"{self.objects.key(day)}: something other than this merge wrote it {_ATTEMPTS} times "
            f"in between; try again, and look at what else may write to {self.objects.prefix}"
        )


def publish(
    figures: Published, *, bucket: Bucket, judge: Judge
) -> tuple[Publication, dict[str, Publication]]:
    """Publishes a run's breakdowns, and then its days; returns the Publication of the days, and
    those of the breakdowns by name.

    Raises NothingCountedError as `Judge.check_days`, before anything is written.
    """
    days = Publisher(bucket=bucket, judge=judge, objects=DayObjects())
    days.check(figures.days)
    breakdowns = {
        name: replace(days, objects=DayObjects(name)).publish(of_breakdown)
        for name, of_breakdown in figures.breakdowns.items()
    }
    return days.publish(figures.days), breakdowns


def _trip_count(body: bytes) -> int | None:
    try:
        count = json.loads(body)["trip_count"]
    except (ValueError, KeyError, TypeError):
        return None
    return count if isinstance(count, int) and count >= 0 else None
