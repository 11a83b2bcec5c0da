"""The built packages by themselves: a run in which each handler sees nothing but its own package.

The processes have the standard library of the runtime's Python version and one artifact, as in
Lambda, but for what the Lambda runtime brings: nothing here comes from outside a package.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import botocore
import pytest

from bench.packages import FUNCTIONS, CannotBuildError, build, interpreter
from ops.embedded.cloud import EmbeddedCloud
from ops.embedded.lambda_invocation import Invocation, InvocationOutcome
from ops.embedded.lambda_service import LambdaService
from ops.embedded.stack import deploy

pytestmark = [pytest.mark.sam_build, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
ASKED = ("dynamodb,lambda,s3,sts", "us-east-1,eu-central-1,cn-north-1,us-gov-west-1,il-central-1")
"""services and regions"""

INVOKE = """
import importlib, json, sys, time
sys.path.insert(0, sys.argv[1])
module = importlib.import_module(sys.argv[2])

class Context:
    aws_request_id = "invocation-1"
    memory_limit_in_mb = "512"
    deadline = time.monotonic() + 60
    def get_remaining_time_in_millis(self):
        return int((self.deadline - time.monotonic()) * 1000)

try:
    answer, failed = module.handler(json.loads(sys.argv[3]), Context()), False
except Exception as error:
    answer, failed = {"errorType": type(error).__name__, "errorMessage": str(error)}, True
files = [one.__file__ for one in list(sys.modules.values()) if getattr(one, "__file__", None)]
with open(sys.argv[4], "w") as reported:
    json.dump({"answer": answer, "failed": failed, "files": files}, reported)
"""
CREATE_CLIENTS = """
import json, sys
sys.path.insert(0, sys.argv[1])
import botocore
from botocore.session import Session
found = {
    f"{service} {region}": Session().create_client(service, region_name=region).meta.endpoint_url
    for service in sys.argv[2].split(",")
    for region in sys.argv[3].split(",")
}
pages = Session().create_client("s3", region_name="us-east-1").can_paginate("list_objects_v2")
print(json.dumps({"version": botocore.__version__, "endpoints": found, "pages": pages}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """Each handler's artifact, by its stem, and the Python to run it with."""

    python: str
    artifacts: Mapping[str, Path]

    def run(self, program: str, *arguments: str, environment: Mapping[str, str]) -> str:
        return output_of(self.python, program, *arguments, environment=environment)


def output_of(python: str, program: str, *arguments: str, environment: Mapping[str, str]) -> str:
    """What `program` prints, in a process without site-packages, PYTHONPATH or user's directory."""
    done = subprocess.run(
        [python, "-I", "-S", "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=dict(environment),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(slots=True, kw_only=True)
class AloneInvoker:
    """Runs every invocation in a process of its own, in its function's package."""

    packages: Packages
    cloud: EmbeddedCloud
    directory: Path
    files: dict[str, set[str]] = field(default_factory=dict)
    """of all modules that an invocation has loaded, by handler"""

    def invoke(self, invocation: Invocation) -> InvocationOutcome:
        function = invocation.function
        stem = function.handler.partition(".")[0]
        result = self.directory / f"{invocation.request_id}.json"
        self.packages.run(
            INVOKE,
            str(self.packages.artifacts[stem]),
            stem,
            invocation.payload.decode(),
            str(result),
            environment={
                **self.cloud.environment(),
                **self.cloud.role_credentials(function.role_arn),
                **function.environment,
            },
        )
        reported = json.loads(result.read_text())
        self.files.setdefault(stem, set()).update(reported["files"])
        return InvocationOutcome(
            payload=json.dumps(reported["answer"]).encode(),
            failed=reported["failed"],
            duration_ms=1,
            billed_ms=1,
        )

    def close(self) -> None:
        """No process outlives its invocation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What an execution of the state machine ended as, and what it published."""

    status: str
    cause: str
    published: Mapping[str, bytes]
    invoker: AloneInvoker


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    try:
        python = interpreter()
        place = tmp_path_factory.mktemp("packages")
        artifacts = {stem: build(stem, place, python) for stem in FUNCTIONS}
    except CannotBuildError as error:
        pytest.skip(str(error))
    return Packages(python=python, artifacts=artifacts)


@pytest.fixture(scope="module")
def a_run(packages: Packages, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with EmbeddedCloud() as cloud:
        _make_table(cloud.client("dynamodb"))
        stack = deploy(cloud, TEMPLATE, "trip-kpis", {"TableName": "trips"})
        invoker = AloneInvoker(
            packages=packages, cloud=cloud, directory=tmp_path_factory.mktemp("answers")
        )
        with LambdaService(cloud, stack, invoker) as functions:
            states = cloud.client("stepfunctions")
            arn = states.start_execution(
                stateMachineArn=stack.state_machine_arn,
                name="run-1",
                input=json.dumps({"total_segments": 2, "max_concurrency": 1}),
            )["executionArn"]
            while (ended := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
                functions.wait_until_idle()
        s3 = cloud.client("s3")
        listed = s3.list_objects_v2(Bucket=stack.bucket_name, Prefix="kpis/")
        yield Run(
            status=ended["status"],
            cause=f"{ended.get('error')} {ended.get('cause')}",
            published={
                one["Key"]: s3.get_object(Bucket=stack.bucket_name, Key=one["Key"])["Body"].read()
                for one in listed.get("Contents", ())
            },
            invoker=invoker,
        )


def _make_table(dynamodb: Any) -> None:
    dynamodb.create_table(
        TableName="trips",
        KeySchema=[{"AttributeName": "trip_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "trip_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for number in range(20):
        dynamodb.put_item(
            TableName="trips",
            Item={
                "trip_id": {"S": f"trip-{number}"},
                "pickup_datetime": {"S": "2024-05-25 13:19:00"},
                "fare_amount": {"N": "0.100000000000000001"},
                "estimated_fare_amount": {"N": "12"},
            },
        )


def test_a_run_in_the_packages_alone_publishes_exact_figures(a_run: Run) -> None:
    assert a_run.status == "SUCCEEDED", a_run.cause
    (body,) = a_run.published.values()
    figures = json.loads(body, parse_float=Decimal)
    assert figures["trip_count"] == 20
    assert figures["total_fare"] == Decimal("2.00000000000000002")


@pytest.mark.parametrize("stem", FUNCTIONS)
def test_a_handler_loads_nothing_but_its_package_and_the_standard_library(
    packages: Packages, a_run: Run, stem: str
) -> None:
    program = "import sysconfig; print(sysconfig.get_paths()['stdlib'])"
    library = Path(packages.run(program, environment={}).strip())
    artifact = packages.artifacts[stem]
    loaded = {Path(file) for file in a_run.invoker.files[stem]}
    own = {file for file in loaded if file.is_relative_to(artifact)}
    assert artifact / "botocore" / "__init__.py" in own
    others = {file for file in loaded - own if not file.is_relative_to(library)}
    assert others == set()
    assert not [file for file in loaded if "site-packages" in file.parts]


@pytest.fixture(scope="module")
def whole_botocore() -> Any:
    """What the botocore of the tests finds, which has every service."""
    place = str(Path(botocore.__file__).parents[1])
    found = output_of(sys.executable, CREATE_CLIENTS, place, *ASKED, environment={})
    return json.loads(found)


@pytest.mark.parametrize("stem", FUNCTIONS)
def test_the_trimmed_botocore_finds_the_same_endpoints_as_the_whole_one(
    packages: Packages, whole_botocore: Any, stem: str
) -> None:
    artifact = str(packages.artifacts[stem])
    found = json.loads(packages.run(CREATE_CLIENTS, artifact, *ASKED, environment={}))
    assert found == whole_botocore
    assert found["endpoints"]["s3 cn-north-1"].endswith(".amazonaws.com.cn")
    assert found["pages"] is True
