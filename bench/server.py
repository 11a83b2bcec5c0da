"""DynamoDB and S3 over HTTP, for a process that is measured: `python -m bench.server SHAPE`.

It prints its address and serves until its standard input closes. All pages are bytes before it
prints anything, so that it takes next to nothing of the processors while a client is measured.
"""

import argparse
import json
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from bench.objects import Objects
from bench.pages import make_up_pages
from bench.replay import ReplayedTables
from bench.serving import served_by
from bench.trips import SHAPES

EXPORT_BUCKET = "exports"


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, tables: ReplayedTables) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tables = tables
        self.objects = Objects()

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_POST(self) -> None:
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        reply = self.server.tables.reply(operation, json.loads(self._body()))
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "x-amz-crc32": str(reply.crc),
            "x-amzn-RequestId": str(uuid.uuid4()),
        }
        self._answer(reply.status, headers, *reply.pieces)

    def do_PUT(self) -> None:
        body = self._body()
        metadata = {k: v for k, v in self.headers.items() if k.lower().startswith("x-amz-meta-")}
        etag = self.server.objects.put(
            self._object, body, metadata, new=self.headers.get("If-None-Match") == "*"
        )
        if etag is None:
            self._answer(412, {}, _error("PreconditionFailed"))
        else:
            self._answer(200, {"ETag": etag})

    def do_HEAD(self) -> None:
        stored = self.server.objects.stored.get(self._object)
        headers = {} if stored is None else stored.headers
        self._answer(404 if stored is None else 200, headers)

    def do_DELETE(self) -> None:
        self.server.objects.stored.pop(self._object, None)
        self._answer(204, {})

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            prefix, delimiter = (query.get(name, [""])[0] for name in ("prefix", "delimiter"))
            bucket = self._object.rstrip("/")
            self._answer(200, {}, self.server.objects.listing(bucket, prefix, delimiter))
            return
        stored = self.server.objects.stored.get(self._object)
        if stored is None:
            self._answer(404, {}, _error("NoSuchKey"))
        elif self.headers.get("If-Match", stored.headers["ETag"]) != stored.headers["ETag"]:
            self._answer(412, {}, _error("PreconditionFailed"))
        elif "Range" not in self.headers:
            self._answer(200, stored.headers, stored.body[:])
        elif piece := stored.piece(self.headers["Range"]):
            headers = {**stored.headers, "Content-Range": piece.content_range}
            self._answer(206, headers, piece.body)
        else:
            self._answer(416, {}, _error("InvalidRange"))

    @property
    def _object(self) -> str:
        """``/results/kpis/…`` -> ``results/kpis/…``"""
        return unquote(urlsplit(self.path).path).lstrip("/")

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, status: int, headers: dict[str, str], *pieces: bytes) -> None:
        self.send_response(status)
        length = sum(map(len, pieces))
        for name, value in {**headers, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece)

    def log_message(self, *_: object) -> None:
        """Nothing: a line a request would be thousands."""


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()


@contextmanager
def served(
    shape: str, *, whole: bool = False, rejected_per_page: int = 0, export: Path | None = None
) -> Iterator[str]:
    """Yields the address of such a server in a separate process, which ends with the block. The
    files below the directory `export` are the objects of EXPORT_BUCKET."""
    arguments = [shape, "--rejected-per-page", str(rejected_per_page), *["--whole"] * whole]
    if export is not None:
        arguments += ["--export", str(export)]
    with served_by("bench.server", *arguments) as url:
        yield url


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve made-up tables and objects.")
    parser.add_argument("shape", choices=sorted(SHAPES))
    parser.add_argument("--whole", action="store_true", help="Project and filter nothing.")
    parser.add_argument("--rejected-per-page", type=int, default=0)
    parser.add_argument("--export", type=Path, help="A directory whose files are objects.")
    asked = parser.parse_args()
    pages = make_up_pages(SHAPES[asked.shape], rejected_per_page=asked.rejected_per_page)
    server = Server(ReplayedTables(pages=pages, whole=asked.whole))
    if asked.export:
        server.objects.add_files(EXPORT_BUCKET, asked.export)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.endpoint_url, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
