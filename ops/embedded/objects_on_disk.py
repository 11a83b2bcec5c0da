"""Buckets that survive the process: every object of theirs lies in a directory as well."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from moto.s3.models import s3_backends

from ops.embedded.isolation import ACCOUNT_ID
from ops.written_whole import write_whole

_LONGEST_NAME = 200
_CHANGES = {"PUT", "POST", "DELETE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectOnDisk:
    """An object as its file has it: a line of JSON with all but the body, then the body."""

    key: str
    metadata: dict[str, str]
    """the user's own (x-amz-meta-…) and Content-Type, as moto keeps them"""
    last_modified: datetime
    body: bytes

    def to_bytes(self) -> bytes:
        head = {
            "key": self.key,
            "metadata": self.metadata,
            "last_modified": self.last_modified.isoformat(),
        }
        return json.dumps(head).encode() + b"\n" + self.body

    @classmethod
    def from_bytes(cls, content: bytes) -> ObjectOnDisk:
        line, _, body = content.partition(b"\n")
        head = json.loads(line)
        return cls(
            key=head["key"],
            metadata=head["metadata"],
            last_modified=datetime.fromisoformat(head["last_modified"]),
            body=body,
        )


class ObjectsOnDisk:
    """A layer around the embedded cloud's server that writes through what becomes of objects.

    A request that changes an object is answered when the file is whole: whatever end this process
    comes to, what a client was told of is in `directory`. Each bucket is a directory there, each
    object a file of it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._buckets: set[str] = set()
        self._lock = threading.Lock()

    def keep(self, bucket_name: str) -> None:
        """From now on, that bucket's objects are written through."""
        self._buckets.add(bucket_name)

    def restore(self, bucket_name: str) -> None:
        """Puts what the directory has of that bucket into the embedded cloud's one."""
        backend: Any = s3_backends[ACCOUNT_ID]["aws"]
        for kept in self.objects(bucket_name):
            stored = backend.put_object(bucket_name, kept.key, kept.body)
            stored.set_metadata(dict(kept.metadata))
            stored.last_modified = kept.last_modified

    def objects(self, bucket_name: str) -> Iterator[ObjectOnDisk]:
        """What the directory has of that bucket."""
        for file in sorted((self._directory / bucket_name).glob("*.object")):
            yield ObjectOnDisk.from_bytes(file.read_bytes())

    def layer(self, application: WSGIApplication) -> WSGIApplication:
        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            body = application(environ, start_response)
            if environ["REQUEST_METHOD"] in _CHANGES:
                path = environ["PATH_INFO"].encode("latin-1").decode()
                bucket_name, _, key = path.lstrip("/").partition("/")
                if bucket_name in self._buckets:
                    self._write_through(bucket_name, key)
            return body

        return answer

    def _write_through(self, bucket_name: str, key: str) -> None:
        """What the bucket has under `key` now, whichever request it was that put it there."""
        with self._lock:
            there = s3_backends[ACCOUNT_ID]["aws"].buckets.get(bucket_name)
            if there is None:
                shutil.rmtree(self._directory / bucket_name, ignore_errors=True)
                return
            # A request to the bucket itself may have removed any number of objects.
            for name in [key] if key else [kept.key for kept in self.objects(bucket_name)]:
                file = self._directory / bucket_name / _file_name(name)
                stored: Any = there.keys.get(name)
                if stored is None:
                    file.unlink(missing_ok=True)
                    continue
                kept = ObjectOnDisk(
                    key=name,
                    metadata={name: str(value) for name, value in stored.metadata.items()},
                    last_modified=stored.last_modified,
                    body=stored.value,
                )
                write_whole(file, kept.to_bytes())


def _file_name(key: str) -> str:
    """One that can be read, unless no file system has room for it."""
    name = quote(key, safe="=")
    if len(name) > _LONGEST_NAME:
        name = hashlib.sha256(key.encode()).hexdigest()
    return f"{name}.object"
