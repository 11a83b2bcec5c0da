"""An AWS in this process: moto, as the functions' own clients see it."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.integration.pipeline import BUCKET_NAME, ENVIRONMENT, Pipeline
from trip_kpis.aws import calls


def _forget_clients() -> None:
    calls.dynamodb.cache_clear()
    calls.s3.cache_clear()


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """The functions' environment, an empty bucket, and no table yet."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        _forget_clients()
        pipeline = Pipeline(dynamodb=calls.dynamodb(), s3=calls.s3())
        pipeline.s3.create_bucket(Bucket=BUCKET_NAME)
        pipeline.watch_scans()
        yield pipeline
    _forget_clients()
