"""`runs`, `quarantine`, `diff`, `report` and `kpis` over a deployed stack.

It is the embedded AWS over HTTP, as if it were an account.
"""

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ops.cli.main import main
from ops.local.local_stack import STACK_NAME, TABLE_NAME, LocalStack
from ops.local.run import execute
from ops.stack.account import Account
from ops.stack.executions import executions, executions_of
from ops.stack.stack import Stack
from tests.integration.ops.conftest import trip
from tests.stacks import stack_of

TRIPS = 30
NOT_THERE = "not-there"


@pytest.fixture(scope="module")
def of_no_run() -> dict[str, Result]:
    """What is said of a stack that has not run yet, by verb."""
    return {}


@pytest.fixture(scope="module")
def local(of_no_run: dict[str, Result]) -> Iterator[LocalStack]:
    """`first`, gone through again by `again`; `look`, an estimate; `second`, over one trip more and
    one that cannot be read; `third`, over so many of these that it fails."""
    with stack_of((trip(n) for n in range(TRIPS)), MaxRejectedShare="0.1") as up:
        dynamodb = up.cloud.client("dynamodb")

        def put(number: int, **other: Any) -> None:
            dynamodb.put_item(TableName=TABLE_NAME, Item=trip(number, **other))

        of_no_run |= {verb: ops(verb) for verb in ("runs", "quarantine", "report")}
        assert execute(up, {"total_segments": 3}, name="first").succeeded
        assert execute(up, {"estimate_only": True}, name="look").succeeded
        put(TRIPS)
        put(TRIPS + 1, fare_amount={"S": "=1+1"})
        assert execute(up, {"total_segments": 2}, name="second").succeeded
        assert execute(up, {"run_id": "first"}, name="again").succeeded
        for n in range(10):
            put(100 + n, pickup_datetime={"S": "some day"})
        assert execute(up, {"total_segments": 2}, name="third").error == "TooManyRejectedError"
        yield up


def ops(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--stack", STACK_NAME, "--region", "us-east-1"])


def of_json(*arguments: str) -> Any:
    done = ops(*arguments, "--json")
    return json.loads(done.output)


def test_executions_belong_to_runs(local: LocalStack) -> None:
    stack = Stack.named(STACK_NAME, Account())
    newest, *_ = found = executions(stack)
    assert [(one.name, one.run_id) for one in found] == [
        ("third", "third"),
        ("again", "first"),
        ("second", "second"),
        ("look", "look"),
        ("first", "first"),
    ]
    assert (newest.status, newest.error) == ("FAILED", "TooManyRejectedError")
    assert newest.started_at < (newest.stopped_at or newest.started_at)
    assert [one.name for one in found if one.is_estimate] == ["look"]
    assert [one.name for one in executions(stack, last=2)] == ["third", "again"]
    assert [one.name for one in executions_of(stack, "first")] == ["again", "first"]
    assert executions_of(stack, NOT_THERE) == ()


def test_the_runs_of_the_stack(local: LocalStack) -> None:
    third, second, first = of_json("runs")
    assert (third["run_id"], third["status"], third["trips"]) == ("third", "failed", None)
    assert float(third["seconds"]) > 0
    assert (second["run_id"], second["status"], second["trips"]) == ("second", "finished", 31)
    assert (second["days_published"], second["days_unchanged"]) == (1, 2)
    assert sum(second["rejected"].values()) == 1
    assert first["run_id"] == "first"
    assert [one["name"] for one in first["executions"]] == ["again", "first"]
    said = ops("runs").output
    assert said.startswith(f"Runs in the stack {STACK_NAME}\n")
    assert "third failed (TooManyRejectedError); why, and what to do: " in said
    assert f" -m ops status third --stack {STACK_NAME} --region us-east-1\n" in said
    assert "look" not in said


def test_runs_whose_executions_are_forgotten_are_known_by_their_manifests(
    local: LocalStack,
) -> None:
    """The last execution is `third`'s, which has no manifest: there is room for none before it."""
    assert [run["run_id"] for run in of_json("runs", "--last", "1")] == ["third"]
    s3, bucket = local.cloud.client("s3"), local.stack.bucket_name
    old = s3.get_object(Bucket=bucket, Key="runs/run=first/manifest.json")["Body"].read()
    document = json.loads(old) | {"run_id": "old", "planned_at": "2020-01-01T00:00:00+00:00"}
    key = "runs/run=old/manifest.json"
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(document).encode())
    try:
        oldest = of_json("runs")[-1]
    finally:
        s3.delete_object(Bucket=bucket, Key=key)
    assert (oldest["run_id"], oldest["status"], oldest["executions"]) == ("old", "finished", [])


def test_what_a_failed_run_rejected(local: LocalStack, tmp_path: Path) -> None:
    """Without an id: it is the last one."""
    found = of_json("quarantine")
    assert (found["run_id"], found["is_finished"], found["completed"]) == ("third", False, 42)
    assert found["rejected"] == {"time_unreadable": 10, "fare_not_a_number": 1}
    assert len(found["examples"]) == 5 + 1
    file = tmp_path / "rejected.csv"
    done = ops("quarantine", "third", "--csv", str(file))
    assert f"All 11 rejected trips were written to {file}\n" in done.output
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert sorted(row["key.trip_id"] for row in rows) == [
        "t031",
        *(f"t{100 + n}" for n in range(10)),
    ]


def test_what_a_finished_run_rejected(local: LocalStack) -> None:
    found = of_json("quarantine", "second")
    assert (found["is_finished"], found["rejected"]) == (True, {"fare_not_a_number": 1})
    assert found["examples"][0]["value"] == {"S": "=1+1"}


def test_what_changed_between_two_runs(local: LocalStack) -> None:
    """Also in what `first` came to when it was gone through again, and `second` had published."""
    done = ops("diff", "first", "second")
    assert done.exit_code == 1
    assert (
        "2 days the same, 1 changed; trips +1, total fare +30.000000000000000001\n" in done.output
    )
    assert "not compared" not in done.output
    assert ops("diff", "first", "first").exit_code == 0
    (day,) = of_json("diff", "first", "second")["changed"]
    assert (day["date"], day["before"]["trip_count"], day["after"]["trip_count"]) == (
        "2024-05-01",
        10,
        11,
    )


def test_the_report_of_the_run_that_finished_last(local: LocalStack, tmp_path: Path) -> None:
    to = tmp_path / "page.html"
    done = ops("report", "--to", str(to))
    assert (done.exit_code, done.output) == (0, f"The report: {to}\n")
    page = to.read_text(encoding="utf-8")
    assert "2 executions, first, again." in page
    assert "Instead of the timeline" not in page


def test_a_report_lies_where_one_is_under_the_runs_name(
    local: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ops("report", "second").output == "The report: report-second.html\n"
    page = Path("report-second.html").read_text(encoding="utf-8")
    assert "=1+1" in page
    assert "Instead of the timeline" not in page


def test_too_many_parts_are_not_fetched(
    local: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.report.timeline.MOST_PARTS", 1)
    ops("report", "second", "--to", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "None of the run&#39;s 2 parts is here" in page


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["report", NOT_THERE], f"has no finished run {NOT_THERE}: there is none of that name"),
        (["diff", "first", "third"], "has no finished run third: there are first"),
        (["quarantine", NOT_THERE], f"has no run {NOT_THERE} that has read anything"),
    ],
)
def test_a_mistake_names_the_bucket_and_the_next_steps(
    local: LocalStack, arguments: list[str], says: str
) -> None:
    done = ops(*arguments)
    assert done.exit_code == 2
    assert done.output.startswith(f"Error: s3://{local.stack.bucket_name} {says}")
    assert done.output.count("\n") == 1
    assert "--out" not in done.output
    assert "/tmp" not in done.output
    if arguments[0] != "quarantine":
        assert f"--stack {STACK_NAME} --region us-east-1" in done.output


def test_a_stack_that_has_not_run_yet_says_so(
    local: LocalStack, of_no_run: dict[str, Result]
) -> None:
    none = of_no_run["runs"]
    assert (none.exit_code, none.output) == (
        0,
        f"There has been no run yet in the stack {STACK_NAME}.\n",
    )
    for verb, says in (
        ("quarantine", f"the stack {STACK_NAME} has not run lately: "),
        ("report", f"s3://{local.stack.bucket_name} has no finished run (there is no manifest"),
    ):
        said = of_no_run[verb]
        assert (said.exit_code, said.output.count("\n")) == (2, 1)
        assert said.output.startswith(f"Error: {says}")
        assert f"runs --stack {STACK_NAME}" in said.output


def test_a_damaged_object_is_named_as_the_bucket_has_it(local: LocalStack) -> None:
    s3, bucket = local.cloud.client("s3"), local.stack.bucket_name
    for run_id, key, says in (
        ("damaged", "runs/run=damaged/manifest.json", "is no manifest"),
        ("second", _quarantined(local, "second"), "is no rejected trip that this version can read"),
    ):
        found = s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", ())
        before = s3.get_object(Bucket=bucket, Key=key)["Body"].read() if found else None
        s3.put_object(Bucket=bucket, Key=key, Body=b"[]\n")
        try:
            done = ops("quarantine", run_id)
        finally:
            s3.delete_object(Bucket=bucket, Key=key)
            if before is not None:
                s3.put_object(Bucket=bucket, Key=key, Body=before)
        assert (done.exit_code, done.output.count("\n")) == (2, 1)
        assert done.output.startswith(f"Error: s3://{bucket}/{key}"), done.output
        assert says in done.output


def test_the_published_kpis_of_the_stack(local: LocalStack) -> None:
    rows = of_json("kpis")["rows"]
    s3, bucket = local.cloud.client("s3"), local.stack.bucket_name
    published = s3.list_objects_v2(Bucket=bucket, Prefix="kpis/date=")["Contents"]
    assert [f"kpis/date={row['date']}/kpi.json" for row in rows] == [
        one["Key"] for one in published
    ]
    last = rows[-1]["date"]
    assert len(rows) > 1
    assert of_json("kpis", "--from", last)["rows"] == rows[-1:]
    done = ops("kpis", "--breakdown", "city")
    assert (done.exit_code, "has no breakdown 'city': there is none" in done.output) == (2, True)


def test_of_an_expired_quarantine_the_counts_are_left(local: LocalStack) -> None:
    s3, bucket = local.cloud.client("s3"), local.stack.bucket_name
    key = _quarantined(local, "second")
    before = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    s3.delete_object(Bucket=bucket, Key=key)
    try:
        said = ops("quarantine", "second").output
    finally:
        s3.put_object(Bucket=bucket, Key=key, Body=before)
    assert ["fare_not_a_number", "1"] in [line.split()[:2] for line in said.splitlines()]
    assert "The trips themselves are not here" in said


def _quarantined(local: LocalStack, run_id: str) -> str:
    found = local.cloud.client("s3").list_objects_v2(
        Bucket=local.stack.bucket_name, Prefix=f"quarantine/run={run_id}/"
    )
    (only,) = found["Contents"]
    return str(only["Key"])


def test_a_stack_that_is_not_there_is_named(local: LocalStack) -> None:
    done = CliRunner().invoke(main, ["runs", "--stack", NOT_THERE])
    assert done.exit_code == 2
    assert done.output.startswith(f"Error: there is no stack {NOT_THERE}")
    assert done.output.count("\n") == 1


def test_the_environment_leads_to_the_embedded_aws(local: LocalStack) -> None:
    """Or else these tests would ask an account."""
    assert os.environ["AWS_ENDPOINT_URL"] == local.cloud.endpoint_url
