"""What the template's roles are granted, one action on one resource at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ops.embedded.template import load_template
from ops.local.local_stack import TEMPLATE
from tests.iam.policies import Document, many, statements


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """An action on one of a statement's resources; the statement is found by its Sid."""

    role: str
    """logical id"""
    sid: str
    action: str
    resource: int
    """which one of the statement's"""

    def __str__(self) -> str:
        return f"{self.role}-{self.sid}-{self.action}-{self.resource}"

    def taken_from(self, policies: Mapping[str, Document]) -> dict[str, Document]:
        """The policies without it, and with all that the statement grants besides."""
        return {
            name: {**document, "Statement": [*_without(self, statements(document))]}
            for name, document in policies.items()
        }


def granted_in_template() -> list[Grant]:
    """Of every role that the template has, whatever the parameters' values."""
    resources = load_template(TEMPLATE)["Resources"]
    return [
        grant
        for logical_id, resource in resources.items()
        if resource["Type"] == "AWS::IAM::Role"
        for policy in resource["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for grant in _grants(logical_id, _chosen(statement))
    ]


def granted(role: str, policies: Mapping[str, Document]) -> list[Grant]:
    """Of one role, as it was deployed."""
    return [
        grant
        for document in policies.values()
        for statement in statements(document)
        for grant in _grants(role, statement)
    ]


def without_a_condition_value(
    policies: Mapping[str, Document],
) -> Iterator[tuple[str, dict[str, Document]]]:
    """Each value of each condition in turn: its name, and the policies without it."""
    for name, document in policies.items():
        whole = [*statements(document)]
        for number, statement in enumerate(whole):
            for operator, keys in statement.get("Condition", {}).items():
                for key, values in keys.items():
                    for value in many(values):
                        others = [one for one in many(values) if one != value]
                        condition = {
                            **statement["Condition"],
                            operator: {**keys, key: others},
                        }
                        changed = {**statement, "Condition": condition}
                        yield (
                            f"{statement['Sid']}-{key}-{value}",
                            {
                                **policies,
                                name: {
                                    **document,
                                    "Statement": [
                                        *whole[:number],
                                        changed,
                                        *whole[number + 1 :],
                                    ],
                                },
                            },
                        )


def _chosen(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    """A statement that is there on a condition, as if it were."""
    match statement:
        case {"Fn::If": [_, chosen, {"Ref": "AWS::NoValue"}]}:
            return dict(chosen)
    return statement


def _grants(role: str, statement: Mapping[str, Any]) -> Iterator[Grant]:
    for action in many(statement["Action"]):
        for index, _ in enumerate(many(statement["Resource"])):
            yield Grant(role=role, sid=statement["Sid"], action=action, resource=index)


def _without(grant: Grant, all_of_them: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for statement in all_of_them:
        if statement["Sid"] != grant.sid:
            yield statement
            continue
        actions, resources = many(statement["Action"]), many(statement["Resource"])
        other_actions = [action for action in actions if action != grant.action]
        other_resources = [*resources[: grant.resource], *resources[grant.resource + 1 :]]
        if other_actions:
            yield {**statement, "Action": other_actions}
        if other_resources:
            yield {
                **statement,
                "Sid": f"{grant.sid}Elsewhere",
                "Action": grant.action,
                "Resource": other_resources,
            }
