"""The embedded cloud starts empty, keeps to itself, and leaves nothing behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import suppress
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ops.embedded.cloud import EmbeddedCloud
from ops.embedded.errors import CloudStartError


def test_it_is_empty_each_time() -> None:
    with EmbeddedCloud() as cloud:
        cloud.client("s3").create_bucket(Bucket="results")
    with EmbeddedCloud() as cloud:
        assert cloud.client("s3").list_buckets()["Buckets"] == []


def test_the_users_own_environment_does_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for its own clients nor for one that anyone makes meanwhile; and it comes back."""
    users_own = {
        "AWS_PROFILE": "production",
        "AWS_ACCESS_KEY_ID": "AKIAUSERSOWNKEY",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1/another",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
    }
    for name, value in users_own.items():
        monkeypatch.setenv(name, value)

    with EmbeddedCloud() as cloud:
        cloud.client("s3").create_bucket(Bucket="results")
        anyones: Any = boto3.Session().client("s3")
        assert anyones.meta.endpoint_url == cloud.endpoint_url
        assert [bucket["Name"] for bucket in anyones.list_buckets()["Buckets"]] == ["results"]
        anyones.close()
        assert "production" not in os.environ.values()
        assert "AKIAUSERSOWNKEY" not in os.environ.values()

    assert {name: os.environ.get(name) for name in users_own} == users_own


def test_another_process_reaches_it_by_its_environment_alone() -> None:
    program = "import boto3; print(boto3.client('s3').list_buckets()['Buckets'][0]['Name'])"
    with EmbeddedCloud() as cloud:
        cloud.client("s3").create_bucket(Bucket="results")
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=cloud.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout == "results\n"


def test_each_has_another_key() -> None:
    keys = set()
    for _ in range(2):
        with EmbeddedCloud() as cloud:
            keys.add(cloud.access_key)
            assert cloud.environment()["AWS_ACCESS_KEY_ID"] == cloud.access_key
    assert len(keys) == 2


def test_it_listens_where_it_is_asked_to() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with EmbeddedCloud(port=port) as cloud:
        assert cloud.endpoint_url == f"http://127.0.0.1:{port}"
        assert cloud.client("s3").list_buckets()["Buckets"] == []


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CloudStartError, match=f"127.0.0.1:{port}"):
            EmbeddedCloud(port=port).__enter__()
    with EmbeddedCloud():
        pass


def test_there_is_one_in_a_process() -> None:
    with EmbeddedCloud(), pytest.raises(CloudStartError, match="already running in this process"):
        EmbeddedCloud().__enter__()


def test_it_answers_nobody_once_it_is_closed() -> None:
    """Not on a connection that a client has kept open either."""
    with EmbeddedCloud() as cloud:
        host, port = cloud.endpoint_url.removeprefix("http://").split(":")
        kept = socket.create_connection((host, int(port)), timeout=600)
    with kept, suppress(ConnectionResetError):
        assert kept.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=600)


def test_it_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    with EmbeddedCloud() as cloud:
        cloud.client("s3").list_buckets()
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_middleware_sees_each_request_first_and_may_answer_it() -> None:
    seen: list[str] = []

    def but_nothing_of_s3(application: Any) -> Any:
        def answer(environ: Any, start_response: Any) -> Any:
            seen.append(environ["PATH_INFO"])
            if environ["PATH_INFO"].startswith("/secret"):
                start_response("403 Forbidden", [("Content-Type", "application/xml")])
                return [b"<Error><Code>AccessDenied</Code><Message>not yours</Message></Error>"]
            return application(environ, start_response)

        return answer

    with EmbeddedCloud(middleware=but_nothing_of_s3) as cloud:
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="results")
        with pytest.raises(ClientError, match="not yours"):
            s3.create_bucket(Bucket="secret")
        assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["results"]
    assert seen == ["/results", "/secret", "/"]
