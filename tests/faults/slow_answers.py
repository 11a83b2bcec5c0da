"""Requests and answers of the embedded cloud's server, on a wire that can be cut."""

import json
import re
import socket
from collections.abc import Iterable
from contextlib import suppress
from wsgiref.types import StartResponse, WSGIEnvironment

from tests.faults.http_calls import Answer


def question(environ: WSGIEnvironment, body: bytes) -> str:
    """The same for the same question of whichever run."""
    path = re.sub(r"run=[^/]*", "run", environ["PATH_INFO"] + environ.get("QUERY_STRING", ""))
    asked = ""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        request = json.loads(body)
        asked = f"{target} {request.get('Segment')} {request.get('ExclusiveStartKey')}"
    return f"{environ['REQUEST_METHOD']} {path} {asked}"


def is_s3(environ: WSGIEnvironment) -> bool:
    return "HTTP_X_AMZ_TARGET" not in environ


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
