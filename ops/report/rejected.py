"""The rejected trips of a run, by reason, each with a few examples from the quarantine."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.results.errors import ResultsError
from ops.results.finished_run import FinishedRun

_EXAMPLES = 5
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
    """The most frequent reason first. The counts are the manifest's; there are no examples where
    the quarantine has expired. Raises ResultsError where it is damaged."""
    examples: defaultdict[str, list[Example]] = defaultdict(list)
    wanted = {reason: min(_EXAMPLES, trips) for reason, trips in run.rejected.items()}
    for reason, example in _quarantined(out, run):
        if len(examples[reason]) < _EXAMPLES:
            examples[reason].append(example)
        if all(len(examples[reason]) >= enough for reason, enough in wanted.items()):
            break
    return tuple(
        RejectedFor(reason=reason, trips=trips, examples=tuple(examples[reason]))
        for reason, trips in sorted(run.rejected.items(), key=lambda item: (-item[1], item[0]))
    )


def _quarantined(out: Path, run: FinishedRun) -> Iterator[tuple[str, Example]]:
    """Reason and trip, of the objects that the manifest names: others are of attempts that did not
    count."""
    for segment in run.segments:
        for key in segment.quarantine_keys:
            file = out / key
            if file.is_file():
                with file.open(encoding="utf-8") as lines, _damage(file):
                    for line in map(json.loads, lines):
                        yield line["reason"], _example(line)


@contextmanager
def _damage(file: Path) -> Iterator[None]:
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ResultsError(
            f"{file} does not hold rejected trips, one JSON object a line ({error!r}): put it back "
            "as it was, or remove it to have the report without its examples"
        ) from error


def _example(line: dict[str, Any]) -> Example:
    return Example(
        trip=", ".join(str(v) for value in line["key"].values() for v in value.values()),
        attribute=line["attribute"],
        value=_shortened(json.dumps(line["value"], ensure_ascii=False)),
    )


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
