"""docs/security.md says what the roles may do, and so does the template: the same."""

import re
from itertools import product
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.unit.stack.resolved import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
ROLES = {
    name: resource["Properties"]
    for name, resource in TEMPLATE["Resources"].items()
    if resource["Type"] == "AWS::IAM::Role"
}

Grant = tuple[str, str, str]
"""(action, what it is on, the condition that it is there under)"""

WORDS = {
    "its own log group": "${AWS::AccountId}:log-group:/aws/lambda/",
    "`<table>`": ":table/${TableName}",
    "the bucket's key, by way of S3": "BucketKmsKeyArn s3.",
    "the table's key, by way of DynamoDB": "TableKmsKeyArn dynamodb.",
    "the three functions": "Function.Arn",
    "this state machine: a Distributed Map starts its segments so": ":stateMachine:",
    "this state machine": "TripKpisStateMachine",
    "this state machine's segments": "/ScanSegments:",
    "this state machine's executions": ":execution:",
    "`*`: these actions know no resource": "*",
}
"""what the page calls a resource, and by what it is known in the template"""


def on_the_page(role: str) -> set[Grant]:
    grants = set()
    for actions, what, condition in re.findall(
        rf"^\| `{role}` \| (.+?) \| (.+?) \| (.*?) ?\|$", PAGE, flags=re.MULTILINE
    ):
        keys = {one.removeprefix("<bucket>/") for one in re.findall(r"`(.+?)`", what)}
        on = {what} if what in WORDS else keys - {"<bucket>"}
        grants |= set(product(re.findall(r"`(.+?)`", actions), on, [condition.strip("`")]))
    return grants


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text(resource: Any, statement: Any) -> str:
    """A resource with what else decides what is meant: prefixes, or the service that uses a key."""
    match resource:
        case {"Fn::GetAtt": path}:
            return ".".join(path)
        case {"Ref": name}:
            via = statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService")
            return f"{name} {via['Fn::Sub']}" if via else str(name)
        case {"Fn::Sub": [str(arn), _] | str(arn)}:
            return arn
    return str(resource)


def in_the_template(role: str) -> set[Grant]:
    grants = set()
    for statement in ROLES[role]["Policies"][0]["PolicyDocument"]["Statement"]:
        condition, there = "", statement
        if "Fn::If" in statement:
            condition, there, _ = statement["Fn::If"]
        prefixes = there.get("Condition", {}).get("StringLike", {}).get("s3:prefix")
        for action, resource in product(as_list(there["Action"]), as_list(there["Resource"])):
            for on in as_list(prefixes) if prefixes else [named(text(resource, there))]:
                grants.add((action, on, condition))
    return grants


def named(resource: str) -> str:
    """What the page calls it."""
    if resource.startswith("arn:${AWS::Partition}:s3:::"):
        return resource.partition("${Bucket}/")[2]
    return next(word for word, known in WORDS.items() if known in resource)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_on_the_page_what_it_may_do_in_the_template(role: str) -> None:
    assert len(ROLES[role]["Policies"]) == 1
    assert on_the_page(role) == in_the_template(role) != set()


def test_the_page_knows_no_role_that_is_not_there() -> None:
    assert set(re.findall(r"^\| `(\w+Role)` \|", PAGE, flags=re.MULTILINE)) == set(ROLES)


def test_the_statements_that_the_page_recommends_are_in_the_bucket_policy() -> None:
    document = TEMPLATE["Resources"]["ResultsBucketPolicy"]["Properties"]["PolicyDocument"]
    sids = {statement.get("Sid") for statement in document["Statement"]}
    (recommended,) = re.findall(r"The policy's statements (.+?) of `template.yaml`", PAGE)
    assert set(re.findall(r"`(\w+)`", recommended)) <= sids


def test_the_days_that_the_page_names_are_the_templates() -> None:
    rules = {
        rule.get("Prefix"): rule
        for rule in TEMPLATE["Resources"]["ResultsBucket"]["Properties"]["LifecycleConfiguration"][
            "Rules"
        ]
        if "NoncurrentVersionExpiration" in rule
    }
    assert f"kept for {rules[None]['NoncurrentVersionExpiration']['NoncurrentDays']} days" in PAGE
    assert f"`athena/` {rules['athena/']['ExpirationInDays']}," in PAGE
    parameters = TEMPLATE["Parameters"]
    staging, quarantine = (
        parameters[f"{name}ExpirationDays"] for name in ("Staging", "Quarantine")
    )
    assert f"`staging/` {staging['Default']} days ({staging['MinValue']} at least)" in PAGE
    assert f"`quarantine/` {quarantine['Default']}," in PAGE
