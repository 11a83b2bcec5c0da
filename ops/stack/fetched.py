"""What a stack's bucket holds, fetched into a directory, as `aws s3 sync` would leave it there."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.runs.layout import file_of, is_known
from ops.stack.account import asking_aws
from ops.stack.stack import Stack
from trip_kpis.aws.concurrency import in_order


@dataclass(frozen=True, slots=True)
class Fetched:
    """The keys of the objects that were fetched, and of those that no run writes."""

    keys: tuple[str, ...]
    foreign: tuple[str, ...]


def fetch(
    stack: Stack, prefixes: Iterable[str], directory: Path, *, wanted: Callable[[str], bool]
) -> Fetched:
    """Every object under the prefixes whose key is `wanted` and of the product's layout, each as a
    file that bears the object's time. Raises AccountError.
    """
    client = stack.client("s3")
    foreign: list[str] = []

    def get(found: dict[str, Any]) -> str:
        key: str = found["Key"]
        file = file_of(directory, key)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(client.get_object(Bucket=stack.bucket_name, Key=key)["Body"].read())
        written_at = found["LastModified"].timestamp()
        os.utime(file, (written_at, written_at))
        return key

    def known() -> Iterator[dict[str, Any]]:
        for found in (found for prefix in prefixes for found in _listed(client, stack, prefix)):
            if not wanted(found["Key"]):
                continue
            if is_known(found["Key"]):
                yield found
            else:
                foreign.append(found["Key"])

    with asking_aws(f"for the objects of s3://{stack.bucket_name}"):
        keys = tuple(in_order(get, known()))
    return Fetched(keys, tuple(foreign))


def newest_first(stack: Stack, prefix: str) -> list[str]:
    """The keys of the product's layout under the prefix, in the order of their objects' times.

    Raises AccountError.
    """
    with asking_aws(f"for the objects of s3://{stack.bucket_name}"):
        listed = _listed(stack.client("s3"), stack, prefix)
        found = [one for one in listed if is_known(one["Key"])]
    found.sort(key=lambda one: (one["LastModified"], one["Key"]), reverse=True)
    return [str(one["Key"]) for one in found]


def _listed(client: Any, stack: Stack, prefix: str) -> Iterator[dict[str, Any]]:
    pages = client.get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=stack.bucket_name, Prefix=prefix):
        yield from page.get("Contents", ())
