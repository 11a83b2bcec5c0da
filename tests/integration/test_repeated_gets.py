"""GETs of very many objects: what `Bucket.get` returns, with less of botocore around them."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import HTTPClientError, ReadTimeoutError

from tests.integration.pipeline import BUCKET_NAME, Pipeline, hook
from trip_kpis.aws.bucket import Bucket, StoredObject
from trip_kpis.aws.repeated_gets import repeated_gets

KEYS = ["staging/run=a/part-0", "staging/run=a/part-1", "staging/run=ü b~c/100% (x)+'y'!*.parquet"]


class Calls:
    """What the client was asked in the ordinary way, and what it sent."""

    def __init__(self, client: Any) -> None:
        self.ordinary: list[str] = []
        self.sent: list[Mapping[str, Any]] = []
        hook(client, "provide-client-params.s3.GetObject", self._asked)
        hook(client, "before-send.s3.GetObject", self._sent)

    def _asked(self, params: Mapping[str, Any], **_: Any) -> None:
        self.ordinary.append(params["Key"])

    def _sent(self, request: AWSPreparedRequest, **_: Any) -> None:
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
        }
        self.sent.append({"url": request.url, **headers})


@pytest.fixture
def bucket(pipeline: Pipeline) -> Bucket:
    made = Bucket(pipeline.s3, BUCKET_NAME)
    for key in KEYS:
        made.put(key, key.encode(), content_type="text/plain", metadata={"sha256": "5e"})
    return made


@pytest.fixture
def calls(bucket: Bucket) -> Calls:
    return Calls(bucket.client)


def accept(_: StoredObject) -> bool:
    return True


def test_they_return_what_bucket_get_returns(bucket: Bucket) -> None:
    with repeated_gets(bucket, is_whole=accept) as get:
        assert [get(key) for key in KEYS * 2] == [bucket.get(key) for key in KEYS * 2]


def test_only_the_first_is_an_ordinary_call(bucket: Bucket, calls: Calls) -> None:
    with repeated_gets(bucket, is_whole=accept) as get:
        for key in KEYS:
            get(key)
    assert calls.ordinary == KEYS[:1]
    assert len(calls.sent) == len(KEYS)


def test_the_requests_are_those_that_botocore_sends(bucket: Bucket, calls: Calls) -> None:
    with repeated_gets(bucket, is_whole=accept) as get:
        get(KEYS[0])
        for key in KEYS:
            get(key)
    alike = calls.sent[1:]
    for key in KEYS:
        bucket.get(key)
    for ours, botocores in zip(alike, calls.sent[-len(KEYS) :], strict=True):
        for name in ("url", "host", "x-amz-checksum-mode", "x-amz-content-sha256"):
            assert ours[name] == botocores[name]
        ours_signed, theirs = ours["authorization"], botocores["authorization"]
        assert ours_signed.rpartition("=")[0] == theirs.rpartition("=")[0]


def test_an_object_that_is_not_there_is_none(bucket: Bucket, calls: Calls) -> None:
    with repeated_gets(bucket, is_whole=accept) as get:
        get(KEYS[0])
        assert get("staging/nothing") is None
    assert calls.ordinary == [KEYS[0], "staging/nothing"]


def _unavailable(request: AWSPreparedRequest) -> AWSResponse:
    return AWSResponse(request.url, 503, {"Content-Length": "0"}, _Body(b""))


def _cut_short(request: AWSPreparedRequest) -> AWSResponse:
    headers = {"Content-Length": "5", "ETag": '"e"'}
    return AWSResponse(request.url, 200, headers, _Body(b"four"))


def _timed_out(request: AWSPreparedRequest) -> AWSResponse:
    raise ReadTimeoutError(endpoint_url=request.url)


def _broken(_: AWSPreparedRequest) -> AWSResponse:
    raise HTTPClientError(error="broken")


class _Body:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> list[bytes]:
        return [self._body]


@pytest.mark.parametrize("answer", [_unavailable, _cut_short, _timed_out, _broken])
def test_what_is_not_a_whole_answer_is_asked_for_in_the_ordinary_way(
    bucket: Bucket, calls: Calls, answer: Callable[[AWSPreparedRequest], AWSResponse]
) -> None:
    answers = iter([answer])

    def once(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        return next((answer(request) for answer in answers), None)

    with repeated_gets(bucket, is_whole=accept) as get:
        get(KEYS[0])
        bucket.client.meta.events.register_first("before-send.s3.GetObject", once)
        try:
            stored = get(KEYS[1])
        finally:
            bucket.client.meta.events.unregister("before-send.s3.GetObject", once)
    assert calls.ordinary == KEYS[:2]
    assert stored == bucket.get(KEYS[1])


def test_what_the_caller_does_not_accept_is_read_once_more_and_then_the_callers_to_judge(
    bucket: Bucket, calls: Calls
) -> None:
    with repeated_gets(bucket, is_whole=lambda _: False) as get:
        get(KEYS[0])
        assert get(KEYS[1]) == bucket.get(KEYS[1])
    assert len(calls.sent) == 4


def test_a_botocore_that_keeps_its_session_elsewhere_is_asked_in_the_ordinary_way(
    bucket: Bucket, calls: Calls
) -> None:
    class Elsewhere:
        meta = bucket.client.meta
        get_object = bucket.client.get_object

    with repeated_gets(Bucket(Elsewhere(), BUCKET_NAME), is_whole=accept) as get:
        assert [get(key) for key in KEYS] == [bucket.get(key) for key in KEYS]
    assert calls.ordinary == KEYS * 2
