"""Objects in the one bucket, with the conditional writes that the design rests on."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from trip_kpis.aws.clients import BROKEN_ON_THE_WAY, aws_call, check_answer, pause_seconds
from trip_kpis.core.errors import AccessDeniedError

_T = TypeVar("_T")

_READS = 6
"""of one object whose body breaks while it is read: as many as botocore makes for a request"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object as it was read."""

    body: bytes
    etag: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPiece:
    """A range of an object's bytes."""

    body: bytes
    etag: str
    size: int
    """size of the whole object, in bytes"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectHead:
    """What S3 reports about an object without its body."""

    etag: str
    metadata: Mapping[str, str]
    is_archived: bool
    """its body cannot be read before it is restored"""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket; every method raises what `aws_call` raises."""

    client: Any
    name: str
    kms_key_arn: str = ""
    """the customer-managed key that encrypts what is written; empty: SSE-S3"""
    sleep: Callable[[float], None] = field(default_factory=lambda: time.sleep)

    def url(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def get(self, key: str) -> StoredObject | None:
        """Reads the whole object; None if it does not exist."""
        return self._unless_absent(key, self._read, {"NoSuchKey"})

    def piece(
        self, key: str, *, start: int, length: int, etag: str | None = None
    ) -> ObjectPiece | None:
        """Reads at most `length` bytes of the object from byte `start` on; None if there is no such
        object, none with this ETag (any more), or no such byte."""
        condition = {} if etag is None else {"IfMatch": etag}
        asked = {"Range": f"bytes={start}-{start + length - 1}", **condition}

        def read(key: str) -> ObjectPiece:
            body, answer = self._body(key, **asked)
            of_size = answer["ContentRange"].rpartition("/")[2]
            return ObjectPiece(body=body, etag=answer["ETag"], size=int(of_size))

        return self._unless_absent(
            key, read, {"NoSuchKey", "PreconditionFailed", "412", "InvalidRange", "416"}
        )

    def _read(self, key: str) -> StoredObject:
        body, answer = self._body(key)
        return StoredObject(body=body, etag=answer["ETag"], metadata=answer["Metadata"])

    def _body(self, key: str, **asked: Any) -> tuple[bytes, Mapping[str, Any]]:
        """What is asked for of the object, and S3's answer besides; read again where the body
        breaks on the way: botocore retries a request, but it has returned by the time that the body
        is read."""
        reads = 0
        while True:
            answer = self.client.get_object(Bucket=self.name, Key=key, **asked)
            reads += 1
            try:
                return answer["Body"].read(), answer
            except BROKEN_ON_THE_WAY:
                if reads == _READS:
                    raise
                self.sleep(pause_seconds(reads))

    def head(self, key: str) -> ObjectHead | None:
        """Reads the object's head without its body, also of an archived object; None if it does not
        exist."""
        return self._unless_absent(key, self._read_head, {"404", "NoSuchKey", "NotFound"})

    def _read_head(self, key: str) -> ObjectHead:
        answer = self.client.head_object(Bucket=self.name, Key=key)
        in_archive = answer.get("StorageClass") in {"GLACIER", "DEEP_ARCHIVE"}
        is_restored = 'ongoing-request="false"' in answer.get("Restore", "")
        return ObjectHead(
            etag=answer["ETag"],
            metadata=answer["Metadata"],
            # ArchiveStatus: the archive tiers of S3 Intelligent-Tiering.
            is_archived=(in_archive and not is_restored) or "ArchiveStatus" in answer,
        )

    def _unless_absent(self, key: str, read: Callable[[str], _T], codes: set[str]) -> _T | None:
        """Returns what `read` returns; None if S3 answers with one of `codes`, or the listing shows
        that the object does not exist.

        To a role that may not list the whole bucket, S3 says "access denied" for an object that is
        not there (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html).
        """
        try:
            with aws_call("s3:GetObject", self.url(key)):
                try:
                    return read(key)
                except ClientError as error:
                    if error.response["Error"]["Code"] in codes:
                        return None
                    raise
        except AccessDeniedError:
            with suppress(AccessDeniedError):
                if key not in self.keys(key):
                    return None
            raise

    def put(
        self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str] | None = None
    ) -> None:
        """Writes the object, and overwrites an earlier one."""
        self._put(key, body, content_type, metadata or {}, {})

    def put_new(
        self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str] | None = None
    ) -> bool:
        """Writes the object unless it exists (`If-None-Match: *`); returns False if it exists.

        False may also mean that an earlier attempt of this very call took effect and its answer
        was lost: the caller reads what is there rather than guess.
        """
        return self._put(key, body, content_type, metadata or {}, {"IfNoneMatch": "*"})

    def replace(
        self,
        key: str,
        body: bytes,
        *,
        etag: str,
        content_type: str,
        metadata: Mapping[str, str],
    ) -> bool:
        """Writes the object if it still has this ETag (`If-Match`); otherwise returns False."""
        return self._put(key, body, content_type, metadata, {"IfMatch": etag})

    def delete(self, key: str, *, etag: str) -> bool:
        """Deletes the object if it still has this ETag; otherwise returns False."""
        with aws_call("s3:DeleteObject", self.url(key)):
            return _unless_precondition_failed(
                self.client.delete_object, Bucket=self.name, Key=key, IfMatch=etag
            )

    def keys(self, prefix: str) -> Iterator[str]:
        """Lists the keys that begin with `prefix`, in their order."""
        yield from (found["Key"] for found in self._list(prefix))

    def written_since(self, prefix: str, moment: datetime) -> Iterator[str]:
        """Lists the keys that begin with `prefix` and were last written at `moment` or later.

        S3 has that time in whole seconds.
        """
        for found in self._list(prefix):
            if found["LastModified"] >= moment.replace(microsecond=0):
                yield found["Key"]

    @property
    def _encryption(self) -> Mapping[str, str]:
        """The encryption headers of every write, because a bucket's policy or an organization's may
        require them.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingServerSideEncryption.html
        """
        if not self.kms_key_arn:
            return {"ServerSideEncryption": "AES256"}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key_arn}

    def _list(self, prefix: str) -> Iterator[Mapping[str, Any]]:
        with aws_call("s3:ListBucket", self.url(prefix)):
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.name, Prefix=prefix):
                # An answer without a body would look like the listing of an empty bucket.
                check_answer(page, "IsTruncated")
                yield from page.get("Contents", ())

    def _put(
        self,
        key: str,
        body: bytes,
        content_type: str,
        metadata: Mapping[str, str],
        condition: Mapping[str, str],
    ) -> bool:
        with aws_call("s3:PutObject", self.url(key)):
            return _unless_precondition_failed(
                self.client.put_object,
                Bucket=self.name,
                Key=key,
                Body=body,
                ContentType=content_type,
                Metadata=dict(metadata),
                **self._encryption,
                **condition,
            )


def _unless_precondition_failed(call: Any, **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"PreconditionFailed", "412", "NoSuchKey"}:
            return False
        raise
    return True
