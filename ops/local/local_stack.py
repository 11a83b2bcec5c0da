"""This program's own stack in an embedded cloud, with trips in its table."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from ops.embedded import error_log
from ops.embedded.cloud import EmbeddedCloud
from ops.embedded.errors import DeploymentError
from ops.embedded.lambda_endpoint import LambdaEndpoint
from ops.embedded.lambda_invocation import Invoker
from ops.embedded.lambda_processes import WorkerProcesses
from ops.embedded.lambda_service import LambdaService
from ops.embedded.objects_on_disk import ObjectsOnDisk
from ops.embedded.scan_layers import scans_reported_to
from ops.embedded.server import Middleware, layered
from ops.embedded.stack import DeployedStack, deploy
from ops.interruption import silent_threads
from ops.local import trips_table
from ops.local.names import STACK_NAME, TABLE_NAME, TEMPLATE
from ops.local.page_log import PageLog
from ops.local.parameters import deployable
from ops.local.state_directory import StateDirectory
from ops.local.trip_files import Trips
from ops.local.write_failures import WriteFailures

LOGS_PREFIX = "trip-kpis-logs-"
_WORKERS = 2 * (os.cpu_count() or 1)
"""segments at a time, unless the user sets it: each needs a process here, not a Lambda function"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStack:
    """The parts of the stack that a run needs."""

    cloud: EmbeddedCloud
    stack: DeployedStack
    functions: LambdaService
    log_directory: Path
    own_errors: Path
    """the file with errors of the embedded AWS itself, if there are any"""
    pages: PageLog
    state: StateDirectory | None
    """the place where other processes find what they need to resume a run; None: nowhere"""
    writes: WriteFailures = field(default_factory=WriteFailures)
    """checked while a run is followed: the run cannot store its results on a full disk"""
    objects: ObjectsOnDisk | None = None
    """the objects of the state"""

    @property
    def state_machine_arn(self) -> str:
        return self.stack.state_machine_arn

    @property
    def bucket_name(self) -> str:
        return self.stack.bucket_name

    def client(self, service: str) -> Any:
        """Returns a client of the operator."""
        return self.cloud.client(service)

    def use_saved_bucket(self) -> None:
        """Puts the objects of the state into the bucket. From now on, the state has its objects."""
        assert self.objects is not None
        self.objects.restore(self.bucket_name)
        self.objects.keep(self.bucket_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The settings of the embedded cloud: its address, its limits, and what runs the functions."""

    host: str = "127.0.0.1"
    port: int = 0
    """0: any free port"""
    access_key: str | None = None
    """access key of the embedded cloud; None: a random one"""
    lambda_endpoint: str | None = None
    """URL of another Lambda API that runs the functions; None: worker processes here"""
    around_workers: Callable[[Invoker], Invoker] = lambda workers: workers
    """adds an Invoker around the one that runs the functions"""
    log_directory: Path | None = None
    """directory in which the functions' logs stay; None: a temporary one"""
    middleware: Middleware | None = None
    page_bytes: int | None = None
    """`middleware` and this are those of EmbeddedCloud"""
    enforce_iam: bool = True
    """Hold functions to their roles. Functions in containers and the aws CLI come with credentials
    of their own, and are refused then."""


@contextmanager
def local_stack(
    trips: Trips,
    *,
    where: Where,
    parameters: Mapping[str, str],
    on_loaded: Callable[[int], None],
    state: StateDirectory | None = None,
    table_id: str | None = None,
) -> Iterator[LocalStack]:
    """Starts the cloud, fills the table, deploys the template, and runs functions until the block
    ends.

    A bucket that `parameters` names as an existing one is made first. A `state` is not changed
    here: see `use_saved_bucket`. Raises EmbeddedCloudError or TripFileError.
    """
    with ExitStack() as quiet, ExitStack() as opened:
        objects = None if state is None else ObjectsOnDisk(state.objects_path)
        logs = where.log_directory or Path(
            opened.enter_context(tempfile.TemporaryDirectory(prefix=LOGS_PREFIX))
        )
        own_errors = (logs if state is None else state.logs_path) / error_log.NAME
        opened.enter_context(error_log.errors_logged_to(own_errors))
        pages = PageLog(state.pages_path if state else None)
        writes = WriteFailures()
        cloud = opened.enter_context(
            EmbeddedCloud(
                host=where.host,
                port=where.port,
                table_ids={TABLE_NAME: table_id} if table_id else None,
                page_bytes=where.page_bytes,
                enforce_iam=where.enforce_iam and where.lambda_endpoint is None,
                access_key=where.access_key,
                middleware=layered(
                    where.middleware,
                    writes.layer,
                    scans_reported_to(pages.note),
                    objects.layer if objects else None,
                ),
            )
        )
        if bucket_name := parameters.get("BucketName"):
            _make_bucket(cloud, bucket_name)
        trips_table.load(cloud.client("dynamodb"), TABLE_NAME, trips, on_loaded=on_loaded)
        here = {"TableName": TABLE_NAME, "MaxConcurrency": str(_WORKERS)}
        of_template, variables = deployable(parameters)
        stack = deploy(cloud, TEMPLATE, STACK_NAME, {**here, **of_template})
        workers = where.around_workers(
            WorkerProcesses(
                endpoint_url=cloud.endpoint_url,
                log_directory=logs,
                environment=variables,
                role_credentials=cloud.role_credentials,
            )
            if where.lambda_endpoint is None
            else LambdaEndpoint(where.lambda_endpoint)
        )
        functions = LambdaService(cloud, stack, workers)
        opened.enter_context(functions)
        try:
            yield LocalStack(
                cloud=cloud,
                stack=stack,
                functions=functions,
                log_directory=logs,
                own_errors=own_errors,
                pages=pages,
                state=state,
                writes=writes,
                objects=objects,
            )
        except BaseException:
            # The threads of the embedded AWS lose what they are at.
            quiet.enter_context(silent_threads())
            raise


def _make_bucket(cloud: EmbeddedCloud, name: str) -> None:
    """Creates the bucket; raises DeploymentError for a name that no bucket can have."""
    try:
        cloud.client("s3").create_bucket(Bucket=name)
    except (ClientError, ParamValidationError) as error:
        raise DeploymentError(
            f"BucketName is {name!r}, and no bucket can be called so ({error}): 3 to 63 lower-case "
            "letters, digits, dots and hyphens"
        ) from error
