"""`ops run --stack` over an export: one that it makes, one that is there, and one that is in
progress; in the embedded AWS, as if it were an account."""

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.embedded.export_patches import ExportBehavior
from ops.embedded.step_functions_patches import waits_are_handed_in
from ops.local.local_stack import STACK_NAME, TABLE_NAME, LocalStack
from tests.exports_on_disk import SyncedExport, leave_export
from tests.integration.ops.conftest import kpis_of_trips, trip
from tests.integration.ops.test_interruptions import reported_until
from tests.integration.ops.test_run_of_an_export import words
from tests.integration.ops.test_serve import client, stopped
from tests.ops_commands import Ended, ops, ops_process, started, summary
from tests.stacks import objects_in, stack_of

ITEMS = [trip(number) for number in range(9)]
OF_STACK = ("--stack", STACK_NAME, "--region", "us-east-1", "--json")


@pytest.fixture(scope="module")
def _stack() -> Iterator[LocalStack]:
    with stack_of([*ITEMS, trip(9, fare_amount={"S": "ten"})], MaxRejectedShare="0.5") as local:
        yield local


@pytest.fixture
def stack(_stack: LocalStack) -> Iterator[LocalStack]:
    _stack.cloud.exports = ExportBehavior(files=3)
    yield _stack
    _stack.cloud.exports = ExportBehavior()


def run(*arguments: str) -> Ended:
    return ops("run", *OF_STACK, *arguments)


def succeeded(done: Ended) -> dict[str, Any]:
    assert done.returncode == 0, done.stdout + done.stderr
    return summary(done)


def test_a_scan_and_every_way_to_an_export_have_the_same_figures(stack: LocalStack) -> None:
    scan = succeeded(run("--segments", "2"))
    assert (scan["source"], scan["days_published"]) == ("scan", 3)
    of_scan = objects_in(stack, "kpis/")
    assert of_scan == kpis_of_trips(9)

    done = run("--source", "export")
    made = succeeded(done)
    assert (made["source"], made["scanned"], made["days_unchanged"]) == ("export", 10, 3)
    assert made["export_arn"].startswith(f"{_table(stack)['TableArn']}/export/")
    assert "Z, exactly\n" in done.stderr
    assert "read units/s" not in done.stderr

    keys = objects_in(stack, f"exports/run={made['run_id']}/")
    (manifest,) = (key for key in keys if key.endswith("manifest-summary.json"))
    named = (
        ("--export-arn", made["export_arn"]),
        ("--export-manifest", f"s3://{stack.bucket_name}/{manifest}"),
    )
    for option in named:
        again = succeeded(run(*option))
        assert again["export_arn"] == made["export_arn"]
        assert again["as_of"] == made["as_of"]
        assert (again["scanned"], again["days_unchanged"]) == (10, 3)
    assert objects_in(stack, "kpis/") == of_scan
    budget = ops("rerun", made["run_id"], *OF_STACK, "--read-units-per-second", "5")
    assert budget.returncode == 2
    assert "reads an export, without read units: leave --read-units-per-second out" in budget.stderr


def _table(stack: LocalStack) -> dict[str, Any]:
    found: dict[str, Any] = stack.client("dynamodb").describe_table(TableName=TABLE_NAME)["Table"]
    return found


def test_the_screen_says_that_the_run_waits_for_its_export(stack: LocalStack) -> None:
    """DynamoDB has it ready when that is on the screen."""
    is_said = threading.Event()
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        is_said.wait(timeout=600)

    stack.cloud.exports = ExportBehavior(in_progress=2, files=3)
    environment = {"PATH": os.environ["PATH"], **stack.cloud.environment()}
    with (
        waits_are_handed_in(wait),
        started("run", *OF_STACK[:-1], "--source", "export", env=environment) as process,
    ):
        before = reported_until(process, "Waiting for the export. DynamoDB takes minutes to hours")
        is_said.set()
        after, _ = process.communicate()
    assert process.returncode == 0, before + after
    assert waits == [300, 300]
    assert (before + after).count("Waiting for the export") == 1
    assert "Scanning segments: 10 of 10 trips, 3 of 3 segments" in after


@pytest.mark.parametrize(
    ("behavior", "option", "error", "says", "advice"),
    [
        (
            ExportBehavior(failure=("S3NoSuchBucket", "it is gone")),
            ("--source", "export"),
            "ExportFailedError",
            "S3NoSuchBucket",
            "After ExportFailedError, resuming this run fails again: start a new one.",
        ),
        (
            ExportBehavior(),
            ("--export-arn", "{table}/export/01779675300000-00000000"),
            "DynamoDb.ExportNotFoundException",
            "01779675300000-00000000",
            "ExportNotFoundException, resuming this run fails again: start a new one.",
        ),
        (
            ExportBehavior(),
            ("--export-manifest", "s3://{bucket}/exports/nothing/manifest-summary.json"),
            "ExportNotFoundError",
            "is not there",
            "If that is not possible, start a new run:",
        ),
    ],
)
def test_an_export_that_cannot_be_read_fails_the_run_and_says_what_to_do(
    stack: LocalStack,
    behavior: ExportBehavior,
    option: tuple[str, str],
    error: str,
    says: str,
    advice: str,
) -> None:
    stack.cloud.exports = behavior
    before = objects_in(stack, "kpis/")
    given = option[1].format(table=_table(stack)["TableArn"], bucket=stack.bucket_name)
    done = run(option[0], given)
    assert done.returncode == 1
    assert says in summary(done)["cause"]
    said = words(done.stderr)
    assert error in said
    assert advice in said
    assert "Nothing was published." in said
    assert "Traceback" not in said
    assert objects_in(stack, "kpis/") == before


@pytest.fixture(params=[True, False], ids=["manifests", "no manifests"])
def synced(request: pytest.FixtureRequest, tmp_path: Path) -> SyncedExport:
    synced = leave_export(tmp_path / "copy", [ITEMS[:4], [], ITEMS[4:]])
    if not request.param:
        synced.remove_manifests()
    return synced


@pytest.mark.slow
def test_serve_has_an_export_that_the_stack_can_read(synced: SyncedExport, tmp_path: Path) -> None:
    serving = ("serve", "--export", synced.folder, "--port", "0")
    with started(*serving, env={**os.environ, "TMPDIR": str(tmp_path)}) as process:
        try:
            said = reported_until(process, " --export-manifest ")
            url = said.rpartition("\nexport  ")[2].split()[0]
            assert "The table is empty. A run reads the export if it names it:\n" in said
            assert said.endswith(f" -m ops run --stack trip-kpis --export-manifest {url}\n")
            figures = figures_by_run_of_stack(said, url)
            assert "The table, the bucket and the executions are gone" in stopped(process)
        finally:
            process.kill()
    assert figures == kpis_of_trips(9)
    assert not [*tmp_path.glob("trip-kpis-manifests-*")]


def figures_by_run_of_stack(said: str, url: str) -> dict[str, bytes]:
    """What a run over this export publishes in the stack that `serve` says it has."""
    exports = dict(re.findall(r"(AWS_[A-Z_]+)=(\S+)", said))
    done = ops_process(
        *("run", *OF_STACK, "--export-manifest", url),
        env={"PATH": os.environ["PATH"], **exports},
    )
    document = succeeded(done)
    assert (document["source"], document["scanned"]) == ("export", 9)
    s3, bucket = client("s3", said), url.removeprefix("s3://").partition("/")[0]
    found = s3.list_objects_v2(Bucket=bucket, Prefix="kpis/")["Contents"]
    return {
        one["Key"]: s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in found
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "give --trips FILE or --export DIR"),
        (("--export", ".", "--trips", "README.md"), "--trips cannot be combined with --export"),
        (("--export", "docs"), "has no export in it"),
    ],
)
def test_serve_refuses_what_is_no_export(arguments: tuple[str, ...], says: str) -> None:
    done = ops("serve", *arguments)
    assert done.returncode == 2
    assert says in words(done.stderr)
