"""Estimates a run: with a deployed stack, or without a stack over a table of the account."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from ops.runs.estimate import estimate_by_execution
from ops.runs.execution import new_execution_name
from ops.stack.account import Account, AccountError, asking_aws
from ops.stack.stack import Stack
from trip_kpis.aws import clients, table
from trip_kpis.aws.account import unreserved_executions
from trip_kpis.aws.sampling import take_sample
from trip_kpis.aws.settings import read_estimate_terms, read_run_defaults
from trip_kpis.aws.throttling import is_throttling
from trip_kpis.core.errors import TableNotFoundError, TransientError, TripKpisError
from trip_kpis.core.estimate.comparison import Comparison
from trip_kpis.core.estimate.document import estimate_document
from trip_kpis.core.run.requests import RunRequest

_MOST_SECONDS = 600
"""seconds for the sample: more than a function has, because a small read budget may have to be
kept"""


def of_stack(stack: Stack, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Estimates with an execution of the stack's state machine. Raises AccountError or
    ResultsError."""
    with asking_aws(stack.account, f"for an estimate of the stack {stack.name}"):
        client = stack.client("stepfunctions")
        return estimate_by_execution(client, stack.state_machine_arn, asked)


def of_table(
    table_name: str, account: Account, *, environment: Mapping[str, str], asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Estimates with the functions' own code in this process, with the operator's own credentials.

    `environment` has PlanRun's variables. Raises SettingError or InputError for what no stack or
    run can have, and AccountError for what AWS answers.
    """
    defaults, terms = read_run_defaults(environment), read_estimate_terms(environment)
    request = RunRequest.from_event(
        {
            "execution_name": new_execution_name("estimate"),
            "input": {**asked, "estimate_only": True},
        }
    )
    ends_at = time.monotonic() + _MOST_SECONDS
    with _reading(account, table_name):
        client = clients.scanning_client(
            Session(profile=account.profile), region=account.region_name
        )
        description = table.describe(client, table_name)
        plans = Comparison.of(
            request,
            defaults,
            description,
            recovery=table.recovery_if_known(client, table_name),
            now=datetime.now(UTC),
            terms=terms,
            lambda_limit=unreserved_executions(lambda: account.client("lambda")),
        )
        sample = take_sample(
            client, plans.scan, remaining_ms=lambda: int((ends_at - time.monotonic()) * 1000)
        )
    return estimate_document(plans, sample, terms)


@contextmanager
def _reading(account: Account, table_name: str) -> Iterator[None]:
    """Converts the functions' errors, which mention a role and a stack: here there is neither."""
    with asking_aws(account, f"for the table {table_name}"):
        try:
            yield
        except TableNotFoundError as error:
            raise AccountError(
                f"there is no table {table_name} in this account and region: `aws dynamodb "
                "list-tables` lists those that are there; --profile and --region name others"
            ) from error
        except TripKpisError as error:
            if isinstance(error, TransientError) and is_throttling(error):
                raise AccountError(
                    f"the table {table_name} is throttled, also for a sample ({error}): try again "
                    "later, or with a small --read-units-per-second"
                ) from error
            if isinstance(error.__cause__, BotoCoreError | ClientError):
                raise error.__cause__ from None
            raise
