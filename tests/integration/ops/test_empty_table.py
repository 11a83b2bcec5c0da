"""An empty table may remove every published day only if somebody confirms it; in `ops serve`."""

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from ops.cli.main import main
from ops.local.local_stack import STACK_NAME, TABLE_NAME, LocalStack, Where, local_stack
from ops.local.trip_files import Trips
from tests.integration.ops.conftest import trip


@pytest.fixture
def local() -> Iterator[LocalStack]:
    with local_stack(
        Trips(hash_key="trip_id", sort_key=None, items={("t001",): trip(1)}),
        where=Where(enforce_iam=False),
        parameters={"VanishedDays": "remove"},
        on_loaded=lambda _: None,
    ) as up:
        yield up


def ops(*arguments: str) -> Result:
    of_stack = ("--stack", STACK_NAME, "--region", "us-east-1")
    return CliRunner(mix_stderr=False).invoke(main, [*arguments, *of_stack])


def published(local: LocalStack) -> list[str]:
    s3 = local.client("s3")
    listed = s3.list_objects_v2(Bucket=local.bucket_name, Prefix="kpis/").get("Contents", ())
    return [one["Key"] for one in listed]


def test_a_confirmed_rerun_removes_what_the_run_before_kept(local: LocalStack) -> None:
    assert ops("run", "--segments", "1").exit_code == 0
    dynamodb = local.client("dynamodb")
    dynamodb.delete_item(TableName=TABLE_NAME, Key={"trip_id": {"S": "t001"}})

    failed = ops("run", "--segments", "1")
    assert failed.exit_code == 1, failed.output
    for said in (failed.output, ops("status").output):
        assert "NothingCountedError" in said
        assert f"--stack {STACK_NAME} --region us-east-1 --confirm-empty-table\n" in said
        assert "stop `ops serve`" in said
        assert "  --parameter VanishedDays=keep\n" in said
    assert len(published(local)) == 1

    confirmed = ops("rerun", "--confirm-empty-table", "--json")
    assert confirmed.exit_code == 0, confirmed.output
    assert json.loads(confirmed.stdout)["days_removed"] == 1
    assert published(local) == []
