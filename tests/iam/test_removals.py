"""`python -m tests.iam`: a row for every grant, with what a run says without it."""

import pytest
from click.testing import CliRunner

from ops.embedded.isolation import ACCOUNT_ID, REGION
from tests.iam.__main__ import main, row
from tests.iam.grants import Grant
from tests.iam.removals import Removal


@pytest.mark.slow
def test_a_role_has_a_row_for_each_of_its_grants() -> None:
    printed = CliRunner().invoke(main, ["--role", "TripKpisScheduleRole"], catch_exceptions=False)
    assert printed.exit_code == 0
    machine = f"arn:aws:states:{REGION}:{ACCOUNT_ID}:stateMachine:trip-kpis-trip-kpis"
    start = "states:StartExecution"
    refused = f"refused by the policies: {start} on {machine}"
    assert printed.output.splitlines() == [
        "| Role | Action | On | Without it |",
        "| --- | --- | --- | --- |",
        f"| TripKpisScheduleRole | {start} | {machine} | {refused} |",
    ]


def test_what_is_said_stays_in_its_cell() -> None:
    grant = Grant(role="A", sid="S", action="s3:GetObject", resource=0)
    assert row(Removal(grant=grant, resource="arn", says="E: one\ntwo | three")) == (
        r"| A | s3:GetObject | arn | E: one two \| three |"
    )
