"""`ops serve`."""

from __future__ import annotations

import shlex
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from ops import interruption
from ops.cli import options
from ops.cli.execution_input import refused_beside
from ops.local.names import CONTAINERS_BUCKET, CONTAINERS_PORT, STACK_NAME, TABLE_NAME
from ops.runs.execution import RUNNING, Execution
from ops.runs.this_command import this_command

if TYPE_CHECKING:
    from ops.local.local_stack import LocalStack
    from ops.local.trip_files import SameKey

_POLL_SECONDS = 0.5


@click.command()
@options.trips_or_stack
@options.export
@options.key
@options.sort_key
@options.same_key
@options.encoding
@options.definition
@options.parameter
@options.lambda_endpoint
@options.access_key
@options.host
@options.port
def serve(
    *,
    files: tuple[Path, ...],
    export_path: Path | None,
    key: str,
    sort_key: str | None,
    same_key: SameKey,
    encoding: str,
    definition: dict[str, str],
    parameters: dict[str, str],
    lambda_endpoint: str | None,
    access_key: str | None,
    host: str,
    port: int | None,
) -> None:
    """Run the embedded AWS, with the stack and your trips in it.

    You can use it with `sam local invoke`, `sam local start-lambda` and the aws CLI. It prints an
    access key, and answers only requests with this key. It makes a new key at every start, unless
    you set one with --access-key.

    With --export, the table is empty, and the files of the export are objects of the bucket; they
    are not copied. It prints the URL of the export's manifest for `run --stack`.

    It reports each execution that starts or ends. Ctrl-C stops it. Then everything is deleted,
    except for the functions' logs.

    \b
    ops serve --trips trips.csv
    ops serve --trips trips.csv --parameter TimeZone=Europe/Berlin --port 0
    ops serve --export AWSDynamoDB/01716790307109-3f5e
    ops run --stack trip-kpis --export-manifest s3://trip-kpis/exports/…/manifest-summary.json
    """
    if export_path is not None:
        refused_beside("--export", "files", "same_key", "encoding")
    elif not files:
        raise click.UsageError("give --trips FILE or --export DIR")
    parameters = options.with_definition(parameters, definition)
    interruption.explain("Nothing was started, and nothing is kept.")

    from ops.cli import terminal
    from ops.cli.terminal import remark
    from ops.local.export_on_disk import ExportOnDisk
    from ops.local.local_stack import LOGS_PREFIX, Where, local_stack
    from ops.local.no_redrive import redrive_refused
    from ops.local.parameters import fit_parameters
    from ops.local.trip_files import read_trips

    export = None if export_path is None else ExportOnDisk.at(export_path)
    if export is not None:
        trips = export.sample(hash_key=key, sort_key=sort_key)
    else:
        trips = read_trips(
            files, hash_key=key, sort_key=sort_key, same_key=same_key, encoding=encoding
        )
    remarks = [*trips.remarks, *(export.remarks if export else ())]
    is_sample = export is not None and export.is_sample(trips)
    if lambda_endpoint is None:
        fitted = fit_parameters(parameters, trips, is_sample=is_sample)
        parameters = {**fitted.parameters}
        remarks += fitted.remarks
    for line in remarks:
        remark(line)
    logs = Path(tempfile.mkdtemp(prefix=LOGS_PREFIX))
    where = Where(
        host=host,
        port=CONTAINERS_PORT if port is None else port,
        access_key=access_key,
        lambda_endpoint=lambda_endpoint,
        log_directory=logs,
        middleware=redrive_refused,
        enforce_iam=False,
    )
    if lambda_endpoint:
        parameters = options.containers_parameters(parameters)
    parameters = {"BucketName": CONTAINERS_BUCKET, **parameters}
    with ExitStack() as silence:
        with (
            _kept_unless_empty(logs),
            tempfile.TemporaryDirectory(prefix="trip-kpis-manifests-") as manifest_directory,
            local_stack(
                trips if export is None else trips.without_items(),
                where=where,
                parameters=parameters,
                on_loaded=lambda _: None,
                table_id=None if export is None else export.table_id,
            ) as local,
        ):
            of_export = ""
            if export is not None:
                local.cloud.mount(local.bucket_name, export.objects(Path(manifest_directory)))
                url = export.manifest_url(local.bucket_name)
                of_export = (
                    f"\nexport         {url}\n\n"
                    "The table is empty. A run reads the export if it names it:\n  "
                    + shlex.join(
                        [*this_command(), "run", "--stack", STACK_NAME, "--export-manifest", url]
                    )
                )
            interruption.explain("")
            terminal.console().print(
                f"The embedded AWS is up at {local.cloud.endpoint_url}; Ctrl-C ends it.\n\n"
                f"export AWS_ENDPOINT_URL={local.cloud.endpoint_url}\n"
                f"export AWS_ACCESS_KEY_ID={local.cloud.access_key} AWS_SECRET_ACCESS_KEY=any "
                f"AWS_DEFAULT_REGION={local.cloud.region}\n\n"
                f"table          {TABLE_NAME}\nbucket         {local.stack.bucket_name}\n"
                f"state machine  {local.stack.state_machine_arn}{of_export}",
                highlight=False,
                soft_wrap=True,
            )
            try:
                _report_executions(local, None if lambda_endpoint else logs)
            except KeyboardInterrupt:
                interruption.was_awaited()
                # What the executions' threads have to say when they are cut off is no news.
                silence.enter_context(interruption.silent_threads())
        kept = f" The functions' logs are kept in {logs}." if logs.exists() else ""
        remark(f"Stopped. The table, the bucket and the executions are gone.{kept}")
        interruption.end(0)


@contextmanager
def _kept_unless_empty(logs: Path) -> Iterator[None]:
    """Removes the directory of the logs at the end if no function has run."""
    try:
        yield
    finally:
        if not any(logs.iterdir()):
            logs.rmdir()


def _report_executions(local: LocalStack, logs: Path | None) -> NoReturn:
    """Reports each execution when it has started, and how it has ended."""
    from ops.cli.terminal import remark
    from ops.local.served_executions import ServedExecutions

    executions = ServedExecutions(local.client("stepfunctions"), local.state_machine_arn)
    while True:
        for execution in executions.changed():
            remark(_change(execution, logs))
        interruption.check()
        time.sleep(_POLL_SECONDS)


def _change(execution: Execution, logs: Path | None) -> str:
    """Returns the report on an execution that has started or ended."""
    name = f"{'Estimate' if execution.is_estimate else 'Run'} {execution.run_id}"
    if execution.name != execution.run_id:
        name += f", execution {execution.name},"
    if execution.status == RUNNING:
        return f"{name} started."
    error = f" ({execution.error})" if execution.error else ""
    where = f" The functions' logs: {logs}" if logs else ""
    return f"{name} ended: {(execution.status or '').lower()}{error}.{where}"
