"""The embedded cloud answers programs that have its key, and no page in a browser."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ops.embedded.cloud import EmbeddedCloud
from ops.embedded.isolation import DUMMY_CREDENTIALS

KEY = "AKIA-of-this-test-alone"


@pytest.fixture(scope="module")
def cloud() -> Iterator[EmbeddedCloud]:
    with EmbeddedCloud(access_key=KEY) as cloud:
        cloud.client("s3").create_bucket(Bucket="results")
        yield cloud


def asked(
    cloud: EmbeddedCloud,
    path: str,
    *,
    method: str = "GET",
    host: str = "localhost",
    key: str | None = KEY,
    **headers: str,
) -> http.client.HTTPResponse:
    """The answer to a request as S3's clients sign it, but for what the test changes."""
    scope = f"Credential={key}/20240525/us-east-1/s3/aws4_request"
    signed = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent |= {"Host": host} | ({} if key is None else {"Authorization": signed})
    connection = http.client.HTTPConnection(cloud.endpoint_url.removeprefix("http://"))
    connection.request(method, path, headers=sent)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def still_has_its_bucket(cloud: EmbeddedCloud) -> bool:
    return [one["Name"] for one in cloud.client("s3").list_buckets()["Buckets"]] == ["results"]


def test_a_program_with_the_key_is_answered_by_every_name_of_this_machine(
    cloud: EmbeddedCloud,
) -> None:
    hosts = ("127.0.0.1:4577", "localhost", "host.docker.internal:4577", "172.17.0.1", "[::1]:1")
    assert [asked(cloud, "/results", host=host).status for host in hosts] == [200] * len(hosts)


@pytest.mark.parametrize(
    "changed",
    [
        {"Origin": "http://page.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"host": "page.example"},
        {"host": "page.example:4577"},
        {"host": "localhost.page.example"},
        {"host": ""},
        {"key": "test"},
        {"key": DUMMY_CREDENTIALS["AWS_ACCESS_KEY_ID"]},
        {"key": None},
    ],
    ids=str,
)
def test_everybody_else_is_refused(cloud: EmbeddedCloud, changed: dict[str, Any]) -> None:
    answer = asked(cloud, "/results", **changed)
    assert answer.status == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert asked(cloud, "/results", method="DELETE", **changed).status == 403
    assert asked(cloud, "/results", method="OPTIONS", **changed).status == 403
    assert still_has_its_bucket(cloud)


@pytest.mark.parametrize("path", ["/moto-api/reset", "/moto-api/state-manager/set-transition"])
@pytest.mark.parametrize("key", [KEY, None])
def test_the_emulators_control_panel_is_closed(
    cloud: EmbeddedCloud, path: str, key: str | None
) -> None:
    assert asked(cloud, path, method="POST", key=key).status == 403
    assert still_has_its_bucket(cloud)


def test_a_role_of_the_cloud_is_answered(cloud: EmbeddedCloud) -> None:
    trust = '{"Version": "2012-10-17", "Statement": []}'
    role = cloud.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=trust)
    taken_on = cloud.client("sts").assume_role(
        RoleArn=role["Role"]["Arn"], RoleSessionName="session"
    )
    assert asked(cloud, "/results", key=taken_on["Credentials"]["AccessKeyId"]).status == 200


@pytest.mark.parametrize(
    ("service", "operation"), [("s3", "list_buckets"), ("dynamodb", "list_tables")]
)
def test_a_client_with_another_key_hears_why_it_is_refused(
    cloud: EmbeddedCloud, service: str, operation: str
) -> None:
    stranger: Any = boto3.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name=cloud.region
    ).client(service, endpoint_url=cloud.endpoint_url)
    with pytest.raises(ClientError, match="new at each start"):
        getattr(stranger, operation)()


def test_a_presigned_request_is_answered(cloud: EmbeddedCloud) -> None:
    url = cloud.client("s3").generate_presigned_url("list_objects_v2", {"Bucket": "results"})
    path = url.removeprefix(cloud.endpoint_url)
    assert asked(cloud, path, key=None).status == 200
    assert asked(cloud, path.replace(KEY, "another"), key=None).status == 403
