"""Functions may run behind another Lambda endpoint, which need not report errors as Lambda does."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from ops.embedded.errors import LambdaEndpointError
from ops.embedded.lambda_endpoint import LambdaEndpoint
from ops.embedded.lambda_service import LambdaService
from tests.integration.embedded.stand_in_cloud import StandIn


class SamLocal(BaseHTTPRequestHandler):
    """Answers an invocation as `sam local start-lambda` does: 200, and what came out."""

    answer: ClassVar[bytes] = b"{}"
    paths: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.paths.append(self.path)
        self._send(200, self.answer)

    def do_GET(self) -> None:
        self._send(404, b'{"Type": "LocalService", "Message": "PathNotFoundException"}')

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    SamLocal.paths.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), SamLocal) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def invoked(stand_in: StandIn, url: str, answer: bytes) -> tuple[Any, str | None]:
    SamLocal.answer = answer
    name = stand_in.stack.functions["WorkFunction"].name
    with LambdaService(stand_in.cloud, stand_in.stack, LambdaEndpoint(url)) as service:
        payload, function_error, _ = service.invoke(name, b'{"item": 1}')
    return json.loads(payload), function_error


def test_a_function_goes_by_its_logical_id(stand_in: StandIn, url: str) -> None:
    assert invoked(stand_in, url, b'{"finished": true}') == ({"finished": True}, None)
    assert SamLocal.paths == ["/2015-03-31/functions/WorkFunction/invocations"]


def test_an_exception_is_recognised_by_its_payload(stand_in: StandIn, url: str) -> None:
    report = {
        "errorMessage": "no",
        "errorType": "PermanentError",
        "requestId": "r",
        "stackTrace": [],
    }
    assert invoked(stand_in, url, json.dumps(report).encode()) == (report, "Unhandled")


def test_an_answer_that_only_looks_like_an_error_is_none(stand_in: StandIn, url: str) -> None:
    assert invoked(stand_in, url, b'{"errorType": "x"}') == ({"errorType": "x"}, None)


def test_no_answer_is_a_runtime_that_exited(stand_in: StandIn, url: str) -> None:
    payload, function_error = invoked(stand_in, url, b"")
    assert function_error == "Unhandled"
    assert payload["errorType"] == "Runtime.ExitError"


def test_an_endpoint_that_is_not_there_is_named_before_anything_runs() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(LambdaEndpointError, match=f"127.0.0.1:{port} cannot be used"):
        LambdaEndpoint(f"http://127.0.0.1:{port}")
