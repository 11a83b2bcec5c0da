"""A bucket in memory, as S3 answers for it: conditional writes, listings in pages, checksums."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from xml.sax.saxutils import escape

from tests.faults.http_calls import Answer, Call, crc32_of_s3

_META = "x-amz-meta-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object."""

    body: bytes
    metadata: dict[str, str]
    written_at: datetime

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.body, usedforsecurity=False).hexdigest()}"'


Watcher = Callable[[str, Stored | None, Stored | None], None]
"""reported of every write: the key, what was there, what is there now"""


@dataclass(slots=True, kw_only=True)
class Store:
    """The one bucket."""

    now: Callable[[], datetime]
    keys_a_page: int = 1000
    honours_conditions: bool = True
    """False: a store that overwrites whatever is there"""
    objects: dict[str, Stored] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)
    """keys of objects that a lifecycle rule has moved to Glacier"""
    watchers: list[Watcher] = field(default_factory=list)

    def answer(self, call: Call) -> Answer:
        """Applies a call that reaches S3, and answers it."""
        match call.operation:
            case "GetObject":
                return self._get(call)
            case "HeadObject":
                return self._head(call.key)
            case "PutObject":
                return self._put(call)
            case "DeleteObject":
                return self._delete(call)
            case "ListObjectsV2":
                return self._list(call)
        raise AssertionError(f"no such operation here: {call.operation}")

    def below(self, prefix: str) -> dict[str, bytes]:
        """Returns the bodies of the objects whose keys begin with `prefix`."""
        return {
            key: stored.body
            for key, stored in sorted(self.objects.items())
            if key.startswith(prefix)
        }

    def _get(self, call: Call) -> Answer:
        key = call.key
        stored = self.objects.get(key)
        if stored is None:
            return error(404, "NoSuchKey")
        if key in self.archived:
            return error(403, "InvalidObjectState")
        if refusal := self._refusal(call, stored):
            return refusal
        if asked := call.headers.get("range"):
            return _piece(stored, asked)
        metadata = {_META + name: value for name, value in stored.metadata.items()}
        return Answer(
            headers={
                "etag": stored.etag,
                "x-amz-checksum-crc32": crc32_of_s3(stored.body),
                **metadata,
            },
            body=stored.body,
        )

    def _head(self, key: str) -> Answer:
        stored = self.objects.get(key)
        if stored is None:
            return Answer(status=404)
        metadata = {_META + name: value for name, value in stored.metadata.items()}
        if key in self.archived:
            metadata["x-amz-storage-class"] = "GLACIER"
        return Answer(headers={"etag": stored.etag, **metadata})

    def add(self, key: str, body: bytes) -> None:
        """Adds an object that another program writes."""
        self.objects[key] = Stored(body=body, metadata={}, written_at=self.now())

    def _put(self, call: Call) -> Answer:
        there = self.objects.get(call.key)
        if refusal := self._refusal(call, there):
            return refusal
        stored = Stored(
            body=call.body,
            metadata={
                name.removeprefix(_META): value
                for name, value in call.headers.items()
                if name.startswith(_META)
            },
            written_at=self.now(),
        )
        self.objects[call.key] = stored
        self.archived.discard(call.key)
        self._tell(call.key, there, stored)
        return Answer(headers={"etag": stored.etag})

    def _delete(self, call: Call) -> Answer:
        there = self.objects.get(call.key)
        if refusal := self._refusal(call, there):
            return refusal
        self.objects.pop(call.key, None)
        self.archived.discard(call.key)
        self._tell(call.key, there, None)
        return Answer(status=204)

    def _refusal(self, call: Call, there: Stored | None) -> Answer | None:
        """https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html"""
        if not self.honours_conditions:
            return None
        if "if-none-match" in call.headers and there is not None:
            return error(412, "PreconditionFailed")
        wanted = call.headers.get("if-match")
        if wanted is not None and there is None:
            return error(404, "NoSuchKey")
        if wanted is not None and there is not None and wanted.strip('"') != there.etag.strip('"'):
            return error(412, "PreconditionFailed")
        return None

    def _list(self, call: Call) -> Answer:
        prefix, delimiter = call.query.get("prefix", ""), call.query.get("delimiter", "")
        after = call.query.get("continuation-token", "")
        entries: dict[str, str] = {}
        for key, stored in sorted(self.objects.items()):
            if not key.startswith(prefix):
                continue
            head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            name = prefix + head + found if found else key
            entries[name] = _folder(name) if found else _content(name, stored)
        left = [name for name in entries if name > after]
        page = left[: self.keys_a_page]
        more = len(left) > len(page)
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        listed = "".join(entries[name] for name in page)
        return _xml(
            200,
            f"<ListBucketResult><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(page)}</KeyCount>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{listed}</ListBucketResult>",
        )

    def _tell(self, key: str, before: Stored | None, after: Stored | None) -> None:
        for watcher in self.watchers:
            watcher(key, before, after)


def error(status: int, code: str) -> Answer:
    """Returns an error as S3 reports it."""
    return _xml(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>")


def _piece(stored: Stored, asked: str) -> Answer:
    """Some bytes of the object, without a checksum: S3 has that of the whole object only.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    first, last = map(int, asked.removeprefix("bytes=").split("-"))
    size = len(stored.body)
    if first >= size:
        return error(416, "InvalidRange")
    body = stored.body[first : last + 1]
    span = f"bytes {first}-{first + len(body) - 1}/{size}"
    return Answer(status=206, headers={"etag": stored.etag, "content-range": span}, body=body)


def _folder(name: str) -> str:
    return f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>"


def _content(key: str, stored: Stored) -> str:
    modified = stored.written_at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return (
        f"<Contents><Key>{escape(key)}</Key><LastModified>{modified}</LastModified>"
        f"<ETag>{escape(stored.etag)}</ETag><Size>{len(stored.body)}</Size></Contents>"
    )


def _xml(status: int, text: str) -> Answer:
    return Answer(
        status=status,
        headers={"content-type": "application/xml"},
        body=b'<?xml version="1.0" encoding="UTF-8"?>' + text.encode(),
    )
