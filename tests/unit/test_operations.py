"""The runbook knows every error that can end a run, and all that an estimate says."""

import inspect
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ops.cli.options import MERGE_PARAMETERS
from tests.samples import comparison, plan
from tests.unit.test_state_machine import DECIDED, EXPORT_DECIDED
from trip_kpis.core import errors
from trip_kpis.core.estimate import advice, plan_notes
from trip_kpis.core.estimate import comparison as comparison_module
from trip_kpis.core.estimate.document import estimate_document
from trip_kpis.core.estimate.forecast import EstimateTerms
from trip_kpis.core.estimate.sample import Sample

TERMS = EstimateTerms(max_rejected_share=Decimal("0.01"), scan_memory_mb=512, merge_memory_mb=1769)

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
ERRORS = RUNBOOK.partition("\n## Errors\n")[2].partition("\n## ")[0]
ENTRIES = {
    name
    for row in re.findall(r"^\| (`.+?`) \|", ERRORS, flags=re.MULTILINE)
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


def test_every_error_that_the_state_machine_retries_has_an_entry() -> None:
    asl = json.loads((ROOT / "statemachine" / "trip_kpis.asl.json").read_text(encoding="utf-8"))
    assert {*retried(asl)} <= ENTRIES


@pytest.mark.parametrize("name", sorted(DECIDED))
def test_every_error_that_lambda_documents_for_an_invocation_is_on_the_page(name: str) -> None:
    families = {"EFS": "`EFS…`", "S3Files": "`S3Files…`", "SnapStart": "`SnapStart…`"}
    shown = [
        *(whole for begin, whole in families.items() if name.startswith(begin)),
        f"`{name}`",
        f"`Lambda.{name}`",
    ]
    assert any(one in ERRORS for one in shown)


@pytest.mark.parametrize("name", sorted(EXPORT_DECIDED))
def test_every_error_that_dynamodb_documents_for_an_export_is_on_the_page(name: str) -> None:
    named = f"{name.removesuffix('Exception')}Exception"
    assert f"`{named}`" in ERRORS or f"`DynamoDb.{named}`" in ERRORS


def test_nothing_recommends_lowering_a_parameter_before_a_redrive() -> None:
    """A redriven Map Run keeps its input and its concurrency."""
    for row in ERRORS.splitlines():
        if "redrive" in row and row.startswith("|"):
            before = row.partition("then redrive")[0]
            assert "lower `MaxConcurrency`" not in before
            assert "ReadUnitsPerSecond" not in before


def test_what_may_be_another_value_in_a_resumed_run_is_named_in_full() -> None:
    """In what a redrive takes as it is then, and beside the command that sets it."""
    (redriven,) = re.findall(r"the parameters that the merge reads\s+\((.+?)\)", RUNBOOK)
    assert redriven == ", ".join(f"`{name}`" for name in MERGE_PARAMETERS)
    (first, others) = re.findall(r"ops rerun .+ --parameter (\w+)=\S+ +# or (.+); ", RUNBOOK)[0]
    assert [first, *others.split(", ")] == [*MERGE_PARAMETERS]


def test_no_entry_is_about_an_error_that_is_not_there() -> None:
    asl = json.loads((ROOT / "statemachine" / "trip_kpis.asl.json").read_text(encoding="utf-8"))
    assert {*RAISED, *retried(asl), "States.ExceedToleratedFailureThreshold"} >= ENTRIES


def test_the_tree_in_the_errors_docstring_names_every_error() -> None:
    assert all(name in (errors.__doc__ or "") for name in RAISED)


def test_the_page_has_every_field_and_every_piece_of_advice_of_an_estimate() -> None:
    section = RUNBOOK.partition("\n## Before the first run\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`) \|", section, flags=re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    document = estimate_document(comparison(plan()), Sample(plan=plan()), TERMS)
    sources = "".join(map(inspect.getsource, (advice, comparison_module, plan_notes)))
    codes = re.findall(r'code="(\w+)"', sources)
    assert sorted(listed) == sorted([*document, *codes])
