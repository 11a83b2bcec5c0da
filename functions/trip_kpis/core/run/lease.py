"""The lease that lets one merge publish at a time: the content of its object, and who may take it.

A comparison of ETags cannot order two merges: on a bucket with SSE-S3 the ETag is the MD5 of the
content, so it stays the same when a newer run confirms a day
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html). A merge therefore holds the lease
from its first comparison to its manifest. Lambda ends every invocation at its time limit
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html), so after that moment, and
a margin, nobody acts on a lease any more, whatever became of its holder.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Self

MARGIN = timedelta(seconds=60)
"""for clocks that differ, and for a request that is under way when its sender is ended"""
LONGEST_INVOCATION = timedelta(minutes=15)
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The content of the lease object; unique, because each invocation takes it once."""

    run_id: str
    invocation: str
    deadline: datetime
    """latest time at which the holder's invocation ends"""
    closed_until: datetime
    """other runs wait until then, and MARGIN: the latest deadline of this run's invocations that
    have had the lease, of which an earlier one may still be running"""
    released: bool = False
    """whether the holder is finished, and only earlier invocations may still be running"""

    @classmethod
    def wanted(cls, *, run_id: str, invocation: str, deadline: datetime) -> Self:
        """Returns the lease of a holder that follows no other holder."""
        return cls(run_id=run_id, invocation=invocation, deadline=deadline, closed_until=deadline)

    def to_bytes(self) -> bytes:
        document = asdict(self) | {
            "deadline": self.deadline.isoformat(),
            "closed_until": self.closed_until.isoformat(),
        }
        return (json.dumps(document) + "\n").encode()

    @classmethod
    def from_bytes(cls, body: bytes, *, now: datetime) -> Self | None:
        """Inverts `to_bytes`; None for what no merge can have written, which nobody holds.

        Such are deadlines that no invocation has, because it would have to run for longer than
        Lambda lets it.
        """
        try:
            document = json.loads(body)
            lease = cls(
                run_id=str(document["run_id"]),
                invocation=str(document["invocation"]),
                deadline=datetime.fromisoformat(document["deadline"]),
                closed_until=datetime.fromisoformat(document["closed_until"]),
                released=bool(document["released"]),
            )
            latest = now + LONGEST_INVOCATION + MARGIN
            return lease if max(lease.deadline, lease.closed_until) <= latest else None
        except (KeyError, TypeError, ValueError):  # TypeError: also a time without an offset
            return None

    def may_be_taken_by(self, run_id: str, *, now: datetime) -> bool:
        """Returns whether an invocation of this run may take over the lease now.

        One of the same run may at once: what an earlier one may still write are the same bytes.
        """
        return run_id == self.run_id or now > self.closed_until + MARGIN

    def taken_over_by(self, wanted: "Lease") -> "Lease":
        """Returns the lease that the next holder writes in place of this lease."""
        if wanted.run_id != self.run_id:
            return wanted
        return replace(wanted, closed_until=max(wanted.deadline, self.closed_until))

    def after_release(self, *, follows: "Lease | None", now: datetime) -> "Lease | None":
        """Returns what the holder leaves when it is finished: None, or the lease that keeps other
        runs away as long as an earlier invocation of this run may be running.

        `follows` is the lease that this one has taken over.
        """
        if follows is None or follows.run_id != self.run_id or now > follows.closed_until + MARGIN:
            return None
        return replace(self, closed_until=follows.closed_until, released=True)
