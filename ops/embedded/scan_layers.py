"""Layers around the embedded cloud's server that recognize Scan requests."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from ops.embedded.isolation import ACCOUNT_ID, REGION
from ops.embedded.server import Middleware

_TARGET = "DynamoDB_20120810.Scan"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """A request for a page. `start_key` is None for a segment's first."""

    table_name: str
    segment: int | None
    start_key: dict[str, Any] | None


def scans_reported_to(tell: Callable[[ScanRequest], None]) -> Middleware:
    """Reports every page before it is returned, from several threads at the same time."""

    def layer(application: WSGIApplication) -> WSGIApplication:
        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            statuses: list[str] = []

            def start(status: str, headers: Any, exc_info: Any = None) -> Any:
                statuses.append(status)
                return start_response(status, headers, exc_info)

            scan = scan_request(environ)
            body = application(environ, start)
            if scan is not None and statuses and statuses[-1].startswith("200"):
                tell(scan)
            return body

        return answer

    return layer


def scans_denied_where(denied: Callable[[ScanRequest], bool]) -> Middleware:
    """Answers such requests with DynamoDB's error for a caller that no policy allows to scan."""

    def layer(application: WSGIApplication) -> WSGIApplication:
        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            scan = scan_request(environ)
            if scan is None or not denied(scan):
                return application(environ, start_response)
            start_response("400 Bad Request", [("Content-Type", "application/x-amz-json-1.0")])
            return [_access_denied(scan.table_name)]

        return answer

    return layer


def scan_request(environ: WSGIEnvironment) -> ScanRequest | None:
    """Returns the Scan request, or None for any other request; its body can be read again."""
    if environ.get("HTTP_X_AMZ_TARGET") != _TARGET:
        return None
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    environ["wsgi.input"] = io.BytesIO(body)
    asked = json.loads(body)
    return ScanRequest(
        table_name=asked["TableName"],
        segment=asked.get("Segment"),
        start_key=asked.get("ExclusiveStartKey"),
    )


def _access_denied(table_name: str) -> bytes:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html"""
    message = (
        "User is not authorized to perform: dynamodb:Scan on resource: "
        f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{table_name} "
        "because no identity-based policy allows the dynamodb:Scan action"
    )
    error = {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": message}
    return json.dumps(error).encode()
