"""An empty table may remove every published day only if somebody confirms it; in `ops serve`."""

import json

from ops.local.local_stack import STACK_NAME, TABLE_NAME
from tests.integration.ops.conftest import trip
from tests.ops_commands import ONE_SEGMENT, ops
from tests.stacks import objects_in, stack_of

OF_STACK = ("--stack", STACK_NAME, "--region", "us-east-1")


def test_a_confirmed_rerun_removes_what_the_run_before_kept() -> None:
    with stack_of([trip(1)], VanishedDays="remove") as local:
        assert ops("run", *OF_STACK, *ONE_SEGMENT).returncode == 0
        dynamodb = local.client("dynamodb")
        dynamodb.delete_item(TableName=TABLE_NAME, Key={"trip_id": {"S": "t001"}})

        failed = ops("run", *OF_STACK, *ONE_SEGMENT)
        assert failed.returncode == 1, failed.stderr
        for said in (failed.stdout, ops("status", *OF_STACK).stdout):
            assert "NothingCountedError" in said
            assert " --stack trip-kpis --region us-east-1 --confirm-empty-table\n" in said
            assert "stop `ops serve`" in said
            assert "  --parameter VanishedDays=keep\n" in said
        assert len(objects_in(local, "kpis/")) == 1

        confirmed = ops("rerun", *OF_STACK, "--confirm-empty-table", "--json")
        assert confirmed.returncode == 0, confirmed.stderr
        assert json.loads(confirmed.stdout)["days_removed"] == 1
        assert objects_in(local, "kpis/") == {}
