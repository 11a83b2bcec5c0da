"""`ops serve`."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ops import interruption
from ops.cli import options
from ops.local.names import CONTAINERS_BUCKET, CONTAINERS_PORT, TABLE_NAME

if TYPE_CHECKING:
    from ops.local.trip_files import SameKey


@click.command()
@options.trips
@options.key
@options.sort_key
@options.same_key
@options.encoding
@options.parameter
@options.lambda_endpoint
@options.access_key
@options.host
@options.port
def serve(
    *,
    files: tuple[Path, ...],
    key: str,
    sort_key: str | None,
    same_key: SameKey,
    encoding: str,
    parameters: dict[str, str],
    lambda_endpoint: str | None,
    access_key: str | None,
    host: str,
    port: int | None,
) -> None:
    """Run the embedded AWS, with the stack and your trips in it.

    For `sam local invoke`, `sam local start-lambda` and the aws CLI. It answers only requests with
    the access key that it prints, which is another one each time unless --access-key names one.

    \b
    ops serve --trips trips.csv
    ops serve --trips trips.csv --parameter TimeZone=Europe/Berlin --port 0
    """
    from ops.cli import terminal
    from ops.local.local_stack import Where, local_stack
    from ops.local.no_redrive import redrive_refused
    from ops.local.parameters import fit_parameters
    from ops.local.trip_files import read_trips

    console = terminal.console()
    trips = read_trips(files, hash_key=key, sort_key=sort_key, same_key=same_key, encoding=encoding)
    remarks = [*trips.remarks]
    if lambda_endpoint is None:
        fitted = fit_parameters(parameters, trips)
        parameters = {**fitted.parameters}
        remarks += fitted.remarks
    for remark in remarks:
        console.print(remark, highlight=False, markup=False, soft_wrap=True)
    with (
        local_stack(
            trips,
            where=Where(
                host=host,
                port=CONTAINERS_PORT if port is None else port,
                access_key=access_key,
                lambda_endpoint=lambda_endpoint,
                middleware=redrive_refused,
                enforce_iam=False,
            ),
            parameters=options.containers_parameters(parameters)
            if lambda_endpoint
            else {"BucketName": CONTAINERS_BUCKET, **parameters},
            on_loaded=lambda _: None,
        ) as local,
    ):
        console.print(
            f"The embedded AWS is up at {local.cloud.endpoint_url}; Ctrl-C ends it.\n\n"
            f"export AWS_ENDPOINT_URL={local.cloud.endpoint_url}\n"
            f"export AWS_ACCESS_KEY_ID={local.cloud.access_key} AWS_SECRET_ACCESS_KEY=any "
            f"AWS_DEFAULT_REGION={local.cloud.region}\n\n"
            f"table          {TABLE_NAME}\nbucket         {local.stack.bucket_name}\n"
            f"state machine  {local.stack.state_machine_arn}",
            highlight=False,
            soft_wrap=True,
        )
        _wait_for_interrupt()


def _wait_for_interrupt() -> None:
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        interruption.was_awaited()
