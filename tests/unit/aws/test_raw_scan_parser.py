"""Of a Scan's answer only the decoding is replaced; the rest is botocore's, and works."""

import json
from collections.abc import Iterator
from typing import Any
from zlib import crc32

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ChecksumError, ClientError

from tests.faults.http_calls import Answer
from tests.samples import answer, trip
from trip_kpis.aws import clients

BODY = answer([trip("a")])
GOOD = Answer(body=BODY, headers={"x-amz-crc32": str(crc32(BODY)), "x-amzn-RequestId": "r-1"})
BROKEN = Answer(body=BODY.replace(b"12.5", b"92.5"), headers=GOOD.headers)


class Service:
    """Gives one answer after another, the last one again and again."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked = 0

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        found = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return found.to_response(request.url)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    clients.dynamodb.cache_clear()
    made = Service()
    clients.dynamodb().meta.events.register_first("before-send.dynamodb", made.answer)
    yield made
    clients.dynamodb.cache_clear()


def error(status: int, code: str) -> Answer:
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no"})
    return Answer(status=status, body=body.encode())


def scan() -> Any:
    return clients.dynamodb().scan(TableName="trips")


def test_a_scans_answer_is_left_as_it_came(service: Service) -> None:
    service.answers = [GOOD]
    found = scan()
    assert found["Body"] == BODY
    assert found["ResponseMetadata"]["RequestId"] == "r-1"
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert found["ResponseMetadata"]["RetryAttempts"] == 0


def test_any_other_answer_is_decoded_by_botocore(service: Service) -> None:
    service.answers = [Answer(body=b'{"Table": {"TableName": "trips", "ItemCount": 7}}')]
    assert clients.dynamodb().describe_table(TableName="trips")["Table"]["ItemCount"] == 7


@pytest.mark.parametrize("code", ["ThrottlingException", "ProvisionedThroughputExceededException"])
def test_botocore_retries_what_is_throttled(service: Service, code: str) -> None:
    service.answers = [error(400, code), error(400, code), GOOD]
    assert scan()["ResponseMetadata"]["RetryAttempts"] == 2


def test_errors_keep_their_classes_and_their_fields(service: Service) -> None:
    service.answers = [error(400, "ResourceNotFoundException")]
    with pytest.raises(clients.dynamodb().exceptions.ResourceNotFoundException):
        scan()
    service.answers = [error(400, "ValidationException")]
    with pytest.raises(ClientError, match="ValidationException") as raised:
        scan()
    assert raised.value.response["Error"]["Message"] == "no"


def test_a_body_that_is_not_the_one_that_was_sent_is_asked_for_again(service: Service) -> None:
    service.answers = [BROKEN, BROKEN, GOOD]
    assert scan()["Body"] == BODY
    assert service.asked == 3


def test_a_body_that_stays_broken_is_refused(service: Service) -> None:
    service.answers = [BROKEN]
    with pytest.raises(ChecksumError):
        scan()
