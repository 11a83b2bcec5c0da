"""What a stack's bucket holds, fetched into a directory, as `aws s3 sync` would leave it there."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ops.account.account import asking_aws
from ops.account.stack import Stack
from trip_kpis.aws.concurrency import in_order


def fetch(
    stack: Stack, prefixes: Iterable[str], directory: Path, *, wanted: Callable[[str], bool]
) -> list[str]:
    """Every object under the prefixes whose key is `wanted`, each as a file that bears the object's
    time; gives their keys. Raises AccountError.
    """
    client = stack.client("s3")

    def get(found: dict[str, Any]) -> str:
        key: str = found["Key"]
        file = directory / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(client.get_object(Bucket=stack.bucket_name, Key=key)["Body"].read())
        written_at = found["LastModified"].timestamp()
        os.utime(file, (written_at, written_at))
        return key

    with asking_aws(f"for the objects of s3://{stack.bucket_name}"):
        listed = (found for prefix in prefixes for found in _listed(client, stack, prefix))
        return list(in_order(get, (found for found in listed if wanted(found["Key"]))))


def newest_first(stack: Stack, prefix: str) -> list[str]:
    """The keys under the prefix, in the order of their objects' times. Raises AccountError."""
    with asking_aws(f"for the objects of s3://{stack.bucket_name}"):
        found = list(_listed(stack.client("s3"), stack, prefix))
    found.sort(key=lambda one: (one["LastModified"], one["Key"]), reverse=True)
    return [str(one["Key"]) for one in found]


def _listed(client: Any, stack: Stack, prefix: str) -> Iterator[dict[str, Any]]:
    pages = client.get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=stack.bucket_name, Prefix=prefix):
        yield from page.get("Contents", ())
