"""`ops serve` as a user calls it: what it prints opens it, and nothing else does."""

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
def served(json_lines: Callable[..., Path]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and all that it has printed when it was up."""
    with started("serve", "--trips", json_lines([trip(1)]), "--port", "0") as process:
        assert process.stdout is not None
        said = ""
        while "state machine" not in said:
            line = process.stdout.readline()
            assert line, f"it ended: {said}"
            said += line
        yield process, said
        process.kill()


def test_its_exports_open_it_and_nothing_else_does(
    served: tuple[subprocess.Popen[str], str],
) -> None:
    process, said = served
    exports = dict(re.findall(r"(AWS_[A-Z_]+)=(\S+)", said))

    def tables(access_key: str) -> Any:
        client: Any = boto3.Session(
            aws_access_key_id=access_key,
            aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
            region_name=exports["AWS_DEFAULT_REGION"],
        ).client("dynamodb", endpoint_url=exports["AWS_ENDPOINT_URL"])
        return client.list_tables()["TableNames"]

    assert tables(exports["AWS_ACCESS_KEY_ID"]) == ["trips"]
    with pytest.raises(ClientError, match="another one each time"):
        tables("test")
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate()
    assert (process.returncode, "Traceback" in rest) == (0, False)


def test_rows_that_are_left_out_are_reported_also_beside_a_lambda_endpoint(tmp_path: Path) -> None:
    """One where nobody listens, so that it ends."""
    file = tmp_path / "trips.csv"
    row = "t1,2024-05-01 10:00:00,1.5,2\n"
    file.write_text(f"trip_id,pickup_datetime,fare_amount,estimated_fare_amount\n{row}{row}")
    endpoint = ("--lambda-endpoint", "http://127.0.0.1:1", "--access-key", "a" * 16)
    done = ops("serve", "--trips", file, "--same-key", "last", *endpoint, "--port", "0")
    assert "1 of the 2 rows of" in done.stdout
    assert "The Lambda endpoint http://127.0.0.1:1 cannot be used" in done.stderr
