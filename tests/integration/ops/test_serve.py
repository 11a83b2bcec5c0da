"""`ops serve` as a user calls it: what it prints opens it, and nothing else does."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.integration.ops.conftest import trip
from tests.ops_commands import ops, started


@pytest.fixture
def served(
    json_lines: Callable[..., Path], tmp_path: Path
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and all that it has printed when it was up."""
    command = ("serve", "--trips", json_lines([trip(1)]), "--port", "0")
    with started(*command, env={**os.environ, "TMPDIR": str(tmp_path)}) as process:
        assert process.stdout is not None
        said = ""
        while "state machine" not in said:
            line = process.stdout.readline()
            assert line, f"it ended: {said}"
            said += line
        yield process, said
        process.kill()


def client(service: str, said: str, *, access_key: str | None = None) -> Any:
    """A client by the exports that were printed."""
    exports = dict(re.findall(r"(AWS_[A-Z_]+)=(\S+)", said))
    return boto3.Session(
        aws_access_key_id=access_key or exports["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
        region_name=exports["AWS_DEFAULT_REGION"],
    ).client(service, endpoint_url=exports["AWS_ENDPOINT_URL"])  # type: ignore[call-overload]


def start_execution(said: str, name: str) -> None:
    (arn,) = re.findall(r"state machine +(\S+)", said)
    client("stepfunctions", said).start_execution(stateMachineArn=arn, name=name, input="{}")


def stopped(process: subprocess.Popen[str]) -> str:
    """What it says from Ctrl-C on."""
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate()
    assert process.returncode == 0, rest
    return rest


def test_its_exports_open_it_and_nothing_else_does(
    served: tuple[subprocess.Popen[str], str],
) -> None:
    process, said = served
    assert client("dynamodb", said).list_tables()["TableNames"] == ["trips"]
    with pytest.raises(ClientError, match="new at each start"):
        client("dynamodb", said, access_key="test").list_tables()
    assert stopped(process) == "Stopped. The table, the bucket and the executions are gone.\n"


def test_a_run_is_reported_with_its_status_and_its_logs_which_stay(
    served: tuple[subprocess.Popen[str], str],
) -> None:
    process, said = served
    assert process.stdout is not None
    start_execution(said, "run-1")
    assert process.stdout.readline() == "Run run-1 started.\n"
    ended = process.stdout.readline()
    says, _, logs = ended.rstrip().rpartition(" ")
    assert says == "Run run-1 ended: succeeded. The functions' logs:"
    rest = stopped(process)
    assert rest.startswith("Stopped. ")
    assert rest.endswith(f" The functions' logs are kept in {logs}.\n")
    assert (Path(logs) / "MergePartialsFunction.log").read_text()


@pytest.mark.slow
def test_ctrl_c_in_the_middle_of_a_run_stops_it_with_one_message(
    served: tuple[subprocess.Popen[str], str],
) -> None:
    process, said = served
    assert process.stdout is not None
    start_execution(said, "run-1")
    assert process.stdout.readline() == "Run run-1 started.\n"
    (line,) = stopped(process).splitlines()
    assert line.startswith("Stopped. The table, the bucket and the executions are gone.")


def test_rows_that_are_left_out_are_reported_also_beside_a_lambda_endpoint(tmp_path: Path) -> None:
    """One where nobody listens, so that it ends."""
    file = tmp_path / "trips.csv"
    row = "t1,2024-05-01 10:00:00,1.5,2\n"
    file.write_text(f"trip_id,pickup_datetime,fare_amount,estimated_fare_amount\n{row}{row}")
    endpoint = ("--lambda-endpoint", "http://127.0.0.1:1", "--access-key", "a" * 16)
    done = ops("serve", "--trips", file, "--same-key", "last", *endpoint, "--port", "0")
    assert "1 of the 2 rows of" in done.stderr
    assert "The Lambda endpoint http://127.0.0.1:1 cannot be used" in done.stderr
