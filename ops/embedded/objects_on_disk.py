"""Buckets that survive the process: every object is also stored in a directory."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from xml.etree import ElementTree

from moto.s3.models import s3_backends

from ops.atomic_write import atomic_write
from ops.embedded.isolation import ACCOUNT_ID
from ops.object_on_disk import ObjectOnDisk, file_name

_CHANGES = {"PUT", "POST", "DELETE"}


class ObjectsOnDisk:
    """A layer around the embedded cloud's server that writes every change of an object to disk.

    A request that changes an object is answered when the file is whole: whatever end this process
    comes to, what was answered to a client is in `directory`. Each bucket is a directory there,
    each object a file of it.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._buckets: set[str] = set()
        self._lock = threading.Lock()

    def keep(self, bucket_name: str) -> None:
        """Writes every later change of that bucket's objects to disk."""
        self._buckets.add(bucket_name)

    def restore(self, bucket_name: str) -> None:
        """Puts the bucket's objects from the directory into the embedded cloud's bucket."""
        backend: Any = s3_backends[ACCOUNT_ID]["aws"]
        for kept in self.objects(bucket_name):
            stored = backend.put_object(bucket_name, kept.key, kept.body)
            stored.set_metadata(dict(kept.metadata))
            stored.last_modified = kept.last_modified

    def objects(self, bucket_name: str) -> Iterator[ObjectOnDisk]:
        """Yields the bucket's objects in the directory."""
        for file in sorted((self._directory / bucket_name).glob("*.object")):
            yield ObjectOnDisk.from_bytes(file.read_bytes())

    def layer(self, application: WSGIApplication) -> WSGIApplication:
        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
            bucket_name, _, key = path.lstrip("/").partition("/")
            if bucket_name not in self._buckets or environ["REQUEST_METHOD"] not in _CHANGES:
                return application(environ, start_response)
            deleted = _to_be_deleted(environ, key)
            statuses: list[str] = []

            def start(status: str, headers: Any, exc_info: Any = None) -> Any:
                statuses.append(status)
                return start_response(status, headers, exc_info)

            body = application(environ, start)
            if statuses and statuses[-1].startswith("2"):
                self._write_through(bucket_name, key, deleted)
            return body

        return answer

    def _write_through(self, bucket_name: str, key: str, deleted: Iterable[str]) -> None:
        """Writes the bucket's current object under `key` to disk, whichever request has put it
        there.

        A file is removed only where a request that succeeded has asked for that, and never for the
        reason that the object in memory is missing.
        """
        with self._lock:
            bucket = s3_backends[ACCOUNT_ID]["aws"].buckets.get(bucket_name)
            for name in {key, *deleted} - {""}:
                file = self._directory / bucket_name / file_name(name)
                stored: Any = bucket and bucket.keys.get(name)
                if stored:
                    atomic_write(file, _on_disk(name, stored).to_bytes())
                elif name in deleted:
                    file.unlink(missing_ok=True)


def _to_be_deleted(environ: WSGIEnvironment, key: str) -> set[str]:
    """Returns the keys that the request asks to delete; its body can be read again.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
    """
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    if environ["REQUEST_METHOD"] == "DELETE" and key:
        return {key}
    if environ["REQUEST_METHOD"] != "POST" or key or "delete" not in query:
        return set()
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    try:
        return {one.text or "" for one in ElementTree.fromstring(body).iterfind(".//{*}Key")}
    except ElementTree.ParseError:
        return set()


def _on_disk(key: str, stored: Any) -> ObjectOnDisk:
    return ObjectOnDisk(
        key=key,
        metadata={name: str(value) for name, value in stored.metadata.items()},
        last_modified=stored.last_modified,
        body=stored.value,
    )
