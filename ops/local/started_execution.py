"""An execution in the embedded AWS, as the state of its run remembers it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.runs.failed_children import FailedChild


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedExecution:
    """One that was started, and what became of it."""

    run_id: str
    name: str
    input: Mapping[str, Any]
    status: str = ""
    """as Step Functions names it; empty where nobody was there to see its end"""
    error: str = ""
    cause: str = ""
    failed: tuple[FailedChild, ...] = ()
