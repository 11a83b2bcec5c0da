"""No role can do without any of its grants: with one taken away, a run fails, and says so.

The roles are those of the template, whatever it grants them; the runs are real ones. What the
embedded cloud cannot enforce, `test_documents` judges.
"""

import json
from collections.abc import Iterator

import pytest

from ops.outcome import Outcome
from tests.iam.enforced import KEYS, VANISHED, Enforced, enforced_stack
from tests.iam.grants import Grant, granted_in_template

ENFORCED_SERVICES = ("dynamodb:", "lambda:", "s3:")

GRANTS = [one for one in granted_in_template() if one.action.startswith(ENFORCED_SERVICES)]


@pytest.fixture(scope="module")
def enforced() -> Iterator[Enforced]:
    """With every permission that a parameter can add."""
    with enforced_stack({"VanishedDays": "remove", **KEYS}) as up:
        yield up


def test_with_all_its_grants_a_run_does_all_that_it_has_to(enforced: Enforced) -> None:
    first, again = enforced.run_twice("whole", segments=3)
    assert first.output is not None
    assert again.output is not None
    assert (first.output["days_published"], first.output["days_removed"]) == (2, 1)
    assert first.output["rejected"] == {"time_unreadable": 1}
    assert again.output["trips"] == first.output["trips"] == 8
    assert len(enforced.keys("quarantine/run=whole/")) == 1
    assert VANISHED not in enforced.keys("kpis/")


@pytest.mark.parametrize("grant", GRANTS, ids=str)
def test_with_one_taken_away_it_is_denied(enforced: Enforced, grant: Grant) -> None:
    role = enforced.roles[grant.role]
    name = f"without-{GRANTS.index(grant)}"
    with enforced.changed(role, grant.taken_from(role.policies)):
        outcome = enforced.run_twice(name)[-1]
    assert outcome.status == "FAILED"
    error, cause = first_failure(outcome)
    if grant.action == "lambda:InvokeFunction":
        assert error == "Lambda.AccessDeniedException"
        assert f"not authorized to perform: {grant.action}" in cause
    elif error == "PlanNotFoundError":
        # S3 answers in the same way for a plan that is not there, to whom may not list.
        assert grant.action == "s3:GetObject"
        assert f"run={name}/plan.json is not there, or this function may not read it" in cause
    else:
        assert error == "AccessDeniedError"
        assert f"may not do {grant.action} on" in cause


def first_failure(outcome: Outcome) -> tuple[str, str]:
    """The error and its message, of the segment that failed if one has."""
    if outcome.failed_segments:
        failed = outcome.failed_segments[0]
        return failed.error, message(failed.cause)
    return outcome.error or "", message(outcome.cause or "")


def message(cause: str) -> str:
    """A function's error has its message in JSON; Lambda's own has it in plain words."""
    return str(json.loads(cause)["errorMessage"]) if cause.startswith("{") else cause
