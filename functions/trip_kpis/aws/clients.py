"""The boundary to AWS: clients, and botocore's errors as the program's own errors."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any
from zlib import crc32

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ChecksumError,
    ClientError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
)
from botocore.exceptions import (
    ConnectionError as AwsConnectionError,
)
from botocore.parsers import ResponseParserError
from botocore.session import Session

from trip_kpis import __version__
from trip_kpis.aws import timestamps
from trip_kpis.aws.raw_scan_parser import UndecodedScans
from trip_kpis.core.errors import (
    AccessDeniedError,
    BucketNotFoundError,
    ExportNotFoundError,
    RefusedError,
    TableNotFoundError,
    TransientError,
)

_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 6},
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=32,
    # botocore puts its own together anew for every request, which takes a tenth of it.
    user_agent=f"trip-kpis/{__version__}",
)

_CONFLICT_ATTEMPTS = 10
"""of a write, about ten seconds, before a conflict with other writers is left to a later attempt"""
_DENIED = {"AccessDenied", "AccessDeniedException", "403", "Forbidden"}
_TRANSIENT = {
    # botocore's word for an error of whose body nothing readable arrived (cut short, say):
    "400",
    "404",
    "409",
    "BadDigest",  # the body that arrived is not the one that was sent
    "ConditionalRequestConflict",  # another write of the object at this moment; `_retry_conflict`
    "IncompleteBody",
    "InternalError",
    "InternalServerError",
    # Credentials that expired on the way: the next attempt, or the next invocation, has new ones.
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "LimitExceededException",
    "OperationAborted",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TransactionInProgressException",
}
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""

BROKEN_ON_THE_WAY = (
    AwsConnectionError,
    HTTPClientError,
    ResponseParserError,  # an answer that is no answer
    ChecksumError,
    # While an object's body is read, where botocore has no say any more and does not retry:
    IncompleteReadError,
    FlexibleChecksumError,
)


@cache
def dynamodb() -> Any:
    """Returns the DynamoDB client, made on first use and kept for a warm start; it leaves a Scan's
    answer undecoded (`raw_scan_parser`).

    botocore's own session makes it: boto3 around that would only bring its transfer manager along,
    a quarter of what importing a handler takes.
    """
    return scanning_client(Session())


def scanning_client(session: Session, *, region: str | None = None) -> Any:
    """Returns a DynamoDB client as `dynamodb` does, with the credentials of this botocore Session,
    and optionally a region."""
    session.register_component("response_parser_factory", UndecodedScans())
    client = session.create_client("dynamodb", config=_CONFIG, region_name=region)
    client.meta.events.register("after-call.dynamodb", _check_crc32)
    return client


@cache
def s3() -> Any:
    """Returns the S3 client; made on first use, kept for a warm start."""
    client = timestamps.session().create_client("s3", config=_CONFIG)
    for operation in ("PutObject", "DeleteObject"):
        client.meta.events.register(f"needs-retry.s3.{operation}", _retry_conflict)
    return client


def check_answer(answer: Mapping[str, Any], *members: str) -> None:
    """Raises ResponseParserError if an answer lacks a member that every answer of its kind has: its
    body was lost, and botocore parses that as an empty answer."""
    for member in members:
        if member not in answer:
            raise ResponseParserError(f"the answer has no {member}: its body is missing or cut")


def _retry_conflict(
    *, attempts: int, response: tuple[Any, Mapping[str, Any]] | None, **_: Any
) -> float | None:
    """Handles botocore's `needs-retry`: returns the seconds after which a conditional write that
    conflicted with another one is retried. What it met may have failed, so the condition may still
    hold.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    if response is None or attempts >= _CONFLICT_ATTEMPTS:
        return None
    code = response[1].get("Error", {}).get("Code")
    return pause_seconds(attempts) if code == "ConditionalRequestConflict" else None


def pause_seconds(attempts: int) -> float:
    """Returns the pause before the next attempt after so many attempts: random, up to a limit that
    doubles to two seconds."""
    return random.uniform(0, min(2.0, 0.05 * 2**attempts))


def _is_transient(code: str, status: int, said: str) -> bool:
    if code in _TRANSIENT:
        return True
    if code == "InvalidSignatureException":  # DynamoDB's word for an expired signature, too
        return "expired" in said.lower() or "not yet current" in said.lower()
    return status >= 500 and status != 501  # 501: the service does not have what is asked for


@cache
def lambda_() -> Any:
    """Returns the Lambda client, with which PlanRun reads the account's limit; it gives up sooner
    than the other clients."""
    config = _CONFIG.merge(
        Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=2, read_timeout=5)
    )
    return Session().create_client("lambda", config=config)


def _check_crc32(http_response: Any, **_: Any) -> None:
    """Raises ChecksumError for an answer that differs from what DynamoDB sent.

    botocore retries such an answer, but takes the last one as it is when its retries are used up.
    """
    sent = http_response.headers.get("x-amz-crc32")
    if sent is not None and int(sent) != (arrived := crc32(http_response.content)):
        raise ChecksumError(checksum_type="crc32", expected_checksum=sent, actual_checksum=arrived)


@contextmanager
def aws_call(action: str, resource: str) -> Iterator[None]:
    """Converts the errors of one call of a client: `action` as IAM names it, `resource` as the user
    does.

    Raises TransientError for what may succeed when tried again (botocore has already tried more
    than once), TableNotFoundError, BucketNotFoundError, AccessDeniedError, or RefusedError for
    the rest.
    """
    try:
        yield
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        said = error.response["Error"].get("Message", "")
        if _is_transient(code, status, said):
            raise TransientError(f"{action} on {resource}: {code} ({said})") from error
        if code == "ResourceNotFoundException":
            raise TableNotFoundError(
                f"the table {resource} is not there ({said}): set TableName to a table "
                "of this account and region"
            ) from error
        if code == "ExportNotFoundException":
            raise ExportNotFoundError(
                f"the export {resource} is not there ({said}): name one of this account and "
                "region that is at most 90 days old, or start a new run"
            ) from error
        if code == "NoSuchBucket":
            raise BucketNotFoundError(
                f"the bucket of {resource} is not there: set BucketName to a bucket of "
                "this account and region, or leave it empty so that the stack creates one"
            ) from error
        if code in _DENIED:
            raise AccessDeniedError(
                f"the function's role may not do {action} on {resource} ({said}): allow it in the "
                "role, in the bucket's or key's policy, or in the organization's"
            ) from error
        raise RefusedError(f"{action} on {resource} was refused: {code} ({said})") from error
    except BROKEN_ON_THE_WAY as error:
        raise TransientError(f"{action} on {resource}: {error}") from error
    except NoCredentialsError as error:
        raise AccessDeniedError(
            f"{action} on {resource}: there are no AWS credentials: in Lambda the role gives them; "
            "for a local run set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (any value will do "
            "against an emulator)"
        ) from error
    except BotoCoreError as error:
        raise RefusedError(f"{action} on {resource}: {error}") from error
