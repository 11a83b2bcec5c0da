"""One run in the embedded cloud, from trips to KPIs, or from where an earlier process left it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from ops import interruption
from ops.atomic_write import atomic_write
from ops.local.bucket_tree import mirror
from ops.local.local_stack import LocalStack, Where, continued_stack, local_stack
from ops.local.names import CONTAINERS_BUCKET
from ops.local.out_directory import cannot_write
from ops.local.parameters import fit_parameters
from ops.local.state_directory import StateDirectory, StateError
from ops.local.trip_files import Trips
from ops.runs.estimate import estimate_by_execution
from ops.runs.execution import EndedExecution, Execution, new_execution_name
from ops.runs.layout import ignored
from ops.runs.next_steps import rerun_command
from ops.runs.run_log import Progress
from ops.runs.running_execution import RunningExecution
from ops.runs.storage import Bucket
from trip_kpis.core.layout import plan_key

_POLL_SECONDS = 0.1


class Follower(Protocol):
    """Shows the progress of one stage after another."""

    def say(self, line: str) -> None: ...

    def begin(self, stage: str, *, trips: int) -> None:
        """A stage that goes through so many trips."""
        ...

    def advance(self, trips: int) -> None:
        """So many more trips of the stage are through."""
        ...

    def show(self, run: Progress) -> None:
        """The progress of the run's scanning."""
        ...

    def executed(self, *, succeeded: bool) -> None:
        """The execution has ended."""
        ...

    def end(self) -> None:
        """Nothing is shown any more, except for lines."""
        ...


def run(
    trips: Trips,
    *,
    out: Path,
    execution_input: Mapping[str, Any],
    parameters: Mapping[str, str],
    where: Where,
    follower: Follower,
) -> EndedExecution:
    """Runs the state machine over `trips` and leaves in `out` what the bucket then holds, and in
    its `state` what `rerun` needs, from before the execution starts.

    Raises SettingError, EmbeddedCloudError, TripFileError or StateError for what keeps it from
    running, the parameters before anything in `out` is replaced. A run that fails raises nothing.
    """
    fitted = fit_parameters(parameters, trips)
    for remark in (*trips.remarks, *fitted.remarks):
        follower.say(remark)
    follower.begin("Loading the table", trips=len(trips.items))
    with local_stack(
        trips,
        where=where,
        parameters=fitted.parameters,
        on_loaded=follower.advance,
        state=StateDirectory(out),
    ) as local:
        name = new_execution_name("run")
        with _stopped_in_words(follower, name, out):
            noted = _noted(local, execution_input, name=name)
            follower.say(f"Run {name}. If it is interrupted: {rerun_command(name, out)}")
            ended = _to_its_end(local, noted, follower.show)
            follower.executed(succeeded=ended.succeeded)
            _leave(local, out, follower)
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
    ``{"run_id": run_id}`` and what is `asked` besides. A run that has no plan yet is begun anew, as
    it was begun.

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
    follower.begin("Loading the table", trips=trips)
    with continued_stack(
        state,
        where=where,
        parameters=parameters,
        on_loaded=follower.advance,
    ) as local:
        follower.say(
            f"Going on with run {run_id}."
            if is_planned
            else f"Run {run_id} has no plan yet: it begins anew."
        )
        asked = {**asked, "run_id": run_id} if is_planned else {**began.input, **asked}
        with _stopped_in_words(follower, run_id, out):
            noted = _noted(local, asked, name=name)
            ended = _to_its_end(local, noted, follower.show)
            follower.executed(succeeded=ended.succeeded)
            _leave(local, out, follower)
    return ended


def estimate(
    trips: Trips, *, parameters: Mapping[str, str], asked: Mapping[str, Any]
) -> dict[str, Any]:
    """That of a stack in an embedded AWS, over a table of these trips.

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
    """An execution that is about to start, in the run's state: from here on it can be resumed."""
    run_id = execution_input.get("run_id", name)
    noted = Execution(run_id=run_id, name=name, input=execution_input)
    if local.state is not None:
        local.state.note(noted)
    return noted


def _to_its_end(
    local: LocalStack, noted: Execution, on_progress: Callable[[Progress], None]
) -> EndedExecution:
    """As `execute`; `on_progress` receives the progress."""
    local.pages.begin(noted.run_id)
    execution = RunningExecution.start(local, noted.input, name=noted.name)

    def check_and_tell(progress: Progress) -> None:
        interruption.check()
        local.writes.check()
        on_progress(progress)

    execution.follow(check_and_tell, poll_seconds=_POLL_SECONDS)
    local.functions.wait_until_idle()
    local.writes.check()
    ended = execution.ended(pages=local.pages.pages())
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
    """Around all that a run does once it has an id. Raises StateError where a file could not be
    written."""
    resume = rerun_command(run_id, out)
    interruption.explain("")
    try:
        yield
        interruption.check()
    except KeyboardInterrupt:
        follower.end()
        follower.say(
            "\nInterrupted. What the run's segments have appended is kept; to resume the run:\n"
            f"  {resume}"
        )
        interruption.is_said()
        raise
    except OSError as error:
        follower.end()
        advice = "what the run's segments have appended is kept. Free space or make it writable, "
        advice += f"then resume the run:\n  {resume}"
        raise cannot_write(out, error, advice) from error


def _leave(local: LocalStack, out: Path, follower: Follower) -> None:
    foreign = mirror(Bucket(local.client("s3"), local.bucket_name, may_be_absent=True), out)
    if foreign:
        follower.say(ignored(f"the bucket {local.stack.bucket_name}", foreign))
    if local.own_errors.exists():
        follower.say(
            "The embedded AWS had errors of its own, which may be why something failed; they are "
            f"in {local.own_errors}."
        )
    (out / "logs").mkdir(exist_ok=True)
    for log in sorted(local.log_directory.iterdir()):
        atomic_write(out / "logs" / log.name, log.read_bytes())
