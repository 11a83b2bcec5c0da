"""The expected results of a run, and the errors with which it may fail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.faults.exports import Damage, Export
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
    "DynamoDb.ThrottlingException",
    "DynamoDb.InternalServerErrorException",
    "DynamoDb.SdkClientException",
}
"""What faults may fail a run with. Any other of the program's errors would send the operator after
something that is not there; any other name is none of the program's."""


class Read(Protocol):
    """The items that a run reads, in its segments."""

    def size(self, number: int, total: int) -> int:
        """Counts the items of a segment."""
        ...

    def place_after(self, number: int, total: int, cursor: Mapping[str, Any] | None, /) -> int:
        """Counts the items of the segment up to this cursor."""
        ...


@dataclass(slots=True, kw_only=True)
class Run:
    """A run, and its expected results."""

    run_id: str
    table: Table
    """of a run that reads an export: as it is later"""
    as_planned: Table = field(init=False)
    """as it is when the run begins, or when the export was made"""
    truth: Truth
    reads_export: bool = False
    asked: dict[str, Any] = field(default_factory=dict)
    """the input of its first execution"""
    export: Export | None = None
    """the one that it must read, once it is begun"""
    exports_begun: dict[str, Export] = field(default_factory=dict)
    """by the tokens of the requests"""
    may_fail_with: set[str] = field(default_factory=set)
    """because of what somebody has done to its export"""
    damage: Damage | None = None
    """that the export has which the run makes"""
    must_fail: bool = False
    """somebody has done that before it has read anything"""
    is_finished: bool = False
    is_recreated: bool = False
    """its table was deleted and created again after its plan: it must not finish"""
    merge_began: bool = False
    pages: int = 0
    """scanned, as often as that was"""
    pages_in_chain: int = 0

    def __post_init__(self) -> None:
        self.as_planned = self.table

    @property
    def read(self) -> Read:
        return self.table if self.export is None else self.export

    @property
    def objects(self) -> dict[str, bytes]:
        return self.truth.objects()
