"""The runbook knows every error that can end a run."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trip_kpis.core import errors

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
ENTRIES = {
    name
    for row in re.findall(r"^\| (`.+?`) \|", RUNBOOK, flags=re.MULTILINE)
    for name in re.findall(r"`([\w.]+)`", row)
}
RAISED = [
    name
    for name, error in vars(errors).items()
    if isinstance(error, type)
    and issubclass(error, errors.TripKpisError)
    and error not in {errors.TripKpisError, errors.PermanentError}
]


def retried(state: Any) -> Iterator[str]:
    """The error names in every Retry of a definition, at any depth."""
    if isinstance(state, dict):
        for retrier in state.get("Retry", ()):
            yield from retrier["ErrorEquals"]
        for inner in state.values():
            yield from retried(inner)


@pytest.mark.parametrize("name", RAISED)
def test_every_error_of_the_program_has_an_entry(name: str) -> None:
    assert name in ENTRIES


def test_no_entry_is_about_an_error_that_is_not_there() -> None:
    asl = json.loads((ROOT / "statemachine" / "trip_kpis.asl.json").read_text(encoding="utf-8"))
    assert {*RAISED, *retried(asl), "States.ExceedToleratedFailureThreshold"} >= ENTRIES


def test_the_tree_in_the_errors_docstring_names_every_error() -> None:
    assert all(name in (errors.__doc__ or "") for name in RAISED)
