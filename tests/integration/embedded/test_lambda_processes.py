"""A function runs here as in Lambda, and fails as in Lambda."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ops.embedded.lambda_invocation import Invocation, InvocationOutcome
from ops.embedded.lambda_processes import RESPONSE_LIMIT_BYTES, WorkerProcesses
from ops.embedded.lambda_service import FinishedInvocation, FunctionCounts, LambdaService
from tests.integration.embedded.stand_in_cloud import StandIn

PROJECT = Path(__file__).parents[3]


class WithLimits:
    """An Invoker that gives an invocation the time limit that its payload names, if it does."""

    def __init__(self, workers: WorkerProcesses) -> None:
        self._workers = workers

    def invoke(self, invocation: Invocation) -> InvocationOutcome:
        function = invocation.function
        limit = json.loads(invocation.payload).get("limit", function.timeout_seconds)
        changed = replace(function, timeout_seconds=limit)
        return self._workers.invoke(replace(invocation, function=changed))

    def close(self) -> None:
        self._workers.close()


class Functions:
    """The stand-in's functions, behind the service."""

    def __init__(self, stand_in: StandIn, logs: Path) -> None:
        self.stand_in = stand_in
        self.logs = logs
        self.finished: list[FinishedInvocation] = []
        self.workers = WorkerProcesses(
            endpoint_url=stand_in.cloud.endpoint_url,
            log_directory=logs,
            environment={"ADDED": "yes"},
        )
        self.service = LambdaService(
            stand_in.cloud,
            stand_in.stack,
            WithLimits(self.workers),
            on_invocation=self.finished.append,
        )

    def invoke(self, do: str, **event: Any) -> Any:
        payload = json.dumps({"do": do, **event}).encode()
        name = self.stand_in.stack.functions["WorkFunction"].name
        response, _, _ = self.service.invoke(name, payload)
        return json.loads(response)

    def log(self) -> str:
        return (self.logs / "WorkFunction.log").read_text()


@pytest.fixture
def functions(stand_in: StandIn, tmp_path: Path) -> Iterator[Functions]:
    functions = Functions(stand_in, tmp_path / "logs")
    with functions.service:
        yield functions


def is_up(process_id: int) -> bool:
    """Neither gone nor waiting to be reaped: its first thread may be dead before the others."""
    try:
        stats = [task.read_text() for task in Path(f"/proc/{process_id}/task").glob("*/stat")]
    except (FileNotFoundError, ProcessLookupError):
        # A thread went away while we looked, and others may be there: look again.
        return is_up(process_id)
    return len(stats) > 1 or any(stat.rsplit(")", 1)[1].split()[0] != "Z" for stat in stats)


def test_its_environment_is_the_templates_and_lambdas_and_nothing_else(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USERS_OWN", "secret")
    function = functions.stand_in.stack.functions["WorkFunction"]

    found = functions.invoke("look_around")
    environment = found["environment"]

    assert "USERS_OWN" not in environment
    assert "HOME" not in environment
    assert environment.items() >= dict(function.environment).items()
    assert environment["ADDED"] == "yes"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == function.name
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "us-east-1"
    assert environment["AWS_ENDPOINT_URL"] == functions.stand_in.cloud.endpoint_url
    assert environment["TZ"] == ":UTC"
    assert environment["LAMBDA_TASK_ROOT"] == str(function.code_path)
    assert found["directory"] == found["first_on_path"] == str(function.code_path)
    assert found["main_thread"]


def test_its_context_is_lambdas(functions: Functions) -> None:
    function = functions.stand_in.stack.functions["WorkFunction"]
    context = functions.invoke("show_context")
    assert context["function_name"] == function.name
    assert context["function_version"] == "$LATEST"
    assert context["invoked_function_arn"].endswith(f":123456789012:function:{function.name}")
    assert context["memory_limit_in_mb"] == "256"
    assert context["aws_request_id"] == functions.finished[0].request_id
    assert context["log_group_name"] == f"/aws/lambda/{function.name}"
    assert re.match(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$", context["log_stream_name"])
    assert 0 < context["remaining_ms"] <= 120_000


def test_an_idle_worker_is_used_again(functions: Functions) -> None:
    first, second = functions.invoke("look_around"), functions.invoke("look_around")
    assert first["pid"] == second["pid"]
    assert second["calls"] == 2


def test_a_busy_worker_is_not(functions: Functions) -> None:
    together = [
        threading.Thread(target=functions.invoke, args=("hang",), kwargs={"limit": 0.5})
        for _ in range(3)
    ]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    # Each ran into a time limit of its own, in a process of its own.
    pattern = r"REPORT RequestId: (\S+).*Init Duration"
    assert len(set(re.findall(pattern, functions.log()))) == 3


def test_an_exception_is_reported_by_its_class_name(functions: Functions) -> None:
    error = functions.invoke("refuse")
    assert error["errorType"] == "PermanentError"
    assert error["errorMessage"] == "no such thing as \u00fc"
    assert error["requestId"] == functions.finished[0].request_id
    assert "in refuse" in error["stackTrace"][-1]
    assert not any("lambda_worker" in frame for frame in error["stackTrace"])
    assert "[ERROR] PermanentError: no such thing as \u00fc" in functions.log()
    # It has failed, and is fit to be used again.
    assert functions.invoke("look_around")["calls"] == 2


def test_the_time_limit_is_enforced_on_all_that_the_handler_started(functions: Functions) -> None:
    before = functions.invoke("look_around")
    error = functions.invoke("hang", limit=0.25)
    request_id = functions.finished[1].request_id
    assert error == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after 0.25 seconds",
    }
    after = functions.invoke("look_around")
    assert after["pid"] != before["pid"]
    assert not is_up(before["pid"])
    assert group_members(before["pid"]) == []


def group_members(group: int) -> list[int]:
    found = subprocess.run(["pgrep", "-g", str(group)], capture_output=True, text=True, check=False)
    return [pid for pid in map(int, found.stdout.split()) if is_up(pid)]


@pytest.mark.parametrize(
    ("status", "reason"), [(0, "without providing a reason"), (3, "with error: exit status 3")]
)
def test_a_handler_that_exits_is_a_runtime_that_exited(
    functions: Functions, status: int, reason: str
) -> None:
    error = functions.invoke("exit_with_status", status=status)
    request_id = functions.finished[0].request_id
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"] == f"RequestId: {request_id} Error: Runtime exited {reason}"


def test_a_killed_process_is_a_runtime_that_exited(functions: Functions) -> None:
    error = functions.invoke("crash", signal=int(signal.SIGKILL))
    assert error["errorType"] == "Runtime.ExitError"
    assert error["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert functions.invoke("look_around")["calls"] == 1


def test_an_idle_worker_that_has_died_is_replaced(functions: Functions) -> None:
    worker = functions.invoke("look_around")["pid"]
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: not is_up(worker))
    assert "pid" in functions.invoke("look_around")


def invoked_alone(stand_in: StandIn, logs: Path, **changes: Any) -> tuple[Any, str | None]:
    """The answer of WorkFunction with something else about it."""
    function = replace(stand_in.stack.functions["WorkFunction"], **changes)
    stack = replace(stand_in.stack, functions={"WorkFunction": function})
    workers = WorkerProcesses(endpoint_url=stand_in.cloud.endpoint_url, log_directory=logs)
    with LambdaService(stand_in.cloud, stack, workers) as service:
        response, function_error, _ = service.invoke(function.name, b"{}")
    return json.loads(response), function_error


@pytest.mark.parametrize(
    ("module", "error_type", "message"),
    [
        ("def handler(", "Runtime.UserCodeSyntaxError", "Syntax error in module 'broken': "),
        ("import lost", "Runtime.ImportModuleError", "Unable to import module 'broken': No module"),
        ("1 / 0", "ZeroDivisionError", "division by zero"),
        ("raise SystemExit(4)", "Runtime.ExitError", "RequestId: "),
    ],
)
def test_a_module_that_cannot_be_imported(
    stand_in: StandIn, tmp_path: Path, module: str, error_type: str, message: str
) -> None:
    (tmp_path / "broken.py").write_text(module)
    error, function_error = invoked_alone(
        stand_in, tmp_path / "logs", handler="broken.handler", code_path=tmp_path
    )
    assert function_error == "Unhandled"
    assert error["errorType"] == error_type
    assert error["errorMessage"].startswith(message)


@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    [
        ("lost.handler", "Runtime.ImportModuleError", "Unable to import module 'lost': No module"),
        ("work.lost", "Runtime.HandlerNotFound", "Handler 'lost' missing on module 'work'"),
        ("work", "Runtime.MalformedHandlerName", "Bad handler 'work': not enough values"),
    ],
)
def test_a_handler_that_cannot_be_had(
    stand_in: StandIn, tmp_path: Path, handler: str, error_type: str, message: str
) -> None:
    error, function_error = invoked_alone(stand_in, tmp_path, handler=handler)
    assert function_error == "Unhandled"
    assert error["errorType"] == error_type
    assert error["errorMessage"].startswith(message)


def test_a_result_that_is_not_json(functions: Functions) -> None:
    error = functions.invoke("answer_with_a_date")
    assert error["errorType"] == "Runtime.MarshalError"
    assert error["errorMessage"] == (
        "Unable to marshal response: Object of type date is not JSON serializable"
    )


def test_a_decimal_keeps_its_digits(functions: Functions) -> None:
    functions.invoke("answer_with_decimals")
    payload = functions.finished[0].outcome.payload
    assert payload == b'{"total": 274393.88255724832189, "count": 10}'


def test_a_response_over_the_limit(functions: Functions) -> None:
    error = functions.invoke("answer_at_length", length=RESPONSE_LIMIT_BYTES)
    assert error["errorType"] == "Function.ResponseSizeTooLarge"
    fits = functions.invoke("answer_at_length", length=RESPONSE_LIMIT_BYTES - 2)
    assert len(fits) == RESPONSE_LIMIT_BYTES - 2


def test_what_a_handler_prints_goes_to_its_log_and_nowhere_else(
    functions: Functions, capfd: pytest.CaptureFixture[str]
) -> None:
    assert functions.invoke("talk") == {"said": True}
    assert functions.invoke("talk") == {"said": True}
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")
    log = functions.log()
    for said in ("to standard output", "to standard error", "the descriptor", "from a child"):
        assert log.count(said) == 2
    request_id = functions.finished[0].request_id
    assert re.search(rf"\[WARNING\]\t\S+Z\t{request_id}\tto the log", log)
    assert f"START RequestId: {request_id} Version: $LATEST" in log
    assert f"END RequestId: {request_id}" in log
    report = rf"REPORT RequestId: {request_id}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms"
    assert re.search(rf"{report}\tMemory Size: 256 MB\tMax Memory Used: [1-9]\d* MB\tInit", log)


def test_invocations_are_counted_and_reported(functions: Functions) -> None:
    functions.invoke("echo", x=1)
    functions.invoke("refuse")
    counts = functions.service.counts()
    assert (counts["WorkFunction"].invocations, counts["WorkFunction"].errors) == (2, 1)
    assert counts["WorkFunction"].billed_ms == sum(
        reported.outcome.billed_ms for reported in functions.finished
    )
    assert counts["SpareFunction"] == FunctionCounts()
    first = functions.finished[0]
    assert first.logical_id == "WorkFunction"
    assert first.payload == first.response == {"do": "echo", "x": 1}


def test_at_most_so_many_are_busy_at_once(stand_in: StandIn, tmp_path: Path) -> None:
    workers = WorkerProcesses(
        endpoint_url=stand_in.cloud.endpoint_url, log_directory=tmp_path, at_once=1
    )
    with LambdaService(stand_in.cloud, stand_in.stack, workers):
        execution = stand_in.end(stand_in.start(list(range(8)), max_concurrency=8))
        assert execution["status"] == "SUCCEEDED"
        assert len(workers.process_ids()) == 1


def test_a_state_machine_sees_the_handlers_own_error(functions: Functions) -> None:
    stand_in = functions.stand_in
    client = stand_in.cloud.client("lambda")
    name = stand_in.stack.functions["WorkFunction"].name
    response = client.invoke(FunctionName=name, Payload=b'{"do": "refuse"}')
    assert response["FunctionError"] == "Unhandled"
    assert json.loads(response["Payload"].read())["errorType"] == "PermanentError"


def test_closing_ends_every_worker_in_the_middle_of_its_work(
    stand_in: StandIn, tmp_path: Path
) -> None:
    functions = Functions(stand_in, tmp_path)
    with functions.service:
        idle = functions.invoke("look_around")["pid"]
        thread = threading.Thread(target=functions.invoke, args=("hang",), daemon=True)
        thread.start()
        wait_until(lambda: "hanging" in functions.log())
        up = functions.workers.process_ids()
        assert idle in up
    thread.join(timeout=600)
    assert not any(is_up(pid) for pid in up)
    assert functions.workers.process_ids() == frozenset()


def test_workers_end_when_whoever_started_them_dies(tmp_path: Path) -> None:
    program = f"""
import sys, time
from pathlib import Path
sys.path[:0] = [{str(PROJECT)!r}, {str(Path(__file__).parent)!r}]
from tests.integration.embedded.stand_in_cloud import stand_in_cloud
from test_lambda_processes import Functions
with stand_in_cloud() as stand_in:
    functions = Functions(stand_in, Path({str(tmp_path)!r}))
    with functions.service:
        print(functions.invoke("look_around")["pid"], flush=True)
        time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent, parent.stdout as stdout:
        worker = int(stdout.readline())
        assert is_up(worker)
        parent.kill()
    wait_until(lambda: not is_up(worker))


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


def test_the_memory_that_is_reported_is_the_workers_own(functions: Functions) -> None:
    """Linux counts what its parent had when it started it as the peak of a program."""
    ballast = b"x" * (256 << 20)
    functions.invoke("finish")
    (finished,) = functions.finished
    assert len(ballast) >> 20 == 256
    assert 0 < finished.outcome.max_memory_mb < 128


def test_the_service_is_idle_once_the_last_invocation_has_ended(stand_in: StandIn) -> None:
    """Functions that run when their execution fails are not stopped, and can be waited for."""
    running, may_end = threading.Event(), threading.Event()

    class Patient:
        def invoke(self, invocation: Invocation) -> InvocationOutcome:
            running.set()
            assert may_end.wait(timeout=600)
            return InvocationOutcome(payload=b"{}", failed=False, duration_ms=0, billed_ms=0)

        def close(self) -> None: ...

    ended: list[str] = []
    name = stand_in.stack.functions["WorkFunction"].name
    with LambdaService(stand_in.cloud, stand_in.stack, Patient()) as service:
        service.wait_until_idle()

        def invoke() -> None:
            service.invoke(name, b"{}")
            ended.append("invocation")

        def wait() -> None:
            service.wait_until_idle()
            ended.append("wait")

        invocation, waiting = threading.Thread(target=invoke), threading.Thread(target=wait)
        invocation.start()
        assert running.wait(timeout=600)
        waiting.start()
        waiting.join(timeout=0.2)
        assert waiting.is_alive()
        may_end.set()
        waiting.join(timeout=600)
        invocation.join(timeout=600)
    assert sorted(ended) == ["invocation", "wait"]
