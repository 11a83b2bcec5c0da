"""The executions of a stack's state machine, and the run of each."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from ops.runs.execution import Execution
from ops.stack.account import asking_aws
from ops.stack.stack import Stack


def executions(stack: Stack, *, last: int | None = None) -> tuple[Execution, ...]:
    """Returns the `last` executions, or all that Step Functions remembers, the newest first.

    Raises AccountError.
    """
    client = stack.client("stepfunctions")
    with asking_aws(stack.account, f"for the executions of the stack {stack.name}"):
        return tuple(map(_describe(client), islice(_arns(client, stack), last)))


def executions_of(stack: Stack, run_id: str) -> tuple[Execution, ...]:
    """Returns the executions of one run, the newest first: the one that began it, by its name, and
    later ones that resumed it. Empty where Step Functions remembers none. Raises AccountError."""
    client = stack.client("stepfunctions")
    began_it = f":{run_id}"

    def up_to_the_first() -> Iterator[str]:
        for arn in _arns(client, stack):
            yield arn
            if arn.endswith(began_it):
                return

    with asking_aws(stack.account, f"for the executions of run {run_id}"):
        described = map(_describe(client), up_to_the_first())
        return tuple(one for one in described if one.run_id == run_id)


def _arns(client: Any, stack: Stack) -> Iterator[str]:
    """Yields the ARNs, the newest first, as ListExecutions has them."""
    pages = client.get_paginator("list_executions")
    for page in pages.paginate(stateMachineArn=stack.state_machine_arn):
        yield from (listed["executionArn"] for listed in page["executions"])


def _describe(client: Any) -> Callable[[str], Execution]:
    """Describes an execution, because ListExecutions does not return the input, which names the
    run. To be called one after the other: many at once would use up the account's quota.

    https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
    """
    return lambda arn: Execution.from_description(client.describe_execution(executionArn=arn))
