"""Makes files of this machine objects of a bucket: a table export of many GB can be read here as in
AWS, without a copy."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moto.s3.exceptions import MissingKey, S3AccessDeniedError
from moto.s3.models import FakeKey, S3Backend, get_canned_acl, s3_backends
from moto.utilities.utils import LowercaseDict

from ops.embedded.isolation import ACCOUNT_ID, REGION
from ops.embedded.patching import replaced

_BLOCK_BYTES = 256 * 1024


def mount(bucket_name: str, files: Mapping[str, Path]) -> None:
    """Makes files objects of the bucket, under their keys.

    They are read-only. An object is what its file is when it is asked for, with an ETag by size and
    time of the file.
    """
    bucket: Any = s3_backends[ACCOUNT_ID]["aws"].get_bucket(bucket_name)
    for key, file in files.items():
        bucket.keys.setlist(key, [_MountedObject(bucket_name, key, file)])


@contextmanager
def mounted_objects_are_read_only() -> Iterator[None]:
    """PutObject, DeleteObject: not a patch, but a rule: they are refused for mounted objects."""
    put_object: Any = S3Backend.put_object
    delete_object: Any = S3Backend.delete_object

    def check(backend: Any, bucket_name: str, key_name: str) -> None:
        if isinstance(backend.get_bucket(bucket_name).keys.get(key_name), _MountedObject):
            raise S3AccessDeniedError()

    def put(self: Any, bucket_name: str, key_name: str, *arguments: Any, **more: Any) -> Any:
        check(self, bucket_name, key_name)
        return put_object(self, bucket_name, key_name, *arguments, **more)

    def delete(self: Any, bucket_name: str, key_name: str, *arguments: Any, **more: Any) -> Any:
        check(self, bucket_name, key_name)
        return delete_object(self, bucket_name, key_name, *arguments, **more)

    with (
        replaced(S3Backend, "put_object", put),
        replaced(S3Backend, "delete_object", delete),
    ):
        yield


_Object: Any = FakeKey


class _MountedObject(_Object):  # type: ignore[misc]
    """An object whose body is a file. What all of them have in common is kept once."""

    account_id = ACCOUNT_ID
    region_name = REGION
    partition = "aws"
    acl = get_canned_acl("private")
    website_redirect_location = None
    checksum_algorithm = checksum_value = checksum_type = checksum_parts = None
    encryption = "AES256"
    kms_key_id = bucket_key_enabled = None
    lock_mode = lock_legal_status = lock_until = None
    multipart = None
    _storage_class = "STANDARD"
    _metadata = LowercaseDict({"content-type": "binary/octet-stream"})
    _expiry = None
    _version_id = None
    _is_versioned = False

    def __new__(cls, *_: Any) -> _MountedObject:
        """Creates the object without moto's own constructor, because moto keeps its models in a
        list for ever."""
        return object.__new__(cls)

    def __init__(self, bucket_name: str, key: str, file: Path) -> None:
        self.bucket_name = bucket_name
        self.name = key
        self._file = file
        self._known = file.stat()

    def advance(self) -> None:
        """Called when the object is asked for. Raises MissingKey if its file is gone."""
        if not self._file.is_file():
            raise MissingKey(key=self.name)

    def dispose(self, garbage: bool = False) -> None:
        """Does nothing, because nothing is open."""

    @property
    def _stat(self) -> os.stat_result:
        """Returns the file's status; if the file is gone, its last status, because a listing still
        has the object."""
        with suppress(FileNotFoundError):
            self._known = self._file.stat()
        return self._known

    @property
    def etag(self) -> str:
        found = self._stat
        return f'"{found.st_mtime_ns:x}-{found.st_size}"'

    @property
    def size(self) -> int:
        return self._stat.st_size

    @property
    def contentsize(self) -> int:
        return self.size

    @property
    def last_modified(self) -> datetime:
        return datetime.fromtimestamp(self._stat.st_mtime, UTC)

    @property
    def value(self) -> _Body:
        return _Body(self._file, 0, self.size)


class _Body:
    """The body of an object, which is read when it is sent: for moto, which takes its length and a
    slice, and for the server, which takes one block after the other."""

    __slots__ = ("_file", "_start", "_stop")

    def __init__(self, file: Path, start: int, stop: int) -> None:
        self._file = file
        self._start = start
        self._stop = stop

    def __len__(self) -> int:
        return self._stop - self._start

    def __getitem__(self, part: slice) -> _Body:
        start, stop, _ = part.indices(len(self))
        return _Body(self._file, self._start + start, self._start + stop)

    def __iter__(self) -> Iterator[bytes]:
        """Yields the blocks; raises EOFError if the file has become shorter: the client sees that
        something is missing."""
        left = len(self)
        with self._file.open("rb") as file:
            file.seek(self._start)
            while left:
                block = file.read(min(left, _BLOCK_BYTES))
                if not block:
                    raise EOFError(f"{self._file} has become shorter while it was read")
                left -= len(block)
                yield block
