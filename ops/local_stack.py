"""This product's own stack, up in an embedded cloud, with trips in its table."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ops import trips_table
from ops.embedded.cloud import EmbeddedCloud
from ops.embedded.lambda_endpoint import LambdaEndpoint
from ops.embedded.lambda_processes import WorkerProcesses
from ops.embedded.lambda_service import FinishedInvocation, LambdaService
from ops.embedded.stack import DeployedStack, deploy
from ops.trip_files import Trips

TEMPLATE = Path(__file__).parent.parent / "template.yaml"
STACK_NAME = "trip-kpis"
TABLE_NAME = "trips"
CONTAINERS_BUCKET = "trip-kpis"
"""The table, and the bucket of a stack whose functions run in containers, as events/env.local.json
names them; else the stack makes a bucket of its own."""

_WORKERS = 2 * (os.cpu_count() or 1)
"""segments at a time, unless asked for otherwise: each has a process here, not a Lambda there"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStack:
    """What a run needs to know."""

    cloud: EmbeddedCloud
    stack: DeployedStack
    log_directory: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """How the embedded cloud is reached, and who runs the functions."""

    host: str = "127.0.0.1"
    port: int = 0
    """0: any that is free"""
    lambda_endpoint: str | None = None
    """another Lambda API that runs the functions; None: worker processes here"""


@contextmanager
def local_stack(
    trips: Trips,
    *,
    where: Where,
    parameters: Mapping[str, str],
    on_loaded: Callable[[int], None],
    on_invocation: Callable[[FinishedInvocation], None],
) -> Iterator[LocalStack]:
    """Starts the cloud, fills the table, deploys the template, runs functions until it is left.

    A bucket that `parameters` names as an existing one is made first. Raises EmbeddedCloudError or
    TripFileError.
    """
    with ExitStack() as opened:
        cloud = opened.enter_context(EmbeddedCloud(host=where.host, port=where.port))
        if bucket_name := parameters.get("BucketName"):
            cloud.client("s3").create_bucket(Bucket=bucket_name)
        trips_table.load(cloud.client("dynamodb"), TABLE_NAME, trips, on_loaded=on_loaded)
        here = {"TableName": TABLE_NAME, "MaxConcurrency": str(_WORKERS)}
        stack = deploy(cloud, TEMPLATE, STACK_NAME, {**here, **parameters})
        logs = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="trip-kpis-logs-")))
        invoker = (
            WorkerProcesses(endpoint_url=cloud.endpoint_url, log_directory=logs)
            if where.lambda_endpoint is None
            else LambdaEndpoint(where.lambda_endpoint)
        )
        opened.enter_context(LambdaService(cloud, stack, invoker, on_invocation=on_invocation))
        yield LocalStack(cloud=cloud, stack=stack, log_directory=logs)
