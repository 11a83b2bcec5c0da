"""The lease object, taken and released by conditional writes: one merge publishes at a time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from trip_kpis.aws.bucket import Bucket, StoredObject
from trip_kpis.aws.logs import logger
from trip_kpis.core.errors import NothingCountedError, TransientError, TripKpisError
from trip_kpis.core.layout import LEASE
from trip_kpis.core.run.lease import Lease

POLL_SECONDS = 5.0
RESERVE_MS = 180_000
"""of the invocation's time: a merge that has waited until less is left would hardly finish"""
_LOST_RACES = 8
"""lost races in a row, against merges that took the lease in between"""


@dataclass(slots=True, kw_only=True)
class PublishingLease:
    """The lease, for one invocation of one run. Every method raises what `aws_call` raises."""

    bucket: Bucket
    run_id: str
    invocation: str
    """request id of the invocation"""
    remaining_ms: Callable[[], int]
    now: Callable[[], datetime] = field(default_factory=lambda: lambda: datetime.now(UTC))
    sleep: Callable[[float], None] = field(default_factory=lambda: time.sleep)

    @classmethod
    def of_invocation(cls, context: Any, *, bucket: Bucket, run_id: str) -> Self:
        """Returns the lease for the invocation with this Lambda context."""
        return cls(
            bucket=bucket,
            run_id=run_id,
            invocation=context.aws_request_id,
            remaining_ms=context.get_remaining_time_in_millis,
        )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Waits for the lease and keeps it while the block runs.

        Raises TransientError where another run has it for as long as this invocation can wait.

        It is released where what happened meanwhile ended well, and after NothingCountedError,
        which comes before any write. After another error a write may still be under way, so other
        runs wait until this invocation's deadline; another attempt of the same run does not.
        """
        mine, follows = self._take()
        try:
            yield
        except NothingCountedError:
            self._try_to_release(mine, follows)
            raise
        self._try_to_release(mine, follows)

    def _try_to_release(self, mine: Lease, follows: Lease | None) -> None:
        try:
            self._release(mine, follows)
        except TripKpisError as error:  # the lease expires by itself
            logger.warning("lease not released", cause=str(error))

    def _take(self) -> tuple[Lease, Lease | None]:
        """Takes the lease; returns it as this invocation has it, and the one that it has taken
        over."""
        wanted = Lease.wanted(
            run_id=self.run_id,
            invocation=self.invocation,
            deadline=self.now() + timedelta(milliseconds=self.remaining_ms()),
        )
        lost_races, waits = 0, False
        while lost_races < _LOST_RACES:
            if self.bucket.put_new(LEASE, wanted.to_bytes(), content_type="application/json"):
                return wanted, None
            stored = self.bucket.get(LEASE)
            there = None if stored is None else Lease.from_bytes(stored.body, now=self.now())
            if there == wanted:  # the answer to an attempt that took effect was lost
                return wanted, None
            if stored is None:
                lost_races += 1
            elif there is None or there.may_be_taken_by(self.run_id, now=self.now()):
                mine = wanted if there is None else there.taken_over_by(wanted)
                if self._replace(stored, mine):
                    return mine, there
                lost_races += 1
            else:
                if not waits:
                    logger.info("waits for the lease", holder=there.run_id)
                lost_races, waits = 0, True
                self._wait_for(there)
        raise TransientError(
            f"{self.bucket.url(LEASE)}: other merges took the publishing lease {_LOST_RACES} times "
            "in between; try again"
        )

    def _wait_for(self, there: Lease) -> None:
        """Sleeps for a short time, or raises TransientError if there is no time to wait any
        longer."""
        if self.remaining_ms() - POLL_SECONDS * 1000 < RESERVE_MS:
            raise TransientError(
                f"the run {there.run_id} is publishing or has been interrupted while it was; other "
                f"runs publish after {there.closed_until.isoformat(timespec='seconds')} at the "
                f"latest ({self.bucket.url(LEASE)}). This merge has waited for as long as it "
                "could; try again"
            )
        self.sleep(POLL_SECONDS)

    def _replace(self, stored: StoredObject, mine: Lease) -> bool:
        """Replaces `stored` by `mine`; returns whether `mine` is stored now."""
        body = mine.to_bytes()
        if self.bucket.replace(
            LEASE, body, etag=stored.etag, content_type="application/json", metadata={}
        ):
            return True
        # The answer to an attempt that took effect may have been lost.
        now_there = self.bucket.get(LEASE)
        return now_there is not None and now_there.body == body

    def _release(self, mine: Lease, follows: Lease | None) -> None:
        stored = self.bucket.get(LEASE)
        if stored is None or stored.body != mine.to_bytes():
            return  # another invocation of this run has taken it over
        left = mine.after_release(follows=follows, now=self.now())
        if left is None:
            self.bucket.delete(LEASE, etag=stored.etag)
        else:
            self._replace(stored, left)
