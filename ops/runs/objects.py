"""A stack's bucket, read."""

from collections.abc import Iterator
from typing import Any, Protocol

from botocore.exceptions import ClientError


class Objects(Protocol):
    """Objects by their keys, wherever they are kept."""

    def keys(self, prefix: str) -> Iterator[str]: ...

    def read(self, key: str) -> bytes | None:
        """None where there is none."""
        ...


class BucketObjects:
    """Those of a bucket; one that is not there has none."""

    def __init__(self, client: Any, bucket_name: str) -> None:
        self._client = client
        self._bucket_name = bucket_name

    def keys(self, prefix: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=self._bucket_name, Prefix=prefix):
                yield from (found["Key"] for found in page.get("Contents", ()))
        except self._client.exceptions.NoSuchBucket:
            return

    def read(self, key: str) -> bytes | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket_name, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "NoSuchBucket"}:
                return None
            raise
        body: bytes = answer["Body"].read()
        return body
