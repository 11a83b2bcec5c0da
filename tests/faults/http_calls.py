"""The HTTP boundary: converts botocore's request to a Call, and an Answer to botocore's response.

Everything of botocore above the socket is the real thing: serialising, signing, retries, parsing,
checksums.
"""

import io
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.awsrequest import AWSResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One attempt of botocore at one request."""

    operation: str
    url: str
    key: str
    """of the object; empty for a listing and for DynamoDB"""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """names in lower case"""
    body: bytes

    @property
    def is_write(self) -> bool:
        return self.operation in {"PutObject", "DeleteObject"}

    @property
    def is_of_s3(self) -> bool:
        return self.operation not in {
            "Scan",
            "DescribeTable",
            "DescribeTimeToLive",
            "DescribeContinuousBackups",
            "DescribeExport",
            "GetAccountSettings",
        }

    @property
    def is_of_piece(self) -> bool:
        """A worker asks for some of a data file's bytes."""
        return self.operation == "GetObject" and "range" in self.headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer of the service."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def to_response(self, url: str, *, sent: bytes | None = None) -> AWSResponse:
        """As botocore sees it; `sent` is what arrives of the body, where that is not all of it."""
        headers = {"content-length": str(len(self.body)), **self.headers}
        return AWSResponse(url, self.status, headers, _Raw(self.body if sent is None else sent))


class _Raw(io.BytesIO):
    """As urllib3's response, as far as botocore asks."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def read_call(request: Any, operation: str) -> Call:
    """Reads the request that botocore was about to send."""
    parts = urlsplit(request.url)
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    body = request.body or b""
    if not isinstance(body, bytes | str):
        body = body.read()
    if isinstance(body, str):
        body = body.encode()
    if "aws-chunked" in headers.get("content-encoding", ""):
        body = _unchunked(body)
    return Call(
        operation=operation,
        url=request.url,
        key=unquote(parts.path.lstrip("/")),
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        headers=headers,
        body=body,
    )


def crc32_of_s3(body: bytes) -> str:
    """As S3 writes it in x-amz-checksum-crc32."""
    return b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


def _unchunked(body: bytes) -> bytes:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html"""
    whole, at = b"", 0
    while True:
        line_ends = body.index(b"\r\n", at)
        length = int(body[at:line_ends].split(b";")[0], 16)
        if length == 0:
            return whole
        at = line_ends + 2
        whole += body[at : at + length]
        at += length + 2
