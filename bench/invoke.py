"""One function's handler in this process: `python -m bench.invoke scan_segment '{"run_id": …}'`.

An answer that says that it is not finished has it called again, as the state machine does. Its
environment is the process's; what its package lacks is not there for it.
"""

import importlib
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.result_line import tell

_TIMEOUT_SECONDS = 900
_NOT_PACKAGED = (
    "awscrt",
    "cryptography",
    "OpenSSL",
    "pyarrow._azurefs",
    "pyarrow._gcsfs",
    "pyarrow._hdfs",
    "pyarrow._s3fs",
    "pyarrow.dataset",
)
"""What botocore and pyarrow import where it is installed, and no function's package has
(functions/packaging)."""
_NOT_PACKAGED_WITH = {"scan_segment": ("numpy", "pandas")}
"""The same, of a function."""


@dataclass(frozen=True, slots=True)
class _Context:
    """The attributes of Lambda's context that the handlers use."""

    aws_request_id: str
    function_name: str
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "512"
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:measured"
    _deadline: float = field(default_factory=lambda: time.monotonic() + _TIMEOUT_SECONDS)

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


@dataclass(frozen=True, slots=True)
class _Hidden:
    """A finder, the first one, that hides some modules."""

    modules: tuple[str, ...]

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in self.modules:
            raise ModuleNotFoundError(f"{name} is not in the function's package", name=name)


def main(name: str, payload: str) -> None:
    sys.meta_path.insert(0, _Hidden((*_NOT_PACKAGED, *_NOT_PACKAGED_WITH.get(name, ()))))
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
