"""The rejected trips of a run, by reason, each with a few examples from the quarantine."""

from dataclasses import dataclass
from pathlib import Path

from ops.runs.figures import shortened
from ops.runs.finished_run import FinishedRun
from ops.runs.quarantine import QuarantinedTrip, examples, of_finished

EXAMPLES = 5
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A rejected trip."""

    trip: str
    attribute: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedFor:
    """The trips that were rejected for one reason."""

    reason: str
    trips: int
    examples: tuple[Example, ...]


def rejected(out: Path, run: FinishedRun) -> tuple[RejectedFor, ...]:
    """Returns the reasons, the most frequent first, with examples. The counts are the
    manifest's; there are no examples where the quarantine has expired. Raises ResultsError where
    it is damaged."""
    of = of_finished(run)
    found = examples(out, of, each=EXAMPLES)
    return tuple(
        RejectedFor(reason=reason, trips=trips, examples=tuple(map(_example, found[reason])))
        for reason, trips in of.by_reason.items()
    )


def _example(trip: QuarantinedTrip) -> Example:
    return Example(
        trip=trip.key_as_text,
        attribute=trip.attribute,
        value=shortened(trip.value_as_json, _LONGEST),
    )
