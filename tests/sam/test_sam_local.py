"""The built functions in containers, by `sam local`, against the embedded AWS of `ops`."""

import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.sam.conftest import ACCESS_KEY

pytestmark = [pytest.mark.sam_local, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "public.ecr.aws/lambda/python:3.13-x86_64"
SECONDS_TO_START = 120

TRIPS = """trip_id,pickup_datetime,fare_amount,estimated_fare_amount
a,2024-05-25 13:19:00,10.25,11
b,2024-05-25T23:59:59Z,0.1,0.2
c,2024-05-26 00:00:00,7.5,7
d,2024-05-26 08:00:00,,9
"""
DAYS = {
    "2024-05-25": (
        '{"date":"2024-05-25","trip_count":2,"total_fare":10.35,'
        '"average_fare":5.175,"max_fare":10.25,"min_fare":0.1}'
    ),
    "2024-05-26": (
        '{"date":"2024-05-26","trip_count":1,"total_fare":7.5,'
        '"average_fare":7.5,"max_fare":7.5,"min_fare":7.5}'
    ),
}

Sam = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Containers:
    """What runs the functions, and where they find the embedded AWS."""

    template: Path
    trips: Path
    bridge: str
    port: int
    options: tuple[str, ...]


def docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)


def free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def bridge_address() -> str:
    """The address of this machine on Docker's bridge; skips where containers cannot be run so."""
    if shutil.which("docker") is None:
        pytest.skip("needs Docker: https://docs.docker.com/engine/install/")
    if (said := docker("info")).returncode != 0:
        pytest.skip(f"needs a running Docker daemon: {said.stderr.strip()}")
    inspected = docker("network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}")
    (network,) = json.loads(inspected.stdout)
    # Docker leaves the gateway out where it is what it is by default: the first address.
    address = network.get("Gateway") or str(next(ip_network(network["Subnet"]).hosts()))
    try:
        free_port(address)
    except OSError:
        pytest.skip(f"needs an address of this machine on Docker's bridge, which {address} is not")
    if docker("image", "inspect", IMAGE).returncode != 0 and docker("pull", IMAGE).returncode != 0:
        pytest.skip(f"needs the base image: docker pull {IMAGE}")
    return address


@pytest.fixture(scope="module")
def containers(sam: Sam, tmp_path_factory: pytest.TempPathFactory) -> Containers:
    bridge = bridge_address()
    place = tmp_path_factory.mktemp("sam-local")
    built = sam("build", "--config-env", "local", "--build-dir", place / "build")
    assert built.returncode == 0, built.stderr
    trips = place / "trips.csv"
    trips.write_text(TRIPS)
    # The project's own file, but for the port: another server may be on that one.
    port = free_port(bridge)
    variables = json.loads((ROOT / "events" / "env.local.json").read_text())
    endpoint = variables["Parameters"]["AWS_ENDPOINT_URL"]
    variables["Parameters"]["AWS_ENDPOINT_URL"] = re.sub(r":\d+$", f":{port}", endpoint)
    (place / "env.json").write_text(json.dumps(variables))
    template = place / "build" / "template.yaml"
    options = ["--template", str(template), "--skip-pull-image"]
    # SAM looks for this beside the template.
    options += ["--config-file", str(ROOT / "samconfig.toml"), "--config-env", "local"]
    options += ["--env-vars", str(place / "env.json")]
    return Containers(
        template=template, trips=trips, bridge=bridge, port=port, options=tuple(options)
    )


@contextmanager
def running(
    command: list[str], *, until: str, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A server, from when it has printed a line with `until` in it; ended on leaving."""
    server = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        wait_for(server, until)
        yield server
    finally:
        server.terminate()
        server.communicate(timeout=SECONDS_TO_START)


def wait_for(server: subprocess.Popen[bytes], text: str) -> None:
    assert server.stdout is not None
    said = b""
    deadline = time.monotonic() + SECONDS_TO_START
    while text.encode() not in said:
        ready, _, _ = select.select([server.stdout], [], [], max(0, deadline - time.monotonic()))
        more = os.read(server.stdout.fileno(), 65_536) if ready else b""
        assert more, f"{server.args} did not start:\n{said.decode()}"
        said += more


def invoke(sam: Sam, containers: Containers, function: str, event: str) -> dict[str, Any]:
    done = sam("local", "invoke", function, "--event", ROOT / "events" / event, *containers.options)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert "errorType" not in answer, answer
    return answer


def test_each_function_does_its_part_with_its_sample_event(
    sam: Sam, sam_environment: dict[str, str], containers: Containers
) -> None:
    serve = [sys.executable, "-m", "ops", "serve", "--trips", str(containers.trips)]
    serve += ["--host", containers.bridge, "--port", str(containers.port)]
    serve += ["--access-key", ACCESS_KEY]
    with running(serve, until="is up at", environment=sam_environment):
        planned = invoke(sam, containers, "PlanRunFunction", "plan_run.json")
        assert planned["run_id"] == "local"
        assert planned["segments"] == [0]
        scanned = invoke(sam, containers, "ScanSegmentFunction", "scan_segment.json")
        assert scanned["finished"] is True
        invoke(sam, containers, "MergePartialsFunction", "merge_partials.json")
        s3 = boto3.client(
            "s3",
            endpoint_url=f"http://{containers.bridge}:{containers.port}",
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key="test",
        )
        published = {
            day: s3.get_object(Bucket="trip-kpis", Key=f"kpis/date={day}/kpi.json")["Body"].read()
            for day in DAYS
        }
    assert {day: body.decode().rstrip("\n") for day, body in published.items()} == DAYS


def test_a_whole_run_goes_through_start_lambda(
    sam_command: str, sam_environment: dict[str, str], containers: Containers, tmp_path: Path
) -> None:
    port = free_port("127.0.0.1")
    start = [sam_command, "local", "start-lambda", *containers.options, "--port", str(port)]
    run = [sys.executable, "-m", "ops", "run", "--trips", str(containers.trips)]
    run += ["--out", str(tmp_path), "--segments", "2", "--json"]
    run += ["--host", containers.bridge, "--port", str(containers.port)]
    run += ["--access-key", ACCESS_KEY]
    run += ["--lambda-endpoint", f"http://127.0.0.1:{port}"]
    with running(start, until=f"Running on http://127.0.0.1:{port}", environment=sam_environment):
        done = subprocess.run(
            run, cwd=ROOT, env=sam_environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    json.loads(done.stdout.splitlines()[-1])
    published = {
        file.parent.name.removeprefix("date="): file.read_text().rstrip("\n")
        for file in tmp_path.glob("kpis/date=*/kpi.json")
    }
    assert published == DAYS
