"""Every failure of AWS becomes an error whose name says whether to try again."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    FlexibleChecksumError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
)
from botocore.stub import Stubber

from trip_kpis.aws import clients
from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.clients import aws_call
from trip_kpis.core.errors import (
    AccessDeniedError,
    BucketNotFoundError,
    RefusedError,
    TableNotFoundError,
    TransientError,
)


def client_of(service: str) -> Any:
    return boto3.client(
        service,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def scan_answering(code: str, status: int) -> None:
    client = client_of("dynamodb")
    with Stubber(client) as stubber:
        stubber.add_client_error("scan", code, "as AWS puts it", http_status_code=status)
        with aws_call("dynamodb:Scan", "trips"):
            client.scan(TableName="trips")


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("ProvisionedThroughputExceededException", 400, TransientError),
        ("ThrottlingException", 400, TransientError),
        ("Throttling", 400, TransientError),
        ("RequestLimitExceeded", 400, TransientError),
        ("LimitExceededException", 400, TransientError),
        ("TransactionInProgressException", 400, TransientError),
        ("InternalServerError", 500, TransientError),
        ("InternalServerError", 400, TransientError),
        ("InternalError", 500, TransientError),
        ("ServiceUnavailable", 503, TransientError),
        ("SlowDown", 503, TransientError),
        ("RequestTimeout", 400, TransientError),
        ("RequestTimeTooSkewed", 403, TransientError),
        ("ConditionalRequestConflict", 409, TransientError),
        ("OperationAborted", 409, TransientError),
        ("BadDigest", 400, TransientError),
        ("IncompleteBody", 400, TransientError),
        # botocore's word for an error of whose body nothing readable arrived:
        ("400", 400, TransientError),
        ("404", 404, TransientError),
        ("409", 409, TransientError),
        ("SomethingNew", 500, TransientError),
        ("", 502, TransientError),
        ("ExpiredTokenException", 400, TransientError),
        ("ExpiredToken", 400, TransientError),
        ("RequestExpired", 400, TransientError),
        ("NotImplemented", 501, RefusedError),
        ("501", 501, RefusedError),
        ("ResourceNotFoundException", 400, TableNotFoundError),
        ("NoSuchBucket", 404, BucketNotFoundError),
        ("AccessDenied", 403, AccessDeniedError),
        ("AccessDeniedException", 400, AccessDeniedError),
        ("403", 403, AccessDeniedError),
        ("ValidationException", 400, RefusedError),
        ("UnrecognizedClientException", 400, RefusedError),
        ("KMS.DisabledException", 400, RefusedError),
        ("SomethingNew", 400, RefusedError),
        ("", 400, RefusedError),
    ],
)
def test_every_code_has_its_class_and_is_named(
    code: str, status: int, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        scan_answering(code, status)
    assert type(caught.value) is error  # the state machine sees the class's own name
    assert isinstance(caught.value.__cause__, ClientError)
    assert "as AWS puts it" in str(caught.value) or error is BucketNotFoundError
    assert "trips" in str(caught.value)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (
            "Signature expired: 20240601T021500Z is now earlier than 20240601T022000Z",
            TransientError,
        ),
        ("Signature not yet current: 20240601T022000Z is later", TransientError),
        ("The request signature we calculated does not match", RefusedError),
    ],
)
def test_a_signature_that_expired_on_the_way_is_made_again(
    said: str, error: type[Exception]
) -> None:
    client = client_of("dynamodb")
    with Stubber(client) as stubber:
        stubber.add_client_error("scan", "InvalidSignatureException", said, http_status_code=400)
        with pytest.raises(error), aws_call("dynamodb:Scan", "trips"):
            client.scan(TableName="trips")


def test_the_message_names_the_action_as_iam_does_and_the_next_steps() -> None:
    with pytest.raises(AccessDeniedError, match=r"dynamodb:Scan on trips.*allow it"):
        scan_answering("AccessDeniedException", 400)
    with pytest.raises(TableNotFoundError, match="TableName"):
        scan_answering("ResourceNotFoundException", 400)
    with pytest.raises(BucketNotFoundError, match="BucketName"):
        scan_answering("NoSuchBucket", 404)


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (EndpointConnectionError(endpoint_url="https://e"), TransientError),
        (ConnectTimeoutError(endpoint_url="https://e"), TransientError),
        (ReadTimeoutError(endpoint_url="https://e"), TransientError),
        (SSLError(endpoint_url="https://e", error="x"), TransientError),
        (ResponseStreamingError(error="cut off"), TransientError),
        (IncompleteReadError(actual_bytes=1, expected_bytes=2), TransientError),
        (FlexibleChecksumError(error_msg="Expected checksum"), TransientError),
        (NoCredentialsError(), AccessDeniedError),
        (ParamValidationError(report="x"), RefusedError),
    ],
)
def test_what_never_became_an_answer_has_its_class_too(
    raised: Exception, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught, aws_call("s3:GetObject", "s3://b/k"):
        raise raised
    assert type(caught.value) is error
    assert caught.value.__cause__ is raised
    assert "s3:GetObject on s3://b/k" in str(caught.value)


def test_an_error_of_the_programs_own_passes_unchanged() -> None:
    with pytest.raises(ValueError, match="mine"), aws_call("s3:GetObject", "s3://b/k"):
        raise ValueError("mine")


@pytest.fixture
def fresh() -> Iterator[None]:
    def forget() -> None:
        clients.dynamodb.cache_clear()
        clients.s3.cache_clear()

    forget()
    yield
    forget()


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("client", [clients.dynamodb, clients.s3])
def test_a_client_is_made_once_with_as_many_connections_as_there_are_threads(
    client: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert client() is client()
    config = client().meta.config
    assert config.max_pool_connections == 32
    assert config.retries["mode"] == "standard"


# The bucket's answers, as S3 gives them


def test_an_object_that_is_not_there_is_none_and_a_bucket_that_is_not_there_an_error() -> None:
    client = client_of("s3")
    bucket = Bucket(client, "b")
    with Stubber(client) as stubber:
        stubber.add_client_error("get_object", "NoSuchKey", http_status_code=404)
        assert bucket.get("k") is None
        stubber.add_client_error("get_object", "NoSuchBucket", http_status_code=404)
        with pytest.raises(BucketNotFoundError):
            bucket.get("k")


@pytest.mark.parametrize(
    ("code", "status"), [("PreconditionFailed", 412), ("412", 412), ("NoSuchKey", 404)]
)
def test_a_condition_that_does_not_hold_is_no_error(code: str, status: int) -> None:
    client = client_of("s3")
    bucket = Bucket(client, "b")
    with Stubber(client) as stubber:
        for _ in range(2):
            stubber.add_client_error("put_object", code, http_status_code=status)
        assert not bucket.put_new("k", b"", content_type="text/plain")
        assert not bucket.replace("k", b"", etag="e", content_type="text/plain", metadata={})
        stubber.add_client_error("delete_object", code, http_status_code=status)
        assert not bucket.delete("k", etag="e")


def test_two_writers_at_the_very_same_moment_are_asked_to_try_again() -> None:
    client = client_of("s3")
    with Stubber(client) as stubber:
        stubber.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
        with pytest.raises(TransientError):
            Bucket(client, "b").put_new("k", b"", content_type="text/plain")
