"""Requests and answers of the embedded cloud's server, on a wire that can be cut."""

import json
import re
import socket
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import unquote
from wsgiref.types import StartResponse, WSGIEnvironment

from ops.embedded.export_files import data_file_name
from tests.faults.http_calls import Answer

_DATA_FILE = re.compile(r"AWSDynamoDB/([^/]+)/data/([^/?]+)")
_MOST_FILES = 10


def question(environ: WSGIEnvironment, body: bytes) -> str:
    """The same for the same question of whichever run, in whichever cloud's bucket."""
    path = environ["PATH_INFO"]
    if is_s3(environ):
        path = f"{path.lstrip('/').partition('/')[2]}?{unquote(environ.get('QUERY_STRING', ''))}"
    path = re.sub(r"run=[^/]*", "run", path)
    path = _DATA_FILE.sub(_numbered, path)
    path = re.sub(r"AWSDynamoDB/[^/]+/", "", path)
    asked = environ.get("HTTP_RANGE", "")
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        request = json.loads(body)
        asked = f"{target} {request.get('Segment')} {request.get('ExclusiveStartKey')}"
    return f"{environ['REQUEST_METHOD']} {path} {asked}"


def _numbered(data_file: re.Match[str]) -> str:
    """A data file's name is another one in each export."""
    names = [data_file_name(data_file[1], number) for number in range(_MOST_FILES)]
    return f"data/{names.index(data_file[2])}"


def is_s3(environ: WSGIEnvironment) -> bool:
    return "HTTP_X_AMZ_TARGET" not in environ


def broken(answer: Answer) -> bytes | None:
    """The body with one byte that is another, still well formed where it is JSON; None where no
    checksum would tell."""
    names = {name.lower() for name in answer.headers}
    if not any(name == "x-amz-crc32" or name.startswith("x-amz-checksum-") for name in names):
        return None
    if b"0" in answer.body:
        return answer.body.replace(b"0", b"1", 1)
    return answer.body[:-1] + bytes([answer.body[-1] ^ 1]) if answer.body else None


def send(
    answer: Answer,
    start_response: StartResponse,
    *,
    body: bytes | None = None,
    cut: socket.socket | None = None,
) -> Iterable[bytes]:
    """The answer; with `cut`, its first half and then the end of the connection."""
    headers = {
        "content-length": str(len(answer.body)),
        **{k.lower(): v for k, v in answer.headers.items()},
    }
    start_response(f"{answer.status} Answer", list(headers.items()))
    if cut is None:
        yield answer.body if body is None else body
        return
    yield answer.body[: len(answer.body) // 2]
    with suppress(OSError):
        cut.shutdown(socket.SHUT_RDWR)


def hang_up(connection: socket.socket, start_response: StartResponse) -> Iterable[bytes]:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    start_response("200 Never sent", [("content-length", "0")])
    return [b""]
