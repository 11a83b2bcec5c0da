"""Reads the objects of runs, from an S3 bucket or a directory."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from glob import escape
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

from ops.object_on_disk import ObjectOnDisk, file_name
from trip_kpis.core.layout import is_known

STATE_OBJECTS = Path("state", "objects")
"""the place of the bucket's objects in the directory of a run on this machine"""


@dataclass(frozen=True, slots=True)
class Listed:
    """An object in a listing."""

    key: str
    written_at: datetime


class Storage(Protocol):
    """Objects by their keys, in a bucket or a directory."""

    def objects(self, prefix: str) -> Iterator[Listed]:
        """Lists the objects whose keys begin with the prefix."""
        ...

    def read(self, key: str) -> bytes | None:
        """Returns the object's body; None if it does not exist."""
        ...


class Bucket:
    """An S3 bucket, through a boto3 client. Everything raises botocore's errors."""

    def __init__(self, client: Any, name: str, *, may_be_absent: bool = False) -> None:
        """Creates the storage: a bucket that does not exist has no objects if it `may_be_absent`;
        otherwise it is an error."""
        self._client = client
        self._name = name
        self._may_be_absent = may_be_absent

    def objects(self, prefix: str) -> Iterator[Listed]:
        pages = self._client.get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=self._name, Prefix=prefix):
                for found in page.get("Contents", ()):
                    yield Listed(found["Key"], found["LastModified"])
        except self._client.exceptions.NoSuchBucket:
            if not self._may_be_absent:
                raise

    def read(self, key: str) -> bytes | None:
        try:
            answer = self._client.get_object(Bucket=self._name, Key=key)
        except self._client.exceptions.NoSuchKey:
            return None
        except self._client.exceptions.ClientError as error:
            if self._may_be_absent and error.response["Error"]["Code"] == "NoSuchBucket":
                return None
            raise
        body: bytes = answer["Body"].read()
        return body

    def metadata(self, key: str) -> Mapping[str, str]:
        """Returns the user's metadata (x-amz-meta-…)."""
        found: Mapping[str, str] = self._client.head_object(Bucket=self._name, Key=key)["Metadata"]
        return found


class Directory:
    """The directory of runs on this machine, or a copy of a bucket.

    A copy has all objects as files, and `aws s3 sync` gives these the objects' times. The directory
    of a run has those under staging/ in its state alone. Objects that no run writes are ignored.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def objects(self, prefix: str) -> Iterator[Listed]:
        copied = list(self._files(prefix))
        yield from copied or self._kept(prefix)

    def read(self, key: str) -> bytes | None:
        if not is_known(key):
            return None
        file = self._path / key
        if file.is_file():
            return file.read_bytes()
        for kept in (self._path / STATE_OBJECTS).glob(f"*/{escape(file_name(key))}"):
            with suppress(KeyError, TypeError, ValueError):
                return ObjectOnDisk.from_bytes(kept.read_bytes()).body
        return None

    def _files(self, prefix: str) -> Iterator[Listed]:
        folder = self._path / prefix.rpartition("/")[0]
        for file in sorted(folder.rglob("*")):
            key = file.relative_to(self._path).as_posix()
            if key.startswith(prefix) and is_known(key) and file.is_file():
                yield Listed(key, datetime.fromtimestamp(file.stat().st_mtime, UTC))

    def _kept(self, prefix: str) -> Iterator[Listed]:
        for file in sorted((self._path / STATE_OBJECTS).glob("*/*.object")):
            if not unquote(file.name).startswith(prefix):
                continue
            with suppress(KeyError, TypeError, ValueError), file.open("rb") as lines:
                head = ObjectOnDisk.from_bytes(lines.readline())
                if head.key.startswith(prefix) and is_known(head.key):
                    yield Listed(head.key, head.last_modified.replace(tzinfo=UTC))
