"""`run`, `status` and `rerun` over a deployed stack: the embedded AWS over HTTP, as if it were an
account."""

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from ops.embedded.scan_layers import ScanRequest, scans_denied_where
from ops.local.local_stack import STACK_NAME, LocalStack
from tests.integration.ops.conftest import trip
from tests.ops_commands import ops, ops_process, started
from tests.stacks import NO_IAM, stack_of

ITEMS = [trip(n) for n in range(30)]
ITEMS[1] = trip(1, fare_amount={"S": "one"})


@dataclass(kw_only=True)
class Deployed:
    """The stack, and what a test lets its table do."""

    local: LocalStack
    denied_segment: int | None = None
    scans_wait_for: threading.Event = field(default_factory=threading.Event)

    def started(self, *arguments: str) -> "subprocess.Popen[str]":
        environment = {"PATH": os.environ["PATH"], **self.local.cloud.environment()}
        return started(*arguments, env=environment, stderr=subprocess.PIPE)

    def asked_to_wait(self, _scan: ScanRequest) -> bool:
        self.scans_wait_for.wait(timeout=600)
        return _scan.segment is not None and _scan.segment == self.denied_segment


@pytest.fixture(scope="module")
def stack() -> Iterator[Deployed]:
    reported: list[Deployed] = []
    where = replace(
        NO_IAM, middleware=scans_denied_where(lambda scan: reported[0].asked_to_wait(scan))
    )
    with stack_of(ITEMS, where=where, MaxRejectedShare="0.5") as local:
        reported.append(Deployed(local=local))
        yield reported[0]


@pytest.fixture
def deployed(stack: Deployed) -> Iterator[Deployed]:
    stack.denied_segment = None
    stack.scans_wait_for.set()
    yield stack
    stack.scans_wait_for.set()


def run_id_in(text: str) -> str:
    found = re.search(r"run-\d{8}T\d{6}-[0-9a-f]{4}", text)
    assert found, text
    return found[0]


def test_run_follows_an_execution_to_its_end_and_shows_what_it_came_to(deployed: Deployed) -> None:
    done = ops("run", "--stack", STACK_NAME, "--segments", "3", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["status"], summary["scanned"], summary["counted"]) == ("SUCCEEDED", 30, 29)
    assert (summary["pages_read"], summary["pages_read_again"]) == (None, None), "nobody counts"
    assert summary["run_id"] == run_id_in(done.stderr)
    assert "Scanning segments: 30 of 30 trips, 3 of 3 segments" in done.stderr
    assert "2024-05-01" in done.stderr
    assert f"ops report {summary['run_id']} --stack {STACK_NAME}" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr, "control codes without a terminal"


def test_a_segment_that_fails_is_reported_with_its_reason_and_resumed(deployed: Deployed) -> None:
    deployed.denied_segment = 1
    failed = ops("run", "--stack", STACK_NAME, "--segments", "2")
    assert failed.returncode == 1, failed.stderr
    run_id = run_id_in(failed.stdout)
    says = " ".join(failed.stdout.replace("│", " ").split())
    assert "segment 1: AccessDeniedError: the function's role may not do dynamodb:Scan" in says
    assert "Nothing was published." in says
    assert f" -m ops rerun {run_id} --stack {STACK_NAME}" in says
    assert "sam logs" not in says, "there is no account"
    assert "Traceback" not in failed.stdout + failed.stderr

    status = ops("status", "--stack", STACK_NAME)
    assert status.returncode == 0, status.stderr
    first, *rest = status.stdout.splitlines()
    assert first == f"Run {run_id}: failed"
    assert "segment 1: AccessDeniedError" in status.stdout
    assert rest[-1].endswith(f" -m ops rerun {run_id} --stack {STACK_NAME}")

    deployed.denied_segment = None
    again = ops("rerun", "--stack", STACK_NAME)
    assert again.returncode == 0, again.stderr
    assert f"Run {run_id} of the stack" in again.stderr

    status = ops("status", run_id, "--stack", STACK_NAME, "--json")
    run_status = json.loads(status.stdout)
    assert (run_status["status"], run_status["segments_finished"]) == ("finished", 2)
    assert [one["status"] for one in run_status["executions"]] == ["SUCCEEDED", "FAILED"]


def test_ctrl_c_leaves_the_execution_running_and_says_how_to_follow_it_again(
    deployed: Deployed,
) -> None:
    deployed.scans_wait_for.clear()
    process = deployed.started("run", "--stack", STACK_NAME, "--segments", "2")
    assert process.stderr is not None
    run_id = run_id_in(process.stderr.readline())
    process.send_signal(signal.SIGINT)
    results, said = process.communicate()
    assert (process.returncode, results) == (130, ""), said
    assert "The run continues in AWS." in said
    assert f" -m ops status {run_id} --stack {STACK_NAME} --follow" in said
    assert "Traceback" not in said

    status = ops("status", "--stack", STACK_NAME)
    assert status.stdout.startswith(f"Run {run_id}: running")
    refused = ops("rerun", run_id, "--stack", STACK_NAME)
    assert refused.returncode == 2
    assert f"run {run_id} is running" in refused.stderr

    following = deployed.started("status", run_id, "--stack", STACK_NAME, "--follow")
    assert following.stderr is not None
    assert run_id in following.stderr.readline()
    deployed.scans_wait_for.set()
    results, said = following.communicate()
    assert following.returncode == 0, said
    assert "Scanning segments: 30 of 30 trips, 2 of 2 segments" in said
    assert said.splitlines()[-1].startswith("Merging and publishing: finished")
    assert results.startswith("KPIs by day")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "--stack", "nope"), "there is no stack nope in us-east-1: name one"),
        (("status", "nope", "--stack", STACK_NAME), "has no plan of a run nope"),
        (("rerun", "nope", "--stack", STACK_NAME), "has no plan of a run nope"),
        (("status", "--stack", STACK_NAME, "--profile", "nobody"), "--profile or AWS_PROFILE"),
        (("run", "--stack", STACK_NAME, "--segments", "0"), "total_segments is 0"),
        (("run", "--stack", STACK_NAME, "--out", "x"), "--out cannot be combined with --stack"),
        (("run",), "--out DIR with --trips FILE or --export DIR"),
        (("rerun",), "--out DIR for a run on this machine, or --stack NAME"),
        (("status",), "--out DIR"),
        (("runs", "--stack", STACK_NAME, "--out", "."), "give one of them"),
        (
            ("run", "--stack", STACK_NAME, "--parameter", "TimeZone=UTC"),
            "give it to `ops serve` when you start it",
        ),
    ],
)
def test_a_mistake_is_reported_in_a_line_that_says_what_to_do(
    deployed: Deployed, arguments: tuple[str, ...], says: str
) -> None:
    done = ops(*arguments)
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_without_credentials_it_says_how_to_sign_in(deployed: Deployed) -> None:
    environment = {
        name: value
        for name, value in deployed.local.cloud.environment().items()
        if name not in {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
    }
    environment["PATH"] = os.environ["PATH"]
    done = ops_process("status", "--stack", STACK_NAME, env=environment)
    assert done.returncode == 2
    assert "sign in as for the aws CLI" in done.stderr
