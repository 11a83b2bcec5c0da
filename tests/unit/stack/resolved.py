"""The stack as CloudFormation would make it: translated by SAM, with everything resolved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ops.embedded.template import complete_parameters, load_template, translate

ROOT = Path(__file__).resolve().parents[3]

PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::URLSuffix": "amazonaws.com",
}
ABSENT = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack's resources and outputs.

    What AWS would make up is made up of logical ids: Ref gives ``MyRole``, Fn::GetAtt
    ``MyRole.Arn``.
    """

    resources: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Any]

    def __getitem__(self, logical_id: str) -> Any:
        """The resource's properties."""
        return self.resources[logical_id].get("Properties", {})

    def of_type(self, kind: str) -> dict[str, Any]:
        return {
            logical_id: self[logical_id]
            for logical_id, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def statements(self, logical_id: str) -> dict[str, Any]:
        """By Sid, the statements of a role, a bucket policy or a topic policy."""
        properties = self[logical_id]
        documents = [
            policy["PolicyDocument"] for policy in properties.get("Policies", [properties])
        ]
        return {one["Sid"]: one for document in documents for one in document["Statement"]}


def stack(name: str = "trip-kpis", *, partition: str = "aws", **parameters: str) -> Stack:
    """The stack of that name with these parameters, and `TableName` trips unless it is given."""
    return _stack(name, partition, tuple(sorted({"TableName": "trips", **parameters}.items())))


@cache
def _stack(name: str, partition: str, given: tuple[tuple[str, str], ...]) -> Stack:
    template = load_template(ROOT / "template.yaml")
    values = complete_parameters(template, dict(given))
    translated = translate(template, directory=ROOT, bucket="code", parameters=values).template
    resolve = _Resolver(
        names={**PSEUDO, "AWS::Partition": partition, "AWS::StackName": name, **values},
        conditions=translated["Conditions"],
        logical_ids=frozenset(translated["Resources"]),
    )
    return Stack(
        resources=resolve.those_there(translated["Resources"]),
        outputs=resolve.those_there(translated["Outputs"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resolver:
    names: Mapping[str, str]
    conditions: Mapping[str, Any]
    logical_ids: frozenset[str]

    def those_there(self, section: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: self(value)
            for key, value in section.items()
            if "Condition" not in value or self(self.conditions[value["Condition"]])
        }

    def __call__(self, part: Any) -> Any:
        match part:
            case {"Ref": "AWS::NoValue"}:
                return ABSENT
            case {"Ref": name}:
                return self._named(name)
            case {"Fn::GetAtt": [logical_id, attribute]}:
                return f"{self._named(logical_id)}.{attribute}"
            case {"Fn::If": [condition, then, otherwise]}:
                return self(then if self(self.conditions[condition]) else otherwise)
            case {"Fn::Equals": [left, right]}:
                return self(left) == self(right)
            case {"Fn::Not": [condition]}:
                return not self(condition)
            case {"Fn::Join": [glue, parts]}:
                return glue.join(self(parts))
            case {"Fn::Split": [glue, text]}:
                return self(text).split(glue)
            case {"Fn::Sub": [text, values]}:
                return self._substituted(text, {key: self(value) for key, value in values.items()})
            case {"Fn::Sub": text}:
                return self._substituted(text, {})
            case dict():
                assert not [key for key in part if key.startswith("Fn::")], part
                resolved = {key: self(value) for key, value in part.items()}
                return {key: value for key, value in resolved.items() if value is not ABSENT}
            case list():
                return [one for one in map(self, part) if one is not ABSENT]
        return part

    def _named(self, name: str) -> str:
        return self.names[name] if name not in self.logical_ids else name

    def _substituted(self, text: str, values: Mapping[str, str]) -> str:
        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            logical_id, dot, attribute = name.partition(".")
            return values[name] if name in values else self._named(logical_id) + dot + attribute

        return re.sub(r"\$\{([^}]+)\}", value, text)
