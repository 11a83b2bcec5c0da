"""Rejected trips, kept with the reason and the value at fault."""

import hashlib

from trip_kpis.aws.bucket import Bucket
from trip_kpis.core.stretch import Stretch


def put_rejected(bucket: Bucket, run_id: str, segment: int, stretch: Stretch) -> str | None:
    """Writes the stretch's rejected trips, one JSON object a line; gives the object's key, or None
    where there are none.

    The key has a digest of the body: a stretch that is read twice writes the same object twice,
    and a part that loses its race leaves one that no part refers to.
    """
    body = stretch.quarantine
    if not body:
        return None
    digest = hashlib.sha256(body).hexdigest()[:16]
    key = (
        f"quarantine/run={run_id}/segment={segment:05d}"
        f"/part-{stretch.position.next_part:05d}-{digest}.jsonl"
    )
    bucket.put(key, body, content_type="application/jsonl")
    return key
