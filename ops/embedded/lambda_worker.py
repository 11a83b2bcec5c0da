"""One execution environment of a function, as a program: for a handler, it is what AWS Lambda's
Python runtime is.

Started by `lambda_process`, with a socket as its only argument (a file descriptor) and its
environment as in Lambda. It imports the handler, says that it is ready, and then answers one
request after another, until the socket closes: then, or when whoever started it dies, it ends at
once. Standard output and error are the function's log. It knows nothing of the embedded cloud, and
imports nothing but the standard library.

Every message is one JSON document after its length in 4 bytes. From the worker: `{"ready": true}`
first, and then for each request `{"payload": <JSON text>, "failed": <bool>, "max_memory_kb":
<int>}`. To it: `{"payload": <JSON text>, "request_id", "deadline_ms", "arn"}`.
"""

from __future__ import annotations

import decimal
import importlib
import json
import logging
import os
import queue
import re
import resource
import socket
import struct
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from typing import Any

_request_id = ""


class LambdaContext:
    """The second argument of a handler.

    https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
    """

    def __init__(self, *, request_id: str, arn: str, deadline_ms: int) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None
        self._deadline_ms = deadline_ms

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self._deadline_ms - int(time.time() * 1000))


class Fault(Exception):  # noqa: N818 - Lambda's word for what is reported under a name of the runtime's own
    """An error that Lambda reports as an error of the runtime, not of the handler."""

    def __init__(self, error_type: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.trace = trace or []


def load_handler(handler: str) -> Callable[[Any, Any], Any]:
    """Returns the function that `module.function` names; raises Fault, or the error of the module's
    import."""
    module_name, dot, function_name = handler.rpartition(".")
    if not dot:
        message = f"Bad handler '{handler}': not enough values to unpack (expected 2, got 1)"
        raise Fault("Runtime.MalformedHandlerName", message)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise Fault("Runtime.ImportModuleError", message) from error
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        message = f"Syntax error in module '{module_name}': {error}"
        raise Fault("Runtime.UserCodeSyntaxError", message, trace) from error
    try:
        found: Callable[[Any, Any], Any] = getattr(module, function_name)
    except AttributeError as error:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise Fault("Runtime.HandlerNotFound", message) from error
    return found


def answer(handler: Callable[[Any, Any], Any], request: dict[str, Any]) -> tuple[str, bool]:
    """Returns the response's payload, and whether it is an error. Only what ends the process comes
    out as exception."""
    try:
        context = LambdaContext(
            request_id=request["request_id"], arn=request["arn"], deadline_ms=request["deadline_ms"]
        )
        try:
            event = json.loads(request["payload"])
        except ValueError as error:
            message = f"Unable to unmarshal input: {error}"
            raise Fault("Runtime.UnmarshalError", message) from error
        return _marshalled(handler(event, context)), False
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is its answer
        return report(error, request["request_id"]), True


def _marshalled(response: Any) -> str:
    """Returns a value as JSON; a Decimal becomes a number with all its digits, as in Lambda's
    runtime."""
    numbers: list[str] = []
    mark = f"decimal-{uuid.uuid4().hex}-"

    def placeholder(value: Any) -> Any:
        if not isinstance(value, decimal.Decimal):
            raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
        numbers.append("NaN" if value.is_nan() else str(value))
        return f"{mark}{len(numbers) - 1}"

    try:
        text = json.dumps(response, default=placeholder)
    except Exception as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error
    return re.sub(f'"{mark}(\\d+)"', lambda found: numbers[int(found[1])], text)


def report(error: BaseException, request_id: str) -> str:
    """Returns the error as Lambda puts it into a response's payload; also writes it to the log."""
    if isinstance(error, Fault):
        error_type, trace = error.error_type, error.trace
    else:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename != __file__]
        error_type, trace = type(error).__name__, traceback.format_list(own)
    print(f"[ERROR] {error_type}: {error}\nTraceback (most recent call last):\n{''.join(trace)}")
    return json.dumps(
        {
            "errorMessage": str(error),
            "errorType": error_type,
            "requestId": request_id,
            "stackTrace": trace,
        }
    )


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """Returns the next message, or None after the other side has closed."""
    header = _exactly(connection, 4)
    body = _exactly(connection, struct.unpack(">I", header)[0]) if header else None
    return json.loads(body) if body else None


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    body = json.dumps(message).encode()
    connection.sendall(struct.pack(">I", len(body)) + body)


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(min(size - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)


def _listen(connection: socket.socket, requests: queue.SimpleQueue[dict[str, Any]]) -> None:
    try:
        while (request := receive(connection)) is not None:
            requests.put(request)
    finally:
        # Whoever started this worker has closed it or died: nobody waits for what it is doing.
        os._exit(0)


def _set_up_logging() -> None:
    class WithRequestId(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            record.aws_request_id = _request_id
            return True

    to_log = logging.StreamHandler(sys.stdout)
    to_log.addFilter(WithRequestId())
    form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    to_log.setFormatter(logging.Formatter(form, "%Y-%m-%dT%H:%M:%S"))
    logging.Formatter.converter = time.gmtime
    logging.getLogger().addHandler(to_log)


def _max_memory_kb() -> int:
    """Returns the peak memory of this program. On Linux, `getrusage` begins with the memory of the
    process that started it (man 2 execve, man 5 proc)."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - quick to import
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


def main(connection: socket.socket) -> None:
    global _request_id
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.stderr.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    _set_up_logging()
    handler: Callable[[Any, Any], Any] | None = None
    init_error: BaseException | None = None
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as error:  # noqa: BLE001 - whatever the module raises is the answer to the first request
        init_error = error
    send(connection, {"ready": init_error is None})

    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, requests), daemon=True).start()
    while True:
        request = requests.get()
        _request_id = request["request_id"]
        if handler is None:
            assert init_error is not None
            payload, failed = report(init_error, ""), True
        else:
            payload, failed = answer(handler, request)
        sys.stdout.flush()
        sys.stderr.flush()
        send(
            connection,
            {"payload": payload, "failed": failed, "max_memory_kb": _max_memory_kb()},
        )


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
