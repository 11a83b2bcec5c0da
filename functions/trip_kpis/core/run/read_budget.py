"""The current read budget of a run, and the workers that share it.

Neither decides a figure, so a run that is resumed may change them; its plan stays as it is.
"""

import json
from dataclasses import asdict, dataclass
from typing import Annotated, Self

import msgspec

from trip_kpis.core.errors import PlanMismatchError
from trip_kpis.core.settings import MOST_CONCURRENCY, MOST_READ_UNITS


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBudget:
    """``staging/run=<run_id>/read-budget-<00001>.json``: the last one counts; without one, the
    plan's budget counts."""

    read_units_per_second: Annotated[int, msgspec.Meta(ge=0, le=MOST_READ_UNITS)]
    """budget of the whole run; 0: unlimited"""
    max_concurrency: Annotated[int, msgspec.Meta(ge=1, le=MOST_CONCURRENCY)]
    """workers at the same time"""

    def share(self, total_segments: int) -> float:
        """Returns an equal share for each of the workers that can run at the same time; 0:
        unlimited."""
        return self.read_units_per_second / min(self.max_concurrency, total_segments)

    def to_bytes(self) -> bytes:
        return (json.dumps(asdict(self)) + "\n").encode()

    @classmethod
    def from_bytes(cls, body: bytes, *, url: str) -> Self:
        """Inverts `to_bytes`. Raises PlanMismatchError for anything else."""
        try:
            return msgspec.json.decode(body, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise PlanMismatchError(
                f"{url} is not a read budget ({error!r}): something else wrote it. Start a new "
                "run, and find out who may write to staging/"
            ) from error
