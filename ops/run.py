"""One run in the embedded cloud, from trips to KPIs, or from where an earlier process left it."""

import json
import re
import shutil
import time
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ops.bucket_tree import mirror
from ops.embedded.lambda_service import FinishedInvocation
from ops.embedded.objects_on_disk import ObjectOnDisk
from ops.follow import Follower
from ops.local_stack import CONTAINERS_BUCKET, LocalStack, Where, continued_stack, local_stack
from ops.outcome import Outcome
from ops.published import Published, PublishedBefore
from ops.state_directory import StartedExecution, StateDirectory, StateError
from ops.trip_files import Trips
from ops.way_out import rerun_command
from trip_kpis.aws.run_store import plan_key
from trip_kpis.core.errors import CorruptPartError
from trip_kpis.core.parts import decode

_POLL_SECONDS = 0.1


def run(
    trips: Trips,
    *,
    out: Path,
    execution_input: Mapping[str, Any],
    parameters: Mapping[str, str],
    where: Where,
    follower: Follower,
) -> Outcome:
    """Runs the state machine over `trips` and leaves in `out` what the bucket then holds, and in
    its `state` what `rerun` needs, from before the execution starts.

    Raises EmbeddedCloudError, TripFileError or StateError for what keeps it from running; a run
    that fails is an Outcome.
    """
    watch = _Watch(follower)
    follower.begin("Loading the table", trips=len(trips.items))
    with local_stack(
        trips,
        where=where,
        parameters=parameters,
        on_loaded=follower.advance,
        on_invocation=watch.told,
        state=StateDirectory(out),
    ) as local:
        name = new_execution_name("run")
        follower.say(f"Run {name}. If it is interrupted: {rerun_command(name, out)}")
        follower.begin("Scanning segments", trips=len(trips.items))
        outcome = execute(local, execution_input, name=name)
        _leave(local, out)
    return outcome


def rerun(
    run_id: str | None,
    *,
    out: Path,
    parameters: Mapping[str, str],
    where: Where,
    follower: Follower,
) -> Outcome:
    """Goes on with a run of `out`: a new execution, as one starts it from the console with the
    input ``{"run_id": run_id}``. A run that has no plan yet is begun anew, as it was begun.

    None is the one run that is not finished. Raises StateError if there is no state, it is damaged,
    or there is no such run, and what `run` raises.
    """
    state = StateDirectory(out)
    bucket_name = state.stack().bucket_name
    if where.lambda_endpoint and bucket_name != CONTAINERS_BUCKET:
        raise StateError(
            f"the run's bucket is {bucket_name}, and functions in containers know "
            f"{CONTAINERS_BUCKET} alone: leave --lambda-endpoint out, or begin the run with it"
        )
    trips, objects = len(state.trips().items), state.objects()
    run_id = state.unfinished_run() if run_id is None else run_id
    began = state.first_execution(run_id)
    is_planned = any(stored.key == plan_key(run_id) for stored in objects)
    name = new_execution_name("rerun") if is_planned else run_id
    watch = _Watch(follower)
    follower.begin("Loading the table", trips=trips)
    with continued_stack(
        state,
        where=where,
        parameters=parameters,
        on_loaded=follower.advance,
        on_invocation=watch.told,
    ) as local:
        follower.say(
            f"Going on with run {run_id}."
            if is_planned
            else f"Run {run_id} has no plan yet: it begins anew."
        )
        follower.begin("Scanning segments", trips=trips, done=_appended(objects, run_id))
        outcome = execute(local, {"run_id": run_id} if is_planned else began.input, name=name)
        _leave(local, out)
    return outcome


def new_execution_name(kind: str) -> str:
    """A name for an execution that says when it began."""
    return f"{kind}-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{uuid.uuid4().hex[:4]}"


def execute(local: LocalStack, execution_input: Mapping[str, Any], *, name: str) -> Outcome:
    """Executes the state machine under this name and waits for its end.

    If it fails, also for that of the functions that still run. In AWS, too, they are not stopped
    when an execution is: what they read, they append.
    """
    run_id = execution_input.get("run_id", name)
    if local.state is not None:
        local.state.note(StartedExecution(run_id=run_id, name=name, input=execution_input))
    local.pages.begin(run_id)
    bucket = (local.cloud.client("s3"), local.stack.bucket_name, run_id)
    before = PublishedBefore.of(*bucket)
    client = local.cloud.client("stepfunctions")
    arn = client.start_execution(
        stateMachineArn=local.stack.state_machine_arn,
        name=name,
        input=json.dumps(dict(execution_input)),
    )["executionArn"]
    while (execution := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(_POLL_SECONDS)
    local.functions.wait_until_idle()
    output = execution.get("output")
    return Outcome(
        run_id=run_id,
        status=execution["status"],
        output=json.loads(output) if output else None,
        error=execution.get("error"),
        cause=execution.get("cause"),
        failed_segments=local.cloud.failed_children(arn),
        pages=local.pages.pages(),
        is_planned=_is_planned(local, run_id),
        published=Published() if execution["status"] == "SUCCEEDED" else before.now(*bucket),
    )


def _is_planned(local: LocalStack, run_id: str) -> bool:
    with suppress(ClientError):
        local.cloud.client("s3").head_object(Bucket=local.stack.bucket_name, Key=plan_key(run_id))
        return True
    return False


def _appended(objects: Iterable[ObjectOnDisk], run_id: str) -> int:
    """The trips that the run has scanned and appended; a damaged part is the run's to complain
    about."""
    part_key = re.compile(rf"staging/run={re.escape(run_id)}/segment=\d+/part-\d+\.parquet")
    scanned = 0
    for stored in objects:
        if part_key.fullmatch(stored.key):
            with suppress(CorruptPartError):
                header, _ = decode(stored.body, key=stored.key)
                scanned += header.tally.scanned
    return scanned


def _leave(local: LocalStack, out: Path) -> None:
    mirror(local.cloud.client("s3"), local.stack.bucket_name, out)
    shutil.copytree(local.log_directory, out / "logs", dirs_exist_ok=True)


class _Watch:
    """Turns finished invocations into progress. Told from several threads, one at a time each."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._segments = 0
        self._finished: set[int] = set()

    def told(self, invocation: FinishedInvocation) -> None:
        if invocation.outcome.failed:
            return
        answer = invocation.response
        if invocation.logical_id == "PlanRunFunction":
            self._segments = len(answer["segments"])
        elif invocation.logical_id == "ScanSegmentFunction":
            if answer["finished"]:
                self._finished.add(answer["segment"])
            self._follower.advance(
                answer["scanned"], f"{len(self._finished)} of {self._segments} segments"
            )
