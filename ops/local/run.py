"""Runs the job in the embedded cloud, from trips to KPIs, or from where an earlier process
stopped."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from ops import interruption
from ops.atomic_write import atomic_write
from ops.local.bucket_tree import mirror
from ops.local.export_on_disk import ExportOnDisk
from ops.local.local_stack import LocalStack, Where, local_stack
from ops.local.names import CONTAINERS_BUCKET
from ops.local.out_directory import cannot_write
from ops.local.parameters import fit_parameters
from ops.local.results import unfinished_run
from ops.local.run_source import FREE_SPACE, RunSource
from ops.local.state_directory import SavedStack, StateDirectory, StateError
from ops.local.trip_files import TripFileError, Trips
from ops.runs.copied_files import ignored
from ops.runs.errors import read_units_refused
from ops.runs.estimate import estimate_by_execution
from ops.runs.execution import (
    SUCCEEDED,
    EndedExecution,
    Execution,
    PagesRead,
    new_execution_name,
)
from ops.runs.finished_run import manifests, summary_of
from ops.runs.next_steps import rerun_command
from ops.runs.run_log import Progress, RunLog
from ops.runs.running_execution import RunningExecution
from trip_kpis.core.layout import plan_key
from trip_kpis.core.run.plan import SCAN

_POLL_SECONDS = 0.1


class Follower(Protocol):
    """Shows the progress of one stage after another."""

    def say(self, line: str) -> None: ...

    def begin(self, stage: str, *, trips: int) -> None:
        """Begins a stage that processes so many trips."""
        ...

    def advance(self, trips: int) -> None:
        """Adds so many processed trips to the stage."""
        ...

    def show(self, run: Progress) -> None:
        """Shows the progress of the run's scan."""
        ...

    def executed(self, *, succeeded: bool) -> None:
        """Ends the merge, because the execution has ended."""
        ...

    def end(self) -> None:
        """Ends the display; only lines are printed from then on."""
        ...


def run(
    source: RunSource,
    *,
    out: Path,
    execution_input: Mapping[str, Any],
    parameters: Mapping[str, str],
    where: Where,
    follower: Follower,
    fresh: bool = False,
) -> EndedExecution:
    """Runs the state machine over `source`, and writes the content of the bucket to `out`. Before
    the execution starts, it writes what `rerun` needs to the `state` of `out`.

    The bucket is that of the earlier runs of `out`, which stay; the table has the trips of this run
    alone. `fresh` removes the earlier runs. Until the source is ready, `out` is as it was.

    Raises SettingError, EmbeddedCloudError, TripFileError or StateError for what keeps it from
    running. A run that fails raises nothing.
    """
    trips = source.trips
    fitted = fit_parameters(parameters, trips, is_sample=source.is_sample)
    for remark in (*source.remarks, *fitted.remarks):
        follower.say(remark)
    state = StateDirectory(out)
    with state.locked():
        earlier = None if fresh else state.earlier()
        in_bucket = {} if earlier is None else _in_bucket_of(earlier, fitted.parameters, out)
        if earlier is not None and earlier.key_attributes != trips.key_attributes:
            follower.say(_another_key(earlier, trips))
        prepared = source.prepare(state, earlier, follower)
        export = prepared.export
        with local_stack(
            prepared.table,
            where=where,
            parameters={**fitted.parameters, **in_bucket},
            on_loaded=follower.advance,
            state=state,
            table_id=prepared.table_id,
        ) as local:
            if earlier is None:
                state.forget()
            stack = SavedStack(
                hash_key=trips.hash_key,
                sort_key=trips.sort_key,
                table_id=prepared.table_id,
                bucket_name=local.bucket_name,
                parameters={**fitted.parameters, "BucketName": local.bucket_name},
                page_bytes=where.page_bytes,
                export=prepared.saved_export,
            )
            state.save(stack, prepared.table)
            _use_saved_bucket(local, state, where)
            files = _mounted(export, local, state)
            if export is not None:
                manifest_url = export.manifest_url(local.bucket_name)
                execution_input = {**execution_input, "export_manifest": manifest_url}
            name = new_execution_name("run")
            with _stopped_in_words(follower, name, out):
                state.save_stack_of(name)
                noted = _noted(local, execution_input, name=name)
                follower.say(f"Run {name}. If it is interrupted: {rerun_command(name, out)}")
                ended = _to_its_end(local, noted, follower.show, files)
                follower.executed(succeeded=ended.succeeded)
                if export is not None and not (ended.succeeded or export.is_unchanged):
                    follower.say(_changed(export))
                _leave(local, state, out, follower)
    return ended


def rerun(
    run_id: str | None,
    *,
    out: Path,
    parameters: Mapping[str, str],
    where: Where,
    follower: Follower,
    asked: Mapping[str, Any] = MappingProxyType({}),
) -> EndedExecution:
    """Resumes a run of `out`: a new execution, as one starts it from the console with the input
    ``{"run_id": run_id}`` and what is `asked` besides. A run that has no plan yet starts again, as
    it was begun. A run that is finished, and was interrupted before its results were in `out`, is
    exported, and nothing is executed.

    None is the one run that is not finished. Raises StateError if there is no state, it is damaged,
    or there is no such run, or another run has replaced its table, InputError if it cannot read
    with what is `asked`, and what `run` raises.
    """
    state = StateDirectory(out)
    bucket_name = state.stack().bucket_name
    if where.lambda_endpoint and bucket_name != CONTAINERS_BUCKET:
        raise StateError(
            f"the run's bucket is {bucket_name}, and functions in containers know "
            f"{CONTAINERS_BUCKET} alone: leave --lambda-endpoint out, or begin the run with it"
        )
    with state.locked():
        trips = state.trips()
        run_id = unfinished_run(out) if run_id is None else run_id
        began = state.first_execution(run_id)
        if state.has_manifest_of(run_id) and run_id not in manifests(out):
            return _exported(state, run_id, out, follower)
        if not state.has_source_of(run_id):
            raise StateError(
                f"run {run_id} cannot be resumed: a later run of {out} has replaced the trips that "
                "it read. Start a new run with `ops run`"
            )
        stack = state.stack_of(run_id)
        is_planned = state.bucket().read(plan_key(run_id)) is not None
        name = new_execution_name("rerun") if is_planned else run_id
        export = state.export_of(stack)
        if export is not None and "read_units_per_second" in asked:
            raise read_units_refused(run_id)
        if export is not None:
            trips = stack.empty_table
        else:
            follower.begin("Loading the table", trips=len(trips.items))
        with local_stack(
            trips,
            where=replace(where, page_bytes=stack.page_bytes),
            parameters={**stack.parameters, **parameters},
            on_loaded=follower.advance,
            state=state,
            table_id=stack.table_id,
        ) as local:
            _use_saved_bucket(local, state, where)
            files = _mounted(export, local, state)
            follower.say(
                f"Resuming run {run_id}."
                if is_planned
                else f"Run {run_id} has no plan yet: it starts again."
            )
            asked = {**asked, "run_id": run_id} if is_planned else {**began.input, **asked}
            with _stopped_in_words(follower, run_id, out):
                noted = _noted(local, asked, name=name)
                ended = _to_its_end(local, noted, follower.show, files)
                follower.executed(succeeded=ended.succeeded)
                if export is not None and not (ended.succeeded or export.is_unchanged):
                    follower.say(_changed(export))
                _leave(local, state, out, follower)
    return ended


def estimate(
    trips: Trips, *, parameters: Mapping[str, str], asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the estimate of a stack in an embedded AWS, over a table of these trips.

    Raises EmbeddedCloudError, TripFileError, or ResultsError where the estimate fails.
    """
    with local_stack(
        trips, where=Where(), parameters=parameters, on_loaded=lambda _: None
    ) as local:
        client = local.client("stepfunctions")
        return estimate_by_execution(client, local.state_machine_arn, asked)


def execute(local: LocalStack, execution_input: Mapping[str, Any], *, name: str) -> EndedExecution:
    """Executes the state machine under this name and waits for its end.

    If it fails, also for that of the functions that still run. In AWS, too, they are not stopped
    when an execution is: what they read, they append. Raises OSError where something of the run
    could not be stored.
    """
    return _to_its_end(local, _noted(local, execution_input, name=name), lambda _: None)


def _noted(local: LocalStack, execution_input: Mapping[str, Any], *, name: str) -> Execution:
    """Records an execution that is about to start in the run's state: from then on it can be
    resumed."""
    run_id = execution_input.get("run_id", name)
    noted = Execution(run_id=run_id, name=name, input=execution_input)
    if local.state is not None:
        local.state.note(noted)
    return noted


def _to_its_end(
    local: LocalStack,
    noted: Execution,
    on_progress: Callable[[Progress], None],
    mounted: Mapping[str, Path] = MappingProxyType({}),
) -> EndedExecution:
    """Executes as `execute` does; `on_progress` receives the progress. Errors have the paths of
    files that are `mounted`, in place of these URLs."""
    local.pages.begin(noted.run_id)
    execution = RunningExecution.start(local, noted.input, name=noted.name)

    def check_and_tell(progress: Progress) -> None:
        interruption.check()
        local.writes.check()
        on_progress(progress)

    execution.follow(check_and_tell, poll_seconds=_POLL_SECONDS)
    local.functions.wait_until_idle()
    local.writes.check()
    plan = execution.progress.plan
    of_table = plan is None or plan.source == SCAN
    ended = execution.ended(pages=local.pages.pages() if of_table else None)
    ended = _with_paths(ended, mounted)
    if local.state is not None:
        local.state.note(
            replace(
                noted,
                status=ended.status,
                error=ended.error,
                cause=ended.cause,
                failed_segments=ended.failed_segments,
            )
        )
    return ended


@contextmanager
def _stopped_in_words(follower: Follower, run_id: str, out: Path) -> Iterator[None]:
    """Adds the command that resumes the run to the errors and interruptions of the block. Raises
    StateError where a file could not be written."""
    resume = rerun_command(run_id, out)
    interruption.explain("")
    try:
        yield
        interruption.check()
    except KeyboardInterrupt:
        follower.end()
        follower.say(
            "\nInterrupted. What the run's segments have appended is kept. To resume the run:\n"
            f"  {resume}"
        )
        interruption.is_said()
        raise
    except OSError as error:
        follower.end()
        advice = "what the run's segments have appended is kept. Free space or make it writable, "
        advice += f"then resume the run:\n  {resume}"
        raise cannot_write(out, error, advice) from error


def _mounted(
    export: ExportOnDisk | None, local: LocalStack, state: StateDirectory
) -> Mapping[str, Path]:
    """Makes the export's files visible to the functions, in the bucket; returns them by their
    URLs. Raises TripFileError if they have changed since the export was found."""
    if export is None:
        return {}
    manifest_directory = state.export_path(export.table_id)
    try:
        files = export.objects(manifest_directory)
    except OSError as error:
        raise cannot_write(manifest_directory, error, FREE_SPACE) from error
    local.cloud.mount(local.bucket_name, files)
    if not export.is_unchanged:
        raise TripFileError(
            f"the files of the export {export.path} have changed since they were found: start "
            "again when nothing changes them any more"
        )
    return {f"s3://{local.bucket_name}/{key}": file for key, file in files.items()}


def _changed(export: ExportOnDisk) -> str:
    return (
        f"The files of the export {export.path} have changed since the run began; "
        f"{export.newest_or_missing}. The run can be resumed only if they are as they were, with "
        "the same times of modification (`cp -p`)."
    )


def _with_paths(ended: EndedExecution, files: Mapping[str, Path]) -> EndedExecution:
    """Replaces the URLs of files of this machine in the execution's errors by their paths."""

    longest_first = sorted(files.items(), key=lambda file: len(file[0]), reverse=True)

    def named(message: str) -> str:
        for url, path in longest_first:
            for written in (_in_json(url), url):
                message = message.replace(written, _in_json(path))
        return message

    return replace(
        ended,
        cause=ended.cause and named(ended.cause),
        failed_segments=ended.failed_segments
        and tuple(replace(one, cause=named(one.cause)) for one in ended.failed_segments),
    )


def _in_json(path: Path | str) -> str:
    """Escapes a text as in JSON, because a cause is JSON."""
    return json.dumps(str(path))[1:-1]


def _use_saved_bucket(local: LocalStack, state: StateDirectory, where: Where) -> None:
    """Puts the saved objects into the bucket. A merge in a container does not end with the process
    that was killed, so its lease stays."""
    if where.lambda_endpoint is None:
        state.drop_lease()
    local.use_saved_bucket()


def _in_bucket_of(
    earlier: SavedStack, parameters: Mapping[str, str], out: Path
) -> Mapping[str, str]:
    """Returns the parameter for the bucket of the earlier runs. Raises StateError if another is
    given."""
    asked = parameters.get("BucketName", earlier.bucket_name)
    if asked != earlier.bucket_name:
        raise StateError(
            f"the runs of {out} are in the bucket {earlier.bucket_name}, and BucketName is "
            f"{asked}: name another directory with --out, or replace the earlier runs with --fresh"
        )
    return {"BucketName": earlier.bucket_name}


def _another_key(earlier: SavedStack, trips: Trips) -> str:
    was, now = (", ".join(one.key_attributes) for one in (earlier, trips))
    return (
        f"The table's key was {was} in earlier runs, and is {now} now. If that is a mistake, press "
        "Ctrl-C and give the same --key and --sort-key."
    )


def _exported(state: StateDirectory, run_id: str, out: Path, follower: Follower) -> EndedExecution:
    """Exports a finished run; returns its last execution, with the data of the run's manifest."""
    with _stopped_in_words(follower, run_id, out):
        _export(state, out, follower)
    follower.say(
        f"Run {run_id} was finished, but its results were not in {out}. They were exported; "
        "nothing was executed."
    )
    last = [one for one in state.executions() if one.run_id == run_id][-1]
    return EndedExecution(
        name=last.name,
        run_id=run_id,
        input=last.input,
        status=SUCCEEDED,
        output=summary_of(manifests(out)[run_id].read_bytes()),
        pages=PagesRead(),
        progress=RunLog(state.bucket(), run_id).look(),
    )


def _export(state: StateDirectory, out: Path, follower: Follower) -> None:
    if foreign := mirror(state.bucket(), out):
        follower.say(ignored(f"the bucket {state.stack().bucket_name}", foreign))


def _leave(local: LocalStack, state: StateDirectory, out: Path, follower: Follower) -> None:
    _export(state, out, follower)
    if local.own_errors.exists():
        follower.say(
            "The embedded AWS had errors of its own, which may be why something failed; they are "
            f"in {local.own_errors}."
        )
    (out / "logs").mkdir(exist_ok=True)
    for log in sorted(local.log_directory.iterdir()):
        atomic_write(out / "logs" / log.name, log.read_bytes())
