"""What docs/security.md says in words of the bucket is true of the template."""

import re

from samtranslator.yaml_helper import yaml_parse

from tests.unit.stack.resolved import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))


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
