"""Fetches the objects of a stack's bucket into a directory, as `aws s3 sync` would."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ops.runs.copied_files import file_of
from ops.runs.storage import Listed
from ops.stack.account import asking_aws
from ops.stack.stack import Stack
from trip_kpis.aws.concurrency import in_order
from trip_kpis.core.layout import is_known


@dataclass(frozen=True, slots=True)
class Fetched:
    """The keys of the fetched objects, and of those that no run writes."""

    keys: tuple[str, ...]
    foreign: tuple[str, ...]


def fetch(
    stack: Stack, prefixes: Iterable[str], directory: Path, *, wanted: Callable[[str], bool]
) -> Fetched:
    """Fetches every object under the prefixes whose key is `wanted` and of this program's layout,
    each as a file with the object's time. Raises AccountError."""
    bucket = stack.bucket()
    foreign: list[str] = []

    def get(found: Listed) -> str | None:
        body = bucket.read(found.key)
        if body is None:  # it was removed after it was listed
            return None
        file = file_of(directory, found.key)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        written_at = found.written_at.timestamp()
        os.utime(file, (written_at, written_at))
        return found.key

    def known() -> Iterator[Listed]:
        for found in (found for prefix in prefixes for found in bucket.objects(prefix)):
            if not wanted(found.key):
                continue
            if is_known(found.key):
                yield found
            else:
                foreign.append(found.key)

    with asking_aws(stack.account, f"for the objects of s3://{stack.bucket_name}"):
        keys = tuple(key for key in in_order(get, known()) if key is not None)
    return Fetched(keys, tuple(foreign))


def newest_first(stack: Stack, prefix: str) -> list[str]:
    """Returns the keys of this program's layout under the prefix, the newest object first.

    Raises AccountError.
    """
    found = sorted(_known(stack, prefix), key=lambda one: (one.written_at, one.key), reverse=True)
    return [one.key for one in found]


def written_last(stack: Stack, prefix: str) -> list[str]:
    """Returns the keys that may have been written last: S3 has times in seconds.

    Raises AccountError.
    """
    found = _known(stack, prefix)
    last = max((one.written_at for one in found), default=None)
    return [one.key for one in found if one.written_at == last]


def _known(stack: Stack, prefix: str) -> list[Listed]:
    with asking_aws(stack.account, f"for the objects of s3://{stack.bucket_name}"):
        return [one for one in stack.bucket().objects(prefix) if is_known(one.key)]
