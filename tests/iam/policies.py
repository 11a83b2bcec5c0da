"""Is a request allowed? As IAM decides it within one account, from the documents alone.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
What these documents do not use is not here, and raises instead of being left out of account.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks for. `context` has the condition keys, under their names in AWS."""

    principal: str
    """a role's ARN, or a service's name"""
    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def allows(
    request: Request, *, identity: Sequence[Document] = (), resource: Sequence[Document] = ()
) -> bool:
    """Nothing denies it, and something allows it: the identity's own policies or the resource's."""
    effects = {
        statement["Effect"]
        for document in (*identity, *resource)
        for statement in statements(document)
        if applies(statement, request)
    }
    return effects == {"Allow"}


def statements(document: Document) -> Iterator[dict[str, Any]]:
    yield from many(document["Statement"])


def many(value: Any) -> list[Any]:
    """Where a policy may have one of something, or a list."""
    return value if isinstance(value, list) else [value]


_ELEMENTS = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}


def applies(statement: Mapping[str, Any], request: Request) -> bool:
    """Whether a statement is about a request, whatever its effect."""
    if unknown := statement.keys() - _ELEMENTS:
        raise NotImplementedError(f"{sorted(unknown)} in {statement}")
    actions = (one.lower() for one in many(statement["Action"]))
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    context = {"aws:PrincipalArn": request.principal, **request.context}
    return (
        any(_like(request.action.lower(), action) for action in actions)
        # A trust policy is about the role that it belongs to, and names no resource.
        and any(_like(request.resource, one) for one in many(statement.get("Resource", "*")))
        and _is_for(statement.get("Principal", "*"), request.principal)
        and all(
            _holds(operator, key, many(values), context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _is_for(principals: Any, principal: str) -> bool:
    if principals == "*":
        return True
    if unknown := principals.keys() - {"AWS", "Service"}:
        raise NotImplementedError(f"{sorted(unknown)} as Principal")
    return any(principal in many(named) for named in principals.values())


_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda actual, expected: actual == expected,
    "StringLike": lambda actual, pattern: _like(actual, pattern),
    "ArnEquals": lambda actual, pattern: _like(actual, pattern),
    "ArnLike": lambda actual, pattern: _like(actual, pattern),
    "Bool": lambda actual, expected: actual.lower() == expected.lower(),
}
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"""


def _holds(operator: str, key: str, values: list[Any], context: Mapping[str, str]) -> bool:
    present = {name.lower(): value for name, value in context.items()}
    actual = present.get(key.lower())
    if operator == "Null":
        return any((actual is None) == (_text(value) == "true") for value in values)
    if operator == "StringNotEquals":
        return actual not in values  # also where it is absent
    if operator not in _COMPARISONS:
        raise NotImplementedError(f"the condition operator {operator}")
    return actual is not None and any(
        _COMPARISONS[operator](actual, _text(value)) for value in values
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _like(actual: str, pattern: str) -> bool:
    if "${" in pattern:
        raise NotImplementedError(f"the policy variable in {pattern}")
    wildcards = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(wildcards, actual, re.DOTALL) is not None
