"""No role can do without any of its grants: with one taken away, a run fails, and says so; or it
says what it could not do, and succeeds.

The roles are those of the template, whatever it grants them; the runs are real ones. What the
embedded cloud cannot enforce, `test_documents` judges.
"""

from collections.abc import Iterator

import pytest

from tests.iam.documents import MACHINE_ROLE
from tests.iam.enforced import VANISHED, Enforced, enforced_stack
from tests.iam.grants import Grant
from tests.iam.removals import (
    DONE_WITHOUT,
    ENFORCED,
    EVERY_GRANT,
    first_failure,
    noticed,
    run_without,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def enforced() -> Iterator[Enforced]:
    with enforced_stack(EVERY_GRANT) as up:
        yield up


def test_with_all_its_grants_a_run_does_all_that_it_has_to(enforced: Enforced) -> None:
    first, again, once_more, *over_exports, estimate = enforced.run_all("whole", segments=3)
    assert first.output is not None
    assert again.output is not None
    assert once_more.output is not None
    assert (first.output["days_published"], first.output["days_removed"]) == (2, 1)
    assert first.output["rejected"] == {"time_unreadable": 1}
    assert again.output["trips"] == once_more.output["trips"] == 8
    assert first.output["trips"] == 8
    assert len(over_exports) == 3
    assert [outcome.output and outcome.output["trips"] for outcome in over_exports] == [8, 8, 8]
    assert "staging/run=whole-export/export.json" in enforced.keys("staging/")
    assert enforced.keys("exports/run=whole-export/AWSDynamoDB/")
    assert estimate.output is not None
    assert estimate.output["census"]["items"] == 9
    assert len(enforced.keys("quarantine/run=whole/")) == 1
    assert "staging/run=whole/read-budget-00001.json" in enforced.keys("staging/")
    assert VANISHED not in enforced.keys("kpis/")


@pytest.mark.parametrize("grant", DONE_WITHOUT, ids=str)
def test_a_run_does_without_one_that_only_warns_and_says_so(
    enforced: Enforced, grant: Grant
) -> None:
    outcome = run_without(enforced, grant)
    assert outcome.succeeded
    assert DONE_WITHOUT[grant] in noticed(enforced, grant, outcome)


@pytest.mark.parametrize("grant", ENFORCED, ids=str)
def test_with_one_taken_away_it_is_denied(enforced: Enforced, grant: Grant) -> None:
    outcome = run_without(enforced, grant)
    assert outcome.status == "FAILED"
    error, cause = first_failure(outcome)
    if grant.action == "lambda:InvokeFunction":
        assert error == "Lambda.AccessDeniedException"
        assert f"not authorized to perform: {grant.action}" in cause
    elif grant.role == MACHINE_ROLE and grant.action.startswith("dynamodb:"):
        # What DynamoDB has no name for in a call, Step Functions calls so.
        assert error == "DynamoDb.DynamoDbException"
        assert f"not authorized to perform: {grant.action}" in cause
    elif grant.role == MACHINE_ROLE:
        # DynamoDB accepts the request, and the export fails.
        assert grant.action == "s3:PutObject"
        assert error == "ExportFailedError"
        assert "S3AccessDenied" in cause
    elif error == "ExportNotFoundError":
        # Nor does S3 tell a missing object of an export from one that may not be read.
        assert grant.action == "s3:GetObject"
        assert grant.sid in {"ReadTheExportsManifests", "ReadTheExport", "ReadExportsElsewhere"}
        assert "is not there, or this function may not read it" in cause
    elif error == "PlanNotFoundError":
        # S3 answers in the same way for a plan that is not there, to whom may not list.
        assert grant.action == "s3:GetObject"
        assert (
            f"run={outcome.run_id}/plan.json is not there, or this function may not read it"
            in cause
        )
    else:
        assert error == "AccessDeniedError"
        assert f"may not do {grant.action} on" in cause
