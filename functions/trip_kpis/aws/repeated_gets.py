"""GETs of very many objects, of what botocore does for each only what differs from one to the next.

For every `get_object` botocore finds the endpoint anew, checks and builds the request, tells a
dozen listeners, and parses the answer by its model: much of a large merge's processor time. Here
the first GET is an ordinary one, and the others are the same request for another key, signed by the
client's own signer and sent by its own session. Whatever is not a whole answer 200 is asked for
again in the ordinary way, with all of botocore's retries and checks.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.exceptions import HTTPClientError
from botocore.hooks import first_non_none_response

from trip_kpis.aws.bucket import Bucket, StoredObject

_SIGNATURE = "s3v4"
_METADATA = "x-amz-meta-"


@contextmanager
def repeated_gets(
    bucket: Bucket, *, is_whole: Callable[[StoredObject], bool]
) -> Iterator[Callable[[str], StoredObject | None]]:
    """`bucket.get` for very many keys, from any thread.

    An object that `is_whole` does not accept is read once more by `bucket.get` itself, which
    checks what S3 sends; what it returns is the caller's to judge.
    """
    gets = _Gets(bucket, is_whole)
    events = bucket.client.meta.events
    events.register("before-sign.s3.GetObject", gets.learn)
    try:
        yield gets.get
    finally:
        events.unregister("before-sign.s3.GetObject", gets.learn)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Template:
    """An ordinary GET, as it was when botocore was about to sign it."""

    url_prefix: str
    """what every object's URL begins with"""
    headers: Mapping[str, str]
    context: Mapping[str, Any]
    new_signature: Callable[[], Any]
    """with the credentials of the moment"""

    def request(self, key: str) -> AWSPreparedRequest:
        """The same for another object, signed."""
        request = AWSRequest("GET", self.url_prefix + _quoted(key), headers=dict(self.headers))
        request.context.update(self.context)
        self.new_signature().add_auth(request)
        return request.prepare()


class _Gets:
    def __init__(self, bucket: Bucket, is_whole: Callable[[StoredObject], bool]) -> None:
        self._bucket = bucket
        self._is_whole = is_whole
        self._events = bucket.client.meta.events
        # No public name of botocore's: where it keeps its session elsewhere, every GET is an
        # ordinary one.
        self._session: Any = getattr(
            getattr(bucket.client, "_endpoint", None), "http_session", None
        )
        self._template: _Template | None = None

    def learn(
        self,
        *,
        request: AWSRequest,
        request_signer: Any,
        signing_name: str,
        region_name: str,
        signature_version: Any,
        **_: Any,
    ) -> None:
        """Listens to botocore's `before-sign`."""
        path = _quoted(request.context["input_params"]["Key"])
        if self._session is None or signature_version != _SIGNATURE or path not in request.url:
            return
        signing = request.context["signing"]
        self._template = _Template(
            url_prefix=request.url.removesuffix(path),
            headers=dict(request.headers),
            context=dict(request.context),
            new_signature=lambda: request_signer.get_auth_instance(
                signing.get("signing_name", signing_name),
                signing.get("region", region_name),
                signature_version,
            ),
        )

    def get(self, key: str) -> StoredObject | None:
        """Raises what `Bucket.get` raises."""
        alike = None if self._template is None else self._send(self._template.request(key))
        if alike is not None and self._is_whole(alike):
            return alike
        return self._bucket.get(key)

    def _send(self, request: AWSPreparedRequest) -> StoredObject | None:
        """The object; None for an answer that has none, or not all of it."""
        try:
            # A listener may answer in the server's stead, as botocore lets it.
            answers = self._events.emit("before-send.s3.GetObject", request=request)
            answer: AWSResponse = first_non_none_response(answers) or self._session.send(request)
        except HTTPClientError:
            return None
        headers, body = answer.headers, answer.content
        if answer.status_code != 200 or headers.get("Content-Length") != str(len(body)):
            return None
        metadata = {
            name.lower().removeprefix(_METADATA): value
            for name, value in headers.items()
            if name.lower().startswith(_METADATA)
        }
        return StoredObject(body=body, etag=headers["ETag"], metadata=metadata)


def _quoted(key: str) -> str:
    """As botocore writes a key into a URL."""
    return quote(key, safe="/~")
