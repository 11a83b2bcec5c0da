"""Objects in the one bucket, with the conditional writes that the design rests on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from trip_kpis.aws.calls import aws_call


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object as it was read."""

    body: bytes
    etag: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectHead:
    """What S3 says of an object without its body."""

    etag: str
    metadata: Mapping[str, str]
    is_archived: bool
    """its body cannot be read before it is restored"""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket; every method raises what `aws_call` raises."""

    client: Any
    name: str

    def url(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def get(self, key: str) -> StoredObject | None:
        """The object, whole; None where there is none."""
        with aws_call("s3:GetObject", self.url(key)):
            try:
                answer = self.client.get_object(Bucket=self.name, Key=key)
                return StoredObject(
                    body=answer["Body"].read(), etag=answer["ETag"], metadata=answer["Metadata"]
                )
            except ClientError as error:
                if error.response["Error"]["Code"] == "NoSuchKey":
                    return None
                raise

    def head(self, key: str) -> ObjectHead | None:
        """The object without its body, also an archived one; None where there is none."""
        with aws_call("s3:GetObject", self.url(key)):
            try:
                answer = self.client.head_object(Bucket=self.name, Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}:
                    return None
                raise
        return ObjectHead(
            etag=answer["ETag"],
            metadata=answer["Metadata"],
            is_archived=answer.get("StorageClass") in {"GLACIER", "DEEP_ARCHIVE"}
            and 'ongoing-request="false"' not in answer.get("Restore", ""),
        )

    def put(
        self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str] | None = None
    ) -> None:
        """Writes the object, whatever was there."""
        self._put(key, body, content_type, metadata or {}, {})

    def put_new(
        self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str] | None = None
    ) -> bool:
        """Writes the object unless there is one (`If-None-Match: *`); False where there is.

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
        """Writes the object if it still is the one with this ETag (`If-Match`); else False."""
        return self._put(key, body, content_type, metadata, {"IfMatch": etag})

    def delete(self, key: str, *, etag: str) -> bool:
        """Removes the object if it still is the one with this ETag; else False."""
        with aws_call("s3:DeleteObject", self.url(key)):
            return _unless_precondition_failed(
                self.client.delete_object, Bucket=self.name, Key=key, IfMatch=etag
            )

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that begin with `prefix`, in their order."""
        yield from (found["Key"] for found in self._list(prefix))

    def written_since(self, prefix: str, moment: datetime) -> Iterator[str]:
        """The keys that begin with `prefix` and were last written at `moment` or later.

        S3 tells that time in whole seconds.
        """
        for found in self._list(prefix):
            if found["LastModified"] >= moment.replace(microsecond=0):
                yield found["Key"]

    def folders(self, prefix: str) -> Iterator[str]:
        """What lies below `prefix` up to the next slash: ``staging/`` gives ``staging/run=a/``."""
        with aws_call("s3:ListBucket", self.url(prefix)):
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.name, Prefix=prefix, Delimiter="/"):
                yield from (found["Prefix"] for found in page.get("CommonPrefixes", ()))

    def _list(self, prefix: str) -> Iterator[Mapping[str, Any]]:
        with aws_call("s3:ListBucket", self.url(prefix)):
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.name, Prefix=prefix):
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
