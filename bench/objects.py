"""S3's side of a run: objects in memory."""

import hashlib
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.sax.saxutils import escape


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    body: bytes
    headers: dict[str, str]
    """its metadata and its ETag, as they are returned"""
    written_at: datetime


@dataclass(slots=True)
class Objects:
    """By `<bucket>/<key>`; whatever bucket is named is there."""

    stored: dict[str, StoredObject] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, path: str, body: bytes, metadata: dict[str, str], *, new: bool) -> str | None:
        """The object's ETag; None where it was to be `new` and is there already."""
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
        """All keys at once, however many; with a delimiter, what is below the prefix up to it."""
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
