"""The limits of the AWS account."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError


def unreserved_executions(make_client: Callable[[], Any]) -> int | None:
    """The Lambda executions of the account that no function has reserved; None where it does not
    say: a role that may not ask, an emulator without this call, no way to Lambda's API.

    Nothing of this stops a run: the limit protects it only from waiting for executions.
    https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
    """
    try:
        answer = make_client().get_account_settings()
    except (BotoCoreError, ClientError):
        return None
    limit = answer.get("AccountLimit", {}).get("UnreservedConcurrentExecutions")
    return limit if isinstance(limit, int) and limit >= 0 else None
