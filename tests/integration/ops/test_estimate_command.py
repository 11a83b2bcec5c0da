"""`python -m ops estimate` of a deployed stack and of a table.

The embedded AWS is the account, over HTTP.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ops.cli.main import MISTAKE, main
from ops.embedded.scan_layers import scans_denied_where
from ops.local.local_stack import STACK_NAME, TABLE_NAME, LocalStack
from tests.integration.ops.conftest import trip
from tests.json_fields import check_fields
from tests.stacks import NO_IAM, stack_of

ROOT = Path(__file__).resolve().parents[3]
BUDGET = ("--read-units-per-second", "1000000")
"""so large that nothing waits for it"""


@pytest.fixture(scope="module")
def scans_denied() -> list[bool]:
    return [False]


@pytest.fixture(scope="module")
def local(scans_denied: list[bool]) -> Iterator[LocalStack]:
    items = [trip(n) for n in range(30)]
    items[1] = trip(1, fare_amount={"S": "one"})
    where = replace(NO_IAM, middleware=scans_denied_where(lambda _: scans_denied[0]))
    with stack_of(items, where=where, MaxRejectedShare="0.5") as up:
        yield up


@pytest.fixture
def estimate(local: LocalStack) -> Callable[..., Result]:
    def called(*arguments: str, **environment: str | None) -> Result:
        """With the environment of somebody who has signed in."""
        return CliRunner(mix_stderr=False, env={"COLUMNS": "80", **environment}).invoke(
            main, ["estimate", *arguments]
        )

    return called


def reported(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def mistake(result: Result) -> str:
    """What it says of one, on the lines that it would have said it on."""
    assert result.exit_code == MISTAKE, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return " ".join(result.stderr.split())


def test_a_stack_and_its_table_are_reported_the_same(estimate: Callable[..., Result]) -> None:
    asked = ("--segments", "3", "--max-concurrency", "2", *BUDGET, "--json")
    of_stack = reported(estimate("--stack", STACK_NAME, *asked))
    of_table = reported(
        estimate("--table", TABLE_NAME, "--parameter", "MaxRejectedShare=0.5", *asked)
    )
    assert of_stack == of_table
    assert (of_stack["segments"], of_stack["max_concurrency"]) == (3, 2)
    trips = {name: one["in_table"] for name, one in of_stack["census"]["trips"].items()}
    assert trips == {"counted": 29, "excluded": 0, "incomplete": 0, "rejected": 1}


def test_it_leaves_no_run_in_the_bucket(estimate: Callable[..., Result], local: LocalStack) -> None:
    reported(estimate("--stack", STACK_NAME, *BUDGET, "--json"))
    listed = local.cloud.client("s3").list_objects_v2(Bucket=local.stack.bucket_name)
    assert "Contents" not in listed


def test_a_person_reads_cost_census_and_advice_without_control_codes_or_cut_words(
    estimate: Callable[..., Result],
) -> None:
    result = estimate("--stack", STACK_NAME, *BUDGET)
    assert result.exit_code == 0, result.stderr
    said = result.stdout
    assert result.stderr == ""
    assert "\x1b" not in said
    assert "…" not in said
    lines = [line.strip() for line in said.splitlines()]
    assert lines[0] == "Table trips"
    assert "30 items (the whole table)" in said
    assert re.search(r"^  segments  \d+, \d+ at a time", said, re.MULTILINE)
    assert "Lambda    unreserved executions: 1,000 in this account" in said
    assert "│ rejected   │             1 │  3.33% │      1 │" in lines
    assert "│ fare_amount           │ String decimal │            29 │  96.67% │" in lines
    rejected = next(line for line in lines if line.startswith("│ fare_not_a_number"))
    assert rejected.split() == [
        "│",
        "fare_not_a_number",
        "│",
        "1",
        "│",
        "3.33%",
        "│",
        "1",
        "│",
        "aaa",
        "(1)",
        "│",
    ]
    assert "Days: 3 in the sample, 2024-05-01 to 2024-05-03" in lines
    assert "! This table is small enough for one Lambda" in said


def test_json_is_one_line_and_what_people_read_goes_elsewhere(
    estimate: Callable[..., Result],
) -> None:
    result = estimate("--table", TABLE_NAME, *BUDGET, "--json")
    assert result.stdout.count("\n") == 1
    assert "Table trips" in result.stderr
    check_fields("`ops estimate --json`", [json.loads(result.stdout)])


def test_parameters_are_those_that_a_stack_of_the_table_would_have(
    estimate: Callable[..., Result],
) -> None:
    document = reported(
        estimate(
            *("--table", TABLE_NAME, *BUDGET, "--json"),
            *("--parameter", "FareAttribute=trip_end.fare", "--parameter", "TotalSegments=2"),
        )
    )
    assert document["segments"] == 2
    assert document["census"]["attributes"]["fare"] == {
        "path": "trip_end.fare",
        "forms": {"absent": 30},
    }
    assert document["advice"][0]["code"] == "attribute_absent"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "say what to estimate, one of the four: --stack NAME"),
        (("--stack", "a", "--table", "b"), "one of the four"),
        (("--table", "trips", "--key", "id"), "--key cannot be combined with --table"),
        (("--stack", "a", "--parameter", "B=c"), "--parameter cannot be combined with --stack"),
        (("--table", "trips", "--parameter", "TableName=x"), "--table names the table: leave"),
        (("--table", "trips", "--parameter", "Fare=x"), "The template has no parameter Fare"),
        (("--table", "trips", "--parameter", "Timezone=UTC"), "Did you mean TimeZone?"),
        (
            ("--table", "trips", "--parameter", "TimeZone=Mars"),
            "Mars is no IANA time zone name: --parameter TimeZone=",
        ),
        (("--table", "two words"), "The parameter TableName cannot be 'two words'"),
        (("--table", "trips", "--segments", "0"), "total_segments is 0: it must be a whole"),
        (("--table", "nobody"), "there is no table nobody in this account and region"),
        (("--stack", "nobody"), "nobody"),
        (("--table", "trips", "--profile", "nobody"), "name a profile of ~/.aws/config"),
        (("--trips", "README.md", "--region", "x"), "--region cannot be combined with --trips"),
    ],
    ids=" ".join,
)
def test_a_mistake_is_reported_in_words(
    estimate: Callable[..., Result], arguments: tuple[str, ...], says: str
) -> None:
    assert says in mistake(estimate(*arguments))


def test_without_credentials_it_says_how_to_sign_in(estimate: Callable[..., Result]) -> None:
    nobody = {
        "AWS_ACCESS_KEY_ID": None,
        "AWS_SECRET_ACCESS_KEY": None,
        "AWS_SESSION_TOKEN": None,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for option in ("--table", "--stack"):
        said = mistake(estimate(option, TABLE_NAME, **nobody))
        assert "Unable to locate credentials: sign in as for the aws CLI" in said


def test_without_a_region_it_says_so(estimate: Callable[..., Result]) -> None:
    nowhere = {"AWS_DEFAULT_REGION": None, "AWS_REGION": None}
    said = mistake(estimate("--table", TABLE_NAME, **nowhere))
    assert said == (
        "Error: no region is known: give --region, or set AWS_REGION, or a region in the profile"
    )
    assert reported(
        estimate("--table", TABLE_NAME, "--json", *BUDGET, **{**nowhere, "AWS_REGION": "us-east-1"})
    )


def test_who_may_not_scan_is_reported_so_and_a_role_by_its_error(
    estimate: Callable[..., Result], scans_denied: list[bool]
) -> None:
    scans_denied[0] = True
    try:
        own = mistake(estimate("--table", TABLE_NAME, *BUDGET))
        of_role = mistake(estimate("--stack", STACK_NAME, *BUDGET))
    finally:
        scans_denied[0] = False
    assert own.startswith("Error: asking AWS for the table trips: AccessDenied")
    assert "the estimate failed (execution estimate-" in of_role
    assert "AccessDeniedError: the function's role may not do dynamodb:Scan on trips" in of_role
