"""An AWS in this process: moto, as the functions' own clients see it."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from moto import mock_aws

from ops.embedded.export_patches import tables_are_exported_as_in_aws
from ops.embedded.storage_patches import tables_have_an_id
from tests.integration.pipeline import BUCKET_NAME, ENVIRONMENT, Pipeline, unhook_all
from trip_kpis.aws import clients, lease


@pytest.fixture(scope="session", autouse=True)
def _clients_of_our_own() -> Iterator[None]:
    """The functions' clients are made once for all tests, which takes the time of ten tests."""
    _forget_clients()
    yield
    _forget_clients()


def _forget_clients() -> None:
    clients.dynamodb.cache_clear()
    clients.s3.cache_clear()
    clients.lambda_.cache_clear()


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """The functions' environment, an empty bucket, and no table yet."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        pipeline = Pipeline(dynamodb=clients.dynamodb(), s3=clients.s3())
        pipeline.s3.create_bucket(Bucket=BUCKET_NAME)
        monkeypatch.setattr(lease, "time", SimpleNamespace(sleep=pipeline.sleep))
        monkeypatch.setattr(lease, "datetime", SimpleNamespace(now=pipeline.now))
        pipeline.watch_scans()
        pipeline.answer_for_lambda()
        yield pipeline
    unhook_all()


@pytest.fixture
def exporting(pipeline: Pipeline) -> Iterator[Pipeline]:
    """The same, where tables can be exported."""
    with (
        tables_have_an_id({}),
        tables_are_exported_as_in_aws(lambda: pipeline.exports, lambda _: pipeline.s3),
    ):
        yield pipeline
