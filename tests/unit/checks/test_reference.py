"""`make docs` writes the tables of docs/ that follow from the template."""

import pytest

from checks.reference import ROOT, TABLES, current, parameters, roles
from ops.embedded.template import load_template

TEMPLATE = load_template(ROOT / "template.yaml")


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_what_its_command_writes_now(name: str) -> None:
    path, rows = TABLES[name]
    page = (ROOT / path).read_text(encoding="utf-8")
    assert page == current(page, name, rows(TEMPLATE)), "run: make docs"


def test_what_is_between_the_markers_is_replaced_and_nothing_else() -> None:
    page = "before\n<!-- generated: t -->\n| old |\n<!-- end: t -->\nafter\n"
    assert current(page, "t", iter(["| new |"])) == page.replace("old", "new")


@pytest.mark.parametrize("page", ["", "<!-- generated: t -->\n", "<!-- end: t -->"])
def test_a_page_without_both_markers_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="markers of the table t"):
        current(page, "t", iter(()))


def test_a_parameter_has_a_row_with_its_default_and_description() -> None:
    of = {
        "Parameters": {
            "TableName": {"Type": "String", "Description": "Its name."},
            "BucketName": {"Type": "String", "Default": "", "Description": r"a|b \. *"},
            "Days": {"Type": "Number", "Default": 3, "Description": "How many."},
        }
    }
    _, _, *rows = parameters(of)
    assert rows == [
        "| `TableName` | required | Its name. |",
        r"| `BucketName` | empty: the stack makes one | a\|b \\. \* |",
        "| `Days` | `3` | How many. |",
    ]


def test_a_statement_has_a_row_also_where_it_is_there_on_a_condition() -> None:
    statement = {
        "Sid": "UseTheKey",
        "Action": "kms:Decrypt",
        "Resource": {"Ref": "Key"},
        "Condition": {"StringEquals": {"kms:ViaService": {"Fn::Sub": "s3.${AWS::Region}.x"}}},
    }
    listing = {
        "Sid": "List",
        "Action": ["s3:ListBucket"],
        "Resource": {"Fn::Sub": ["arn:${AWS::Partition}:s3:::${Bucket}", {"Bucket": "b"}]},
        "Condition": {"StringLike": {"s3:prefix": ["a/*", "b/*"]}},
    }
    conditional = {"Fn::If": ["HasKey", statement, {"Ref": "AWS::NoValue"}]}
    policies = [{"PolicyDocument": {"Statement": [listing, conditional]}}]
    of = {
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"Policies": policies}},
            "Bucket": {"Type": "AWS::S3::Bucket"},
        }
    }
    _, _, *rows = roles(of)
    assert rows == [
        "| `Role` | List | `s3:ListBucket` | `<Bucket>`, prefix `a/*`, `b/*` |  |",
        "| `Role` | UseTheKey | `kms:Decrypt` | `Key`, through `s3` only | `HasKey` |",
    ]
