"""A worker process: started for a function, invoked, and ended with all processes that it
started."""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from ops.embedded import lambda_worker
from ops.embedded.isolation import ACCOUNT_ID, REGION
from ops.embedded.lambda_invocation import Invocation
from ops.embedded.stack import DeployedFunction

# In Lambda 10 s. Here many workers may import their handlers at once, on few processors.
_INIT_SECONDS = 60
_EXIT_SECONDS = 5


class WorkerProcess:
    """One process of one function. `end` may be called from any thread, and more than once."""

    def __init__(
        self, function: DeployedFunction, environment: dict[str, str], log_directory: Path
    ) -> None:
        self.function = function
        self.is_reusable = True
        self.max_memory_mb = 0
        log_directory.mkdir(parents=True, exist_ok=True)
        self._log_path = log_directory / f"{function.logical_id}.log"
        self._connection, theirs = socket.socketpair()
        with theirs, self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                # -P: the directory of this program is no place where a handler's imports are looked
                # for.
                [sys.executable, "-P", "-X", "utf8", lambda_worker.__file__, str(theirs.fileno())],
                env=environment,
                cwd=function.code_path,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                # Ctrl-C is for the operator's program, which ends its workers; and a group can be
                # ended whole.
                start_new_session=True,
            )
        self.process_id = self._process.pid
        self._ending = threading.Lock()
        self._has_ended = False

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait_until_ready(self) -> None:
        """Waits until the handler is imported, or its import has failed: `serve` says which."""
        self._connection.settimeout(_INIT_SECONDS)
        try:
            ready = lambda_worker.receive(self._connection)
        except OSError:
            ready = None
        self.is_reusable = bool(ready and ready["ready"])

    def serve(self, invocation: Invocation) -> tuple[bytes, bool]:
        """Returns the response's payload and whether it is an error.

        Raises TimeoutError at the function's time limit, another OSError or EOFError if the process
        is gone.
        """
        limit = invocation.function.timeout_seconds
        self._connection.settimeout(limit)
        request = {
            "payload": invocation.payload.decode(),
            "request_id": invocation.request_id,
            "deadline_ms": int((time.time() + limit) * 1000),
            "arn": f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{self.function.name}",
        }
        lambda_worker.send(self._connection, request)
        response = lambda_worker.receive(self._connection)
        if response is None:
            raise EOFError
        self.max_memory_mb = math.ceil(response["max_memory_kb"] / 1024)
        return response["payload"].encode(), response["failed"]

    def end(self, *, kill: bool = True) -> str:
        """Ends the process and all processes that it started; returns how it ended, in Lambda's
        words.

        Without `kill` it is one that has closed its connection, and so is about to be gone by
        itself.
        """
        self.is_reusable = False
        with self._ending:
            if not self._has_ended:
                if not kill:
                    with suppress(subprocess.TimeoutExpired):
                        self._process.wait(timeout=_EXIT_SECONDS)
                # The group also when its leader is gone: a handler may have left processes behind.
                with suppress(ProcessLookupError):
                    os.killpg(self.process_id, signal.SIGKILL)
                self._process.wait()
                self._connection.close()
                self._has_ended = True
        code = self._process.returncode
        if code == 0:
            return "without providing a reason"
        if code > 0:
            return f"with error: exit status {code}"
        return f"with error: signal: {(signal.strsignal(-code) or str(-code)).lower()}"

    def log(self, line: str) -> None:
        """Writes a line of Lambda's own to the log. If the disk is full, the line is lost and the
        invocation continues."""
        with suppress(OSError), self._log_path.open("ab", buffering=0) as log:
            log.write(f"{line}\n".encode())

    def report(self, invocation: Invocation, duration_ms: float, init_ms: float) -> bytes:
        """Writes Lambda's last lines of an invocation to the log, and returns them."""
        request_id = invocation.request_id
        init = f"\tInit Duration: {init_ms:.2f} ms" if init_ms else ""
        lines = (
            f"END RequestId: {request_id}\n"
            f"REPORT RequestId: {request_id}\tDuration: {duration_ms:.2f} ms\t"
            f"Billed Duration: {math.ceil(duration_ms + init_ms)} ms\t"
            f"Memory Size: {self.function.memory_mb} MB\t"
            f"Max Memory Used: {self.max_memory_mb} MB{init}"
        )
        self.log(lines)
        return lines.encode()
