"""What each grant of the template is for: what a run says when it is taken away.

Runs answer for what the embedded cloud enforces; for the rest, what the policies would refuse of
the requests that a run makes, or that AWS makes in the role's name.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ops.runs.execution import EndedExecution
from tests.iam.documents import Stack, recorded
from tests.iam.enforced import KEYS, Enforced, Role, enforced_stack
from tests.iam.grants import Grant, granted_in_template
from tests.iam.policies import many, statements

EVERY_GRANT = {"VanishedDays": "remove", **KEYS}
"""parameters of a stack that has every permission which a parameter can add"""
_ENFORCED_SERVICES = ("dynamodb:", "lambda:", "s3:")

_LOOKED_UP = {
    "dynamodb:DescribeTimeToLive": "ttl_unknown",
    "lambda:GetAccountSettings": "lambda_limit_unknown",
}

_TO_RELEASE = ("HoldTheLease", "s3:DeleteObject")

DONE_WITHOUT = {
    one: _LOOKED_UP.get(one.action, "lease not released")
    for one in granted_in_template()
    if one.action in _LOOKED_UP or (one.sid, one.action) == _TO_RELEASE
}
"""what a run does without, and what says so: an advice's code, or a warning in the merge's log"""

_NOT_ASKED_FOR = {
    ("WriteTheExport", "s3:PutObjectAcl"),
    ("WriteTheExport", "s3:AbortMultipartUpload"),
    ("FindExportsElsewhere", "s3:ListBucket"),
}
"""what AWS asks for, and the embedded cloud does not: `documented` says when"""

ENFORCED = [
    one
    for one in granted_in_template()
    if one.action.startswith(_ENFORCED_SERVICES)
    and one not in DONE_WITHOUT
    and (one.sid, one.action) not in _NOT_ASKED_FOR
]
"""that a run can be denied of here"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A grant taken away."""

    grant: Grant
    resource: str
    says: str


def removals(roles: frozenset[str]) -> Iterator[Removal]:
    """Of every grant of these roles, in the template's order; each as soon as it is known.

    Raises AssertionError if a run does not miss one.
    """
    grants = [grant for grant in granted_in_template() if grant.role in roles]
    documents = recorded(EVERY_GRANT)
    with enforced_stack(EVERY_GRANT) as enforced:
        for grant in grants:
            role = enforced.roles[grant.role]
            if grant in ENFORCED:
                says = _said_by_a_run(enforced, grant)
            elif grant in DONE_WITHOUT:
                says = _said_by_a_notice(enforced, grant)
            else:
                says = _said_by_the_documents(documents, grant)
            yield Removal(grant=grant, resource=_resource(role, grant), says=says)


def run_without(enforced: Enforced, grant: Grant) -> EndedExecution:
    """Of the execution that failed, if the grant is missed; else of the estimate."""
    role = enforced.roles[grant.role]
    with enforced.changed(role, grant.taken_from(role.policies)):
        outcomes = enforced.run_all(_name_without(grant))
        return next((one for one in outcomes if not one.succeeded), outcomes[-1])


def noticed(enforced: Enforced, grant: Grant, estimate: EndedExecution) -> list[str]:
    """The codes of the estimate's advice, and what the merge logged, without the grant."""
    assert estimate.output is not None
    log = (enforced.local.log_directory / "MergePartialsFunction.log").read_text()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    name = _name_without(grant)
    return [
        *(advice["code"] for advice in estimate.output["advice"]),
        *(line["message"] for line in lines if line.get("run_id") == name),
    ]


def _name_without(grant: Grant) -> str:
    return f"without-{granted_in_template().index(grant)}"


def first_failure(outcome: EndedExecution) -> tuple[str, str]:
    """The error and its message, of the segment that failed if one has."""
    if outcome.failed_segments:
        failed = outcome.failed_segments[0]
        return failed.error, _message(failed.cause)
    return outcome.error or "", _message(outcome.cause or "")


def _message(cause: str) -> str:
    """A function's error has its message in JSON; Lambda's own has it in plain words."""
    return str(json.loads(cause)["errorMessage"]) if cause.startswith("{") else cause


def _said_by_a_run(enforced: Enforced, grant: Grant) -> str:
    outcome = run_without(enforced, grant)
    assert not outcome.succeeded, f"a run does without {grant}"
    return ": ".join(first_failure(outcome))


def _said_by_a_notice(enforced: Enforced, grant: Grant) -> str:
    outcome, notice = run_without(enforced, grant), DONE_WITHOUT[grant]
    assert outcome.succeeded, f"a run fails without {grant}"
    assert notice in noticed(enforced, grant, outcome), f"nothing says that {grant} is missing"
    where = "the estimate has the advice" if grant.action in _LOOKED_UP else "the merge's log has"
    return f"a run succeeds; {where} {notice}"


def _said_by_the_documents(stack: Stack, grant: Grant) -> str:
    policies = grant.taken_from(stack.roles[grant.role].policies)
    refused = [one for one in stack.requests[grant.role] if not stack.allows(one, policies)]
    assert refused, f"nothing that is asked for needs {grant}"
    return f"refused by the policies: {refused[0].action} on {refused[0].resource}"


def _resource(role: Role, grant: Grant) -> str:
    """As it was deployed."""
    policies: Mapping[str, Mapping[str, object]] = role.policies
    (resources,) = (
        many(statement["Resource"])
        for document in policies.values()
        for statement in statements(document)
        if statement["Sid"] == grant.sid
    )
    return str(resources[grant.resource])
