"""Decides who may call the embedded cloud: programs that have its access key, and no page in a
browser.

A server on 127.0.0.1 is within reach of every page that a browser on this machine has open. Such a
request has an Origin or Sec-Fetch headers, or, after DNS rebinding, the page's own host name. It
does not have the key.

https://developer.mozilla.org/en-US/docs/Glossary/Fetch_metadata_request_header
https://en.wikipedia.org/wiki/DNS_rebinding
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from xml.sax.saxutils import escape

from moto.sts.models import sts_backends

from ops.embedded.isolation import ACCOUNT_ID
from ops.embedded.server import Middleware

_FROM_A_PAGE = ("HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE", "HTTP_SEC_FETCH_MODE")
_LOCAL_NAMES = {"localhost", "host.docker.internal"}
"""names of this machine, as used by programs on it and by containers"""
_EMULATORS_OWN = ("/moto-api", "/favicon.ico", "/latest/")
"""paths under which moto answers requests without credentials: its control panel, which can delete
everything, and the metadata service of an instance"""
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")


def known_callers_only(access_key: str, *, host: str) -> Middleware:
    """Answers 403 to every request but those of programs that have this access key, or the
    credentials of a role that was assumed with it.

    A Host must be an IP address, a local name, or the `host` on which the server was asked to
    listen.
    """
    names = _LOCAL_NAMES | {host.lower()}

    def layer(application: WSGIApplication) -> WSGIApplication:
        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            refusal = _refusal(environ, access_key, names)
            if refusal is None:
                return application(environ, start_response)
            return _refuse(environ, start_response, refusal)

        return answer

    return layer


def _refusal(environ: WSGIEnvironment, access_key: str, names: set[str]) -> str | None:
    """Returns why the request is refused; None if it is allowed."""
    if any(header in environ for header in _FROM_A_PAGE):
        return "it comes from a page in a browser"
    if not _is_local(environ.get("HTTP_HOST", ""), names):
        return f"its Host {environ.get('HTTP_HOST', '')!r} is not this machine"
    if environ.get("PATH_INFO", "").startswith(_EMULATORS_OWN):
        return "it is not for a service of AWS"
    key = _access_key(environ)
    if not (secrets.compare_digest(key.encode(), access_key.encode()) or _is_of_a_role(key)):
        return "its access key is not that of this embedded AWS, which is new at each start"
    return None


def _is_local(host: str, names: set[str]) -> bool:
    """Returns whether the host is this machine: a page from an attacker's server has that server's
    name as its host, even if the name now resolves to this machine."""
    name = re.sub(r":\d+$", "", host).strip("[]").lower()
    try:
        ip_address(name)
    except ValueError:
        return name in names
    return True


def _access_key(environ: WSGIEnvironment) -> str:
    """Returns the access key in the request's Authorization, or in the query of a presigned
    request."""
    if found := _CREDENTIAL.search(str(environ.get("HTTP_AUTHORIZATION", ""))):
        return found[1]
    query = parse_qs(environ.get("QUERY_STRING", ""))
    presigned: list[str] = query.get("X-Amz-Credential") or query.get("AWSAccessKeyId") or [""]
    return presigned[0].partition("/")[0]


def _is_of_a_role(access_key: str) -> bool:
    backend: Any = sts_backends[ACCOUNT_ID]["aws"]
    return backend.get_assumed_role_from_access_key(access_key) is not None


def _refuse(
    environ: WSGIEnvironment, start_response: StartResponse, reason: str
) -> Iterable[bytes]:
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    says = f"The embedded AWS refuses this request: {reason}"
    if "HTTP_X_AMZ_TARGET" in environ:
        start_response("403 Forbidden", [("Content-Type", "application/x-amz-json-1.1")])
        return [json.dumps({"__type": "AccessDeniedException", "message": says}).encode()]
    start_response("403 Forbidden", [("Content-Type", "application/xml")])
    says = escape(says)
    return [f"<Error><Code>AccessDenied</Code><Message>{says}</Message></Error>".encode()]
