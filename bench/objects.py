"""The objects of S3 in a run: in memory, or in files."""

import hashlib
import re
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from mmap import ACCESS_READ, mmap
from pathlib import Path
from xml.sax.saxutils import escape

_RANGE = re.compile(r"bytes=(?P<first>[0-9]+)-(?P<last>[0-9]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some of an object's bytes."""

    body: bytes
    content_range: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    body: bytes | mmap
    headers: dict[str, str]
    """its metadata and its ETag, as they are returned"""
    written_at: datetime

    def piece(self, asked: str) -> Piece | None:
        """Returns the bytes of a Range header, ``bytes=0-99``; None if the object has no such
        byte."""
        match = _RANGE.fullmatch(asked)
        first, last = map(int, match.groups()) if match else (0, 0)
        last = min(last, len(self.body) - 1)
        if match is None or first > last:
            return None
        return Piece(
            body=self.body[first : last + 1],
            content_range=f"bytes {first}-{last}/{len(self.body)}",
        )


@dataclass(slots=True)
class Objects:
    """Objects by `<bucket>/<key>`; every bucket exists."""

    stored: dict[str, StoredObject] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add_files(self, bucket: str, directory: Path) -> None:
        """Adds the files below the directory, each under its path in it; they stay on disk."""
        for file in filter(Path.is_file, directory.rglob("*")):
            with file.open("rb") as opened:
                body = mmap(opened.fileno(), 0, access=ACCESS_READ) if file.stat().st_size else b""
            self.put(f"{bucket}/{file.relative_to(directory).as_posix()}", body, {}, new=True)

    def put(
        self, path: str, body: bytes | mmap, metadata: dict[str, str], *, new: bool
    ) -> str | None:
        """Stores an object and returns its ETag; None if it had to be `new` and exists already."""
        etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        headers = {**metadata, "ETag": etag}
        with self._lock:
            if new and path in self.stored:
                return None
            self.stored[path] = StoredObject(
                body=body, headers=headers, written_at=datetime.now(UTC)
            )
        return etag

    def listing(self, bucket: str, prefix: str, delimiter: str) -> bytes:
        """Returns all keys at once; with a delimiter, what is below the prefix up to it."""
        with self._lock:
            found = sorted(
                (path.removeprefix(f"{bucket}/"), stored.written_at)
                for path, stored in self.stored.items()
                if path.startswith(f"{bucket}/{prefix}")
            )
        if delimiter:
            folders = {prefix + key[len(prefix) :].partition(delimiter)[0] for key, _ in found}
            rows = "".join(
                f"<CommonPrefixes><Prefix>{escape(folder + delimiter)}</Prefix></CommonPrefixes>"
                for folder in sorted(folders)
            )
        else:
            rows = "".join(
                f"<Contents><Key>{escape(key)}</Key>"
                f"<LastModified>{written_at:%Y-%m-%dT%H:%M:%S.000Z}</LastModified></Contents>"
                for key, written_at in found
            )
        truncated = "<IsTruncated>false</IsTruncated>"
        return f"<ListBucketResult>{truncated}{rows}</ListBucketResult>".encode()
