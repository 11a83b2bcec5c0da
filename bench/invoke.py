"""One function's handler in this process: `python -m bench.invoke scan_segment '{"run_id": …}'`.

An answer that says that it is not finished has it called again, as the state machine does. Its
environment is the process's.
"""

import importlib
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.told import tell

_TIMEOUT_SECONDS = 900


@dataclass(frozen=True, slots=True)
class _Context:
    """What the handlers use of Lambda's context."""

    aws_request_id: str
    function_name: str
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "512"
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:measured"
    _deadline: float = field(default_factory=lambda: time.monotonic() + _TIMEOUT_SECONDS)

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def main(name: str, payload: str) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))
    handler = importlib.import_module(name).handler
    calls, finished = 0, False
    while not finished:
        calls += 1
        answer = handler(json.loads(payload), _Context(f"{name}-{calls}", name))
        finished = answer.get("finished", True)
    tell(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
