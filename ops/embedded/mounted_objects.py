"""Makes files of this machine objects of a bucket: a table export of many GB can be read here as in
AWS, without a copy."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moto.s3.exceptions import MissingKey, S3ClientError
from moto.s3.models import FakeKey, S3Backend, get_canned_acl, s3_backends
from moto.utilities.utils import LowercaseDict

from ops.embedded.isolation import ACCOUNT_ID, REGION
from ops.embedded.patching import replaced

_BLOCK_BYTES = 256 * 1024


_CHANGES: Mapping[str, tuple[str, ...]] = {
    "put_object": ("bucket_name", "key_name"),
    "delete_object": ("bucket_name", "key_name"),
    "put_object_acl": ("bucket_name", "key_name"),
    "put_object_legal_hold": ("bucket_name", "key_name"),
    "put_object_retention": ("bucket_name", "key_name"),
    "put_object_tagging": ("key",),
    "delete_object_tagging": ("bucket_name", "key_name"),
    "copy_object": ("src_key",),
    "upload_part_copy": ("src_bucket_name", "src_key_name"),
}
"""What moto's S3 cannot do with a mounted object, with the arguments that name the object."""


def mount(bucket_name: str, files: Mapping[str, Path]) -> None:
    """Makes files objects of the bucket, under their keys.

    They are read-only, and what their files are now. A file that changes later answers 412
    (PreconditionFailed), as a changed object answers to a reader that expects its ETag: nobody
    reads two versions of it, or of a set of files. A file that is gone answers 404.

    PutObject, DeleteObject, PutObjectTagging, DeleteObjectTagging, PutObjectAcl,
    PutObjectLegalHold and PutObjectRetention are denied for them, and CopyObject and UploadPartCopy
    from them: a copy would be in memory as a whole.
    """
    bucket: Any = s3_backends[ACCOUNT_ID]["aws"].get_bucket(bucket_name)
    for key, file in files.items():
        bucket.keys.setlist(key, [_MountedObject(bucket_name, key, file)])


@contextmanager
def mounted_objects_are_read_only() -> Iterator[None]:
    """Denies what would change or copy mounted objects: not a patch, but a rule."""
    with ExitStack() as replacing:
        for name, of_object in _CHANGES.items():
            allowed = _allowed(vars(S3Backend)[name], of_object)
            replacing.enter_context(replaced(S3Backend, name, allowed))
        yield


def _allowed(method: Any, of_object: tuple[str, ...]) -> Any:
    """Returns a method of S3Backend that is denied for mounted objects."""
    signature = inspect.signature(method)

    def allowed(self: Any, *arguments: Any, **more: Any) -> Any:
        asked = signature.bind(self, *arguments, **more).arguments
        match [asked[name] for name in of_object]:
            case [bucket_name, key_name]:
                found = self.get_bucket(bucket_name).keys.get(key_name)
            case [found]:
                pass
        if isinstance(found, _MountedObject):
            raise S3ClientError(
                "AccessDenied",
                f"{found.name} is a file of this machine, {found.file}, which can only be read: "
                "to change or copy it, use the file",
            )
        return method(self, *arguments, **more)

    return allowed


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
        self.file = file
        self._known = file.stat()

    def __deepcopy__(self, _: Any) -> _MountedObject:
        """Returns the object itself: ListObjectVersions copies all objects of a bucket."""
        return self

    def advance(self) -> None:
        """Called when the object is asked for. Raises MissingKey if its file is gone, and
        S3ClientError if it has changed."""
        try:
            found = self.file.stat()
        except FileNotFoundError:
            raise MissingKey(key=self.name) from None
        if _version(found) != _version(self._known):
            raise S3ClientError(
                "PreconditionFailed", f"{self.file} has changed since it became an object"
            )

    def dispose(self, garbage: bool = False) -> None:
        """Does nothing, because nothing is open."""

    @property
    def etag(self) -> str:
        return f'"{self._known.st_mtime_ns:x}-{self._known.st_size}"'

    @property
    def size(self) -> int:
        return self._known.st_size

    @property
    def contentsize(self) -> int:
        return self.size

    @property
    def last_modified(self) -> datetime:
        """In UTC, without the zone, as moto's objects have it."""
        return datetime.fromtimestamp(self._known.st_mtime, UTC).replace(tzinfo=None)

    @property
    def value(self) -> _Body:
        return _Body(self.file, 0, self.size, _version(self._known))


def _version(found: os.stat_result) -> tuple[int, int]:
    return found.st_size, found.st_mtime_ns


class _Body:
    """The body of an object, which is read when it is sent: for moto, which takes its length and a
    slice, and for the server, which takes one block after the other."""

    __slots__ = ("_file", "_start", "_stop", "_version")

    def __init__(self, file: Path, start: int, stop: int, version: tuple[int, int]) -> None:
        self._file = file
        self._start = start
        self._stop = stop
        self._version = version

    def __len__(self) -> int:
        return self._stop - self._start

    def __getitem__(self, part: slice) -> _Body:
        start, stop, _ = part.indices(len(self))
        return _Body(self._file, self._start + start, self._start + stop, self._version)

    def __iter__(self) -> Iterator[bytes]:
        """Yields the blocks; raises EOFError if the file has changed: the client sees that
        something is missing."""
        left = len(self)
        with self._file.open("rb") as file:
            file.seek(self._start)
            while left:
                block = file.read(min(left, _BLOCK_BYTES))
                if not block or _version(os.fstat(file.fileno())) != self._version:
                    raise EOFError(f"{self._file} has changed while it was read")
                left -= len(block)
                yield block
