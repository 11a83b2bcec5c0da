"""The requests that a run makes, as policies speak of them: reported by a layer around the embedded
cloud's server.
"""

import io
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from ops.embedded.isolation import ACCOUNT_ID, REGION
from tests.iam.policies import Request

_OBJECT_ACTIONS = {
    "GET": "s3:GetObject",
    "HEAD": "s3:GetObject",
    "PUT": "s3:PutObject",
    "DELETE": "s3:DeleteObject",
}
_CONDITION_HEADERS = (
    "if-match",
    "if-none-match",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
)


class RequestsMade:
    """Notes what whoever has taken on a role asks for; a request that it cannot read fails."""

    def __init__(self) -> None:
        self._noted: list[tuple[str, Request]] = []

    def layer(self, application: WSGIApplication) -> WSGIApplication:
        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            access_key, service = _signer(environ)
            if access_key.startswith("ASIA"):  # a role's; the operator has none
                reader = {"s3": _of_s3, "dynamodb": _of_dynamodb, "lambda": _of_lambda}[service]
                self._noted += [(access_key, request) for request in reader(environ)]
            return application(environ, start_response)

        return answer

    def by(self, access_key: str, principal: str) -> list[Request]:
        """What the principal with that key asked for: in its order, each once."""
        asked = (request for key, request in self._noted if key == access_key)
        different = {repr(request): request for request in asked}.values()
        return [
            Request(
                principal=principal,
                action=request.action,
                resource=request.resource,
                context=request.context,
            )
            for request in different
        ]


def _signer(environ: WSGIEnvironment) -> tuple[str, str]:
    """The access key and the service that the signature names."""
    signed = environ.get("HTTP_AUTHORIZATION", "")
    found = re.search(r"Credential=(\w+)/\d+/[\w-]+/(\w+)/", signed)
    return (found[1], found[2]) if found else ("", "")


def _request(action: str, resource: str, **context: str) -> Request:
    # In AWS it is over TLS: the endpoints of the functions' clients are https.
    return Request(
        principal="",
        action=action,
        resource=resource,
        context={"aws:SecureTransport": "true", **context},
    )


def _of_s3(environ: WSGIEnvironment) -> Iterator[Request]:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html"""
    bucket, _, key = environ["PATH_INFO"].removeprefix("/").partition("/")
    method, query = environ["REQUEST_METHOD"], parse_qs(environ["QUERY_STRING"])
    if not key:
        assert (method, query["list-type"]) == ("GET", ["2"]), f"{method} {query} of a bucket"
        prefix = {"s3:prefix": query["prefix"][0]}
        yield _request("s3:ListBucket", f"arn:aws:s3:::{bucket}", **prefix)
        return
    assert query.keys() <= {"x-id"}, f"{query} of an object"
    context = {
        f"s3:{header}": environ[f"HTTP_{header.upper().replace('-', '_')}"]
        for header in _CONDITION_HEADERS
        if f"HTTP_{header.upper().replace('-', '_')}" in environ
    }
    if method == "PUT":
        context["s3:ObjectCreationOperation"] = "true"
    arn = f"arn:aws:s3:::{bucket}/{key}"
    yield _request(_OBJECT_ACTIONS[method], arn, **context)
    if "s3:if-match" in context:
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-delete-enforce.html
        yield _request("s3:GetObject", arn, **context)


def _of_dynamodb(environ: WSGIEnvironment) -> Iterator[Request]:
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    environ["wsgi.input"] = io.BytesIO(body)
    operation = environ["HTTP_X_AMZ_TARGET"].rpartition(".")[2]
    asked = json.loads(body)
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
    resource = asked.get("TableArn") or asked.get("ExportArn")
    if resource is None:
        resource = f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{asked['TableName']}"
    yield _request(f"dynamodb:{operation}", resource)


def _of_lambda(environ: WSGIEnvironment) -> Iterator[Request]:
    if environ["PATH_INFO"].endswith("/account-settings"):
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
        yield _request("lambda:GetAccountSettings", "*")
        return
    invoked = re.search(r"/functions/(?:.*:)?([\w-]+)/invocations$", environ["PATH_INFO"])
    assert invoked, environ["PATH_INFO"]
    yield _request(
        "lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{invoked[1]}"
    )
