"""The product's own stack, up in an embedded cloud, and what is in its bucket."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ops.local.local_stack import LocalStack, Where, local_stack
from ops.local.trip_files import Trips

NO_IAM = Where(enforce_iam=False)


@contextmanager
def stack_of(
    items: Iterable[dict[str, Any]] = (), *, where: Where = NO_IAM, **parameters: str
) -> Iterator[LocalStack]:
    """Deploys the stack with these parameters, over a table of these items."""
    trips = Trips(
        hash_key="trip_id", sort_key=None, items={(one["trip_id"]["S"],): one for one in items}
    )
    with local_stack(trips, where=where, parameters=parameters, on_loaded=lambda _: None) as local:
        yield local


def objects_in(local: LocalStack, prefix: str) -> dict[str, bytes]:
    """The bodies of the objects in the stack's bucket whose keys begin with `prefix`."""
    s3, bucket = local.client("s3"), local.bucket_name
    found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())
    return {
        one["Key"]: s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in found
    }
