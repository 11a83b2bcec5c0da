"""What a run must come to, and what it may fail with on the way."""

from dataclasses import dataclass

from tests.faults.table import Table
from tests.faults.trips import Truth

NAMED_ERRORS = {
    "TransientError",
    "NoProgressError",
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "Lambda.Unknown",
    "Lambda.TooManyRequestsException",
}
"""What faults may fail a run with. Any other of the program's errors would send the operator after
something that is not there; any other name is none of the program's."""


@dataclass(slots=True, kw_only=True)
class Run:
    """A run, and what it must come to."""

    run_id: str
    table: Table
    truth: Truth
    is_finished: bool = False
    is_recreated: bool = False
    """its table was deleted and created again after its plan: it must not finish"""
    merge_began: bool = False
    pages: int = 0
    """scanned, as often as that was"""
    pages_in_chain: int = 0

    @property
    def objects(self) -> dict[str, bytes]:
        return self.truth.objects()
