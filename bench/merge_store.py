"""An S3 for one merge, over HTTP: it makes up a part when it is asked for, and keeps what is put.

`python -m bench.merge_store SEGMENTS PARTS DAYS` prints its address and serves until its standard
input closes.
"""

import base64
import hashlib
import json
import sys
import threading
import zlib
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from urllib.parse import parse_qs, unquote, urlsplit

from bench.merge_log import RUN_ID, MadeUpLog
from trip_kpis.core import layout

_KEYS_AT_ONCE = 1_000
_META = "x-amz-meta-"


class MergeStore(ThreadingHTTPServer):
    """One bucket: the plan, the parts, and whatever the merge writes."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, log: MadeUpLog) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.log = log
        self.lock = threading.Lock()
        self.objects: dict[str, tuple[bytes, Mapping[str, str]]] = {
            layout.plan_key(RUN_ID): (log.plan.to_bytes(), {})
        }

    def find(self, key: str) -> tuple[bytes, Mapping[str, str]] | None:
        """Returns an object's body and metadata."""
        if place := layout.part_at(key):
            body = self.log.body(place.segment, place.part)
            return body, {f"{_META}sha256": hashlib.sha256(body).hexdigest()}
        return self.objects.get(key)

    def page(self, prefix: str, token: str | None) -> tuple[list[str], str | None]:
        """Returns at most a thousand keys, and the token for those after them: how many came
        before."""
        of_parts = prefix == layout.parts_prefix(RUN_ID)
        keys: Iterable[str] = self.log.keys() if of_parts else self.kept(prefix)
        start = int(token or 0)
        found = list(islice(keys, start, start + _KEYS_AT_ONCE + 1))
        more = str(start + _KEYS_AT_ONCE) if len(found) > _KEYS_AT_ONCE else None
        return found[:_KEYS_AT_ONCE], more

    def kept(self, prefix: str) -> list[str]:
        """Returns the keys of the objects that are not parts."""
        with self.lock:
            return sorted(key for key in self.objects if key.startswith(prefix))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "AmazonS3", ""
    wbufsize = -1  # one segment for head and body
    disable_nagle_algorithm = True
    server: MergeStore

    def handle_expect_100(self) -> bool:
        """Says "100 Continue" at once: botocore waits a second for it before it sends a body."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def do_GET(self) -> None:
        if "list-type=2" in urlsplit(self.path).query:
            self._answer(200, self._listing(), {})
        elif found := self.server.find(self._key()):
            body, metadata = found
            self._answer(200, body, {**_as_s3_says(body), **metadata})
        else:
            self._answer(404, _error("NoSuchKey"), {})

    def do_DELETE(self) -> None:
        with self.server.lock:
            self.server.objects.pop(self._key(), None)
        self._answer(204, b"", {})

    def do_POST(self) -> None:
        """DynamoDB's DescribeTable: the merge compares the table's id with the plan's."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        plan = self.server.log.plan
        table = {
            "TableName": plan.table_name,
            "TableArn": plan.table_arn,
            "TableId": plan.table_id,
            "KeySchema": [{"AttributeName": plan.key_attributes[0], "KeyType": "HASH"}],
            "TableSizeBytes": 0,
            "ItemCount": 0,
        }
        self._answer(200, json.dumps({"Table": table}).encode(), {})

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        metadata = {k: v for k, v in self.headers.items() if k.lower().startswith(_META)}
        with self.server.lock:
            if self.headers.get("If-None-Match") == "*" and self._key() in self.server.objects:
                self._answer(412, _error("PreconditionFailed"), {})
                return
            self.server.objects[self._key()] = (body, metadata)
        self._answer(200, b"", {"ETag": _etag(body)})

    def _listing(self) -> bytes:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        prefix, token = query.get("prefix", ""), query.get("continuation-token")
        if "delimiter" in query:
            folders = {
                prefix + key[len(prefix) :].partition("/")[0] for key in self.server.kept(prefix)
            }
            return _list_result("".join(map(_folder, sorted(folders))), None)
        keys, more = self.server.page(prefix, token)
        return _list_result("".join(map(_listed, keys)), more)

    def _key(self) -> str:
        """``/results/kpis/…`` -> ``kpis/…``"""
        return unquote(urlsplit(self.path).path).lstrip("/").partition("/")[2]

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a line a request would be 120,000."""


def _as_s3_says(body: bytes) -> dict[str, str]:
    return {
        "ETag": _etag(body),
        "Last-Modified": "Wed, 01 Jan 2025 02:20:00 GMT",
        "Accept-Ranges": "bytes",
        "Content-Type": "binary/octet-stream",
        "x-amz-server-side-encryption": "AES256",
        "x-amz-request-id": "4442587FB7D0A2F9",
        "x-amz-id-2": "A3Hb7pT2hT9vQz0Nc1xYw8Lk5Jm4Df6Ge",
        "x-amz-checksum-crc32": base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode(),
        "x-amz-checksum-type": "FULL_OBJECT",
    }


def _listed(key: str) -> str:
    return (
        f"<Contents><Key>{key}</Key><LastModified>2025-01-01T02:20:00.000Z</LastModified>"
        "<ETag>&quot;9b2cf535f27731c974343645a3985328&quot;</ETag><Size>16384</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
    )


def _folder(prefix: str) -> str:
    return f"<CommonPrefixes><Prefix>{prefix}/</Prefix></CommonPrefixes>"


def _list_result(rows: str, token: str | None) -> bytes:
    more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    truncated = f"<IsTruncated>{str(token is not None).lower()}</IsTruncated>"
    return f"<ListBucketResult>{truncated}{more}{rows}</ListBucketResult>".encode()


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()


def main() -> None:
    segments, parts, days = map(int, sys.argv[1:])
    server = MergeStore(MadeUpLog(segments=segments, parts=parts, days=days))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
