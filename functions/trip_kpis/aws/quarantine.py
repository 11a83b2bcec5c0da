"""Rejected trips, kept with the reason and the value at fault."""

import hashlib

from trip_kpis.aws.bucket import Bucket
from trip_kpis.core.log.part_builder import PartBuilder


def put_rejected(bucket: Bucket, run_id: str, segment: int, builder: PartBuilder) -> str | None:
    """Writes the builder's rejected trips, one JSON object a line; gives the object's key, or None
    where there are none.

    The key has a digest of the body: a builder that is read twice writes the same object twice,
    and a part that loses its race leaves one that no part refers to.
    """
    body = builder.quarantine
    if not body:
        return None
    digest = hashlib.sha256(body).hexdigest()[:16]
    key = (
        f"quarantine/run={run_id}/segment={segment:05d}"
        f"/part-{builder.position.next_part:05d}-{digest}.jsonl"
    )
    bucket.put(key, body, content_type="application/jsonl")
    return key
