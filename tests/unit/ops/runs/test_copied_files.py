"""Keys become paths only where a run writes such keys; the others are ignored and reported."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws

from ops.cli.main import main
from ops.local.bucket_tree import mirror
from ops.runs.copied_files import file_of, ignored
from ops.runs.storage import Bucket
from ops.stack.account import Account
from ops.stack.fetched import fetch, newest_first
from ops.stack.stack import Stack
from tests.day_rows import COLUMNS
from tests.runs_left import leave_run
from tests.samples import plan
from trip_kpis.core.layout import is_known, is_run_id
from trip_kpis.core.log.parts import decode, encode

KNOWN = [
    "kpis/date=2024-05-25/kpi.json",
    "runs/run=run-1/manifest.json",
    "quarantine/run=run-1/segment=00007/part-00003-0123456789abcdef.jsonl",
    "staging/run=run-1/plan.json",
    "staging/run=run-1/segment=00007/part-00003.parquet",
]
FOREIGN = [
    "staging/run=run-1/segment=00007/part-100000.parquet",
    "staging/run=run-1/segment=000007/part-00003.parquet",
    "quarantine/run=run-1/segment=00007/part-100000-0123456789abcdef.jsonl",
    "kpis/",
    "runs/run=run-1/",
    "kpis/date=2024-05-25/",
    "kpis/date=2024-05-25/kpi.json/",
    "kpis/date=today/kpi.json",
    "kpis/../kpis/date=2024-05-25/kpi.json",
    "runs/run=../manifest.json",
    "runs/run=../../../x/manifest.json",
    "quarantine/run=run-1/segment=00007/../../x.jsonl",
    "quarantine/run=run-1/segment=00007/part-00003-0123456789abcdef.jsonl\n",
]


def test_the_keys_of_a_run_are_known_and_no_others() -> None:
    assert [key for key in KNOWN if not is_known(key)] == []
    assert [key for key in (*FOREIGN, "/abs/path", "", "..", "kpis") if is_known(key)] == []


@pytest.mark.parametrize("key", [*FOREIGN, "/abs/path"])
def test_a_key_that_is_not_known_becomes_no_path(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="is not a key of this product"):
        file_of(tmp_path, key)


@pytest.mark.parametrize("run_id", ["", "..", "../x", "/x", "a/b", "a b", "\n", "x" * 81])
def test_such_a_run_id_is_refused_by_every_command_that_takes_one(
    tmp_path: Path, run_id: str
) -> None:
    assert not is_run_id(run_id)
    leave_run(tmp_path)
    for verb in ("report", "quarantine", "status"):
        done = CliRunner().invoke(main, [verb, "--out", str(tmp_path), run_id])
        assert done.exit_code == 2, (verb, done.output)
        assert isinstance(done.exception, SystemExit)


def test_what_is_ignored_is_reported_with_a_few_keys() -> None:
    line = ignored("s3://bucket", [f"x{n}" for n in range(7)])
    assert line.startswith("Ignored in s3://bucket, because no run writes such keys: 'x0', 'x1'")
    assert line.endswith("'x4' and 2 more.")


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Its bucket has every known key and every foreign one."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client: Any = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="results")
        for key in (*KNOWN, *FOREIGN):
            client.put_object(Bucket="results", Key=key, Body=b"x")
        yield Stack(
            name="trip-kpis",
            account=Account(region="us-east-1"),
            outputs={"ResultsBucketName": "results", "StateMachineArn": "arn"},
        )


def files(directory: Path) -> set[str]:
    return {str(one.relative_to(directory)) for one in directory.rglob("*") if one.is_file()}


def test_a_stacks_foreign_objects_are_not_fetched(stack: Stack, tmp_path: Path) -> None:
    prefixes = ["kpis/", "runs/", "quarantine/", "staging/"]
    fetched = fetch(stack, prefixes, tmp_path / "here", wanted=lambda _: True)
    assert set(fetched.keys) == set(KNOWN)
    assert set(fetched.foreign) == set(FOREIGN)
    assert files(tmp_path) == {f"here/{key}" for key in KNOWN}
    assert newest_first(stack, "runs/run=") == ["runs/run=run-1/manifest.json"]


def test_a_buckets_foreign_objects_are_not_mirrored(stack: Stack, tmp_path: Path) -> None:
    found = mirror(Bucket(stack.client("s3"), "results"), tmp_path / "here")
    assert set(found) == {key for key in FOREIGN if not key.startswith("staging/")}
    assert files(tmp_path) == {f"here/{key}" for key in KNOWN if not key.startswith("staging/")}


SECRET = json.dumps(
    {
        "key": {"id": {"S": "q-elsewhere"}},
        "reason": "fare_not_a_number",
        "attribute": "a",
        "value": None,
    }
)


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("upwards", [True, False])
def test_an_object_that_a_document_names_elsewhere_is_not_read(
    tmp_path: Path, finished: bool, upwards: bool
) -> None:
    """By an absolute path or one that leads upwards, in a manifest and in a part."""
    out, outside = tmp_path / "out", tmp_path / "outside.jsonl"
    manifest = leave_run(out, segments=1, rejected=1)
    outside.write_text(SECRET)
    key = "quarantine/run=run-1/../../../outside.jsonl" if upwards else str(outside)
    if finished:
        document = json.loads(manifest.read_bytes())
        document["by_segment"][0]["quarantine_keys"] = [key]
        manifest.write_text(json.dumps(document))
    else:
        manifest.unlink()
        (out / "staging/run=run-1/plan.json").write_bytes(plan("run-1").to_bytes())
        (part,) = out.glob("staging/*/*/*.parquet")
        key_of_part = str(part.relative_to(out))
        header, table = decode(part.read_bytes(), key=key_of_part, columns=COLUMNS)
        part.write_bytes(encode(replace(header, quarantine_key=key), table))
    csv = tmp_path / "rejected.csv"
    done = CliRunner().invoke(main, ["quarantine", "--out", str(out), "--csv", str(csv)])
    assert done.exit_code == 0, done.output
    assert "Ignored in" in done.output
    assert repr(key) in done.output
    assert "q-elsewhere" not in done.output + csv.read_text()
    if finished:
        done = CliRunner().invoke(main, ["report", "--out", str(out)])
        assert repr(key) in done.output
        assert "q-elsewhere" not in (out / "report.html").read_text()


def test_nothing_is_said_where_nothing_is_ignored(tmp_path: Path) -> None:
    leave_run(tmp_path, rejected=1)
    assert "Ignored" not in CliRunner().invoke(main, ["quarantine", "--out", str(tmp_path)]).output
