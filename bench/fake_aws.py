"""Just enough of DynamoDB and S3 over HTTP for one run: a table of one made-up page after another,
and objects in memory.

`python -m bench.fake_aws PAGES` prints its address and serves until its standard input closes.
"""

import hashlib
import json
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

TRIPS_PER_PAGE = 3_015
"""with 16 attributes each, about what fits into the 1 MB of a page"""
_DAYS = 28
_REJECTED_PER_PAGE = 3


def made_up_items() -> bytes:
    """A page's items, as DynamoDB sends them: the attributes that are asked for, and the key."""
    items = [
        {
            "trip_id": {"S": f"trip-{number:06d}"},
            "pickup_datetime": {"S": f"2024-02-{1 + number % _DAYS:02d} 13:19:00"},
            "fare_amount": {"S": f"{number % 90}.{number:018d}"},
            "estimated_fare_amount": {"S": f"{number % 90}.5"},
        }
        for number in range(TRIPS_PER_PAGE)
    ]
    for item in items[:_REJECTED_PER_PAGE]:
        item["fare_amount"] = {"S": "twelve"}
    return json.dumps(items).encode()


class FakeAws(ThreadingHTTPServer):
    """What the functions call."""

    daemon_threads = True

    def __init__(self, pages: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages = pages
        self.items = made_up_items()
        self.objects: dict[str, tuple[bytes, dict[str, str], datetime]] = {}
        self.lock = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeAws

    def do_POST(self) -> None:
        asked = json.loads(self._body())
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        self._answer(200, self._page(asked) if operation == "Scan" else self._table())

    def do_PUT(self) -> None:
        body = self._body()
        metadata = {k: v for k, v in self.headers.items() if k.lower().startswith("x-amz-meta-")}
        with self.server.lock:
            if self.headers.get("If-None-Match") == "*" and self._key() in self.server.objects:
                self._answer(412, _error("PreconditionFailed"))
                return
            self.server.objects[self._key()] = (body, metadata, datetime.now(UTC))
        self._answer(200, b"", {"ETag": _etag(body)})

    def do_GET(self) -> None:
        if "list-type=2" in urlsplit(self.path).query:
            self._answer(200, self._listing())
            return
        found = self.server.objects.get(self._key())
        if found is None:
            self._answer(404, _error("NoSuchKey"))
            return
        self._answer(200, found[0], {**found[1], "ETag": _etag(found[0])})

    def _page(self, asked: dict[str, dict[str, dict[str, str]]]) -> bytes:
        start_key = asked.get("ExclusiveStartKey")
        number = int(start_key["trip_id"]["S"]) + 1 if start_key else 0
        rest: dict[str, object] = {
            "Count": TRIPS_PER_PAGE,
            "ScannedCount": TRIPS_PER_PAGE,
            "ConsumedCapacity": {"TableName": "trips", "CapacityUnits": 128.0},
        }
        if number + 1 < self.server.pages:
            rest["LastEvaluatedKey"] = {"trip_id": {"S": f"{number:09d}"}}
        return b'{"Items":' + self.server.items + b"," + json.dumps(rest).encode()[1:]

    def _table(self) -> bytes:
        table = {
            "TableName": "trips",
            "TableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/trips",
            "TableId": "made-up",
            "KeySchema": [{"AttributeName": "trip_id", "KeyType": "HASH"}],
            "TableSizeBytes": self.server.pages * 10**6,
            "ItemCount": self.server.pages * TRIPS_PER_PAGE,
        }
        return json.dumps({"Table": table}).encode()

    def _listing(self) -> bytes:
        """All keys at once, however many; with a delimiter, what lies below the prefix up to it."""
        query = parse_qs(urlsplit(self.path).query)
        prefix, delimiter = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
        with self.server.lock:
            found = sorted(key for key in self.server.objects if key.startswith(prefix))
        if delimiter:
            folders = {prefix + key[len(prefix) :].partition("/")[0] + "/" for key in found}
            rows = "".join(
                f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>"
                for folder in sorted(folders)
            )
        else:
            rows = "".join(
                f"<Contents><Key>{escape(key)}</Key><LastModified>"
                f"{self.server.objects[key][2]:%Y-%m-%dT%H:%M:%S.000Z}</LastModified></Contents>"
                for key in found
            )
        truncated = "<IsTruncated>false</IsTruncated>"
        return f"<ListBucketResult>{truncated}{rows}</ListBucketResult>".encode()

    def _key(self) -> str:
        """``/results/kpis/…`` -> ``kpis/…``"""
        return unquote(urlsplit(self.path).path).lstrip("/").partition("/")[2]

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a line a request would be thousands."""


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()


def main() -> None:
    server = FakeAws(int(sys.argv[1]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
