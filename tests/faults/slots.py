"""Worker processes that can be distinguished by their requests, and killed one by one."""

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from queue import LifoQueue

from ops.embedded.lambda_invocation import Invocation, InvocationOutcome
from ops.embedded.lambda_processes import WorkerProcesses

_SLOTS = 8
_ROOT = Path(__file__).parents[2]


class Slots:
    """An Invoker of slots, each serving one invocation at a time in a process of its own."""

    def __init__(
        self,
        *,
        endpoint_url: str,
        log_directory: Path,
        role_credentials: Callable[[str], Mapping[str, str]],
    ) -> None:
        self._slots = {
            f"slot-{number}": WorkerProcesses(
                endpoint_url=endpoint_url,
                log_directory=log_directory,
                role_credentials=role_credentials,
                # Goes out with every request, in X-Amz-Security-Token.
                environment={"AWS_SESSION_TOKEN": f"slot-{number}", "PYTHONPATH": str(_ROOT)},
            )
            for number in range(_SLOTS)
        }
        self._free: LifoQueue[str] = LifoQueue()
        self._serving: dict[str, Invocation] = {}
        for name in self._slots:
            self._free.put(name)

    def invoke(self, invocation: Invocation) -> InvocationOutcome:
        name = self._free.get()
        self._serving[name] = invocation
        try:
            return self._slots[name].invoke(invocation)
        finally:
            del self._serving[name]
            self._free.put(name)

    def close(self) -> None:
        for slot in self._slots.values():
            slot.close()

    def invocation_of(self, name: str) -> Invocation | None:
        """Returns what the slot is doing; None if it is idle."""
        return self._serving.get(name)

    def kill(self, name: str) -> None:
        """Ends the slot's process with SIGKILL, during its work."""
        for process_id in self._slots[name].process_ids():
            with suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGKILL)
