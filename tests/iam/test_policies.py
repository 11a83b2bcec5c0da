"""The evaluator decides as AWS documents it, and refuses to judge what it does not know."""

from typing import Any

import pytest

from tests.iam.policies import Request, allows

BUCKET = "arn:aws:s3:::trips"
ROLE = "arn:aws:iam::123456789012:role/worker"


def allow(**elements: Any) -> dict[str, Any]:
    return {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", **elements}}


def deny(**elements: Any) -> dict[str, Any]:
    return allow(**{"Effect": "Deny", **elements})


def put(key: str = "kpis/a", principal: str = ROLE, **context: str) -> Request:
    keys = {name.replace("_", ":", 1): value for name, value in context.items()}
    return Request(
        principal=principal, action="s3:PutObject", resource=f"{BUCKET}/{key}", context=keys
    )


def test_nothing_is_allowed_by_nobody() -> None:
    assert not allows(put())


def test_either_policy_allows_and_either_denies() -> None:
    assert allows(put(), identity=[allow()])
    assert allows(put(), resource=[allow()])
    assert not allows(put(), identity=[allow()], resource=[deny()])
    assert not allows(put(), identity=[allow(), deny()])


@pytest.mark.parametrize(
    ("elements", "applies"),
    [
        ({"Action": "s3:PutObject"}, True),
        ({"Action": "S3:putobject"}, True),  # names of actions have no case
        ({"Action": ["s3:GetObject", "s3:Put*"]}, True),
        ({"Action": "s3:Put?bject"}, True),
        ({"Action": "s3:PutObjectAcl"}, False),
        ({"Action": "s3:Put"}, False),
        ({"Resource": f"{BUCKET}/kpis/*"}, True),
        ({"Resource": f"{BUCKET}/KPIS/*"}, False),
        ({"Resource": f"{BUCKET}/kpis/"}, False),
        ({"Resource": BUCKET}, False),
        ({"Resource": "arn:aws:s3:::trip.*"}, False),  # a dot is a dot
        ({"Resource": [f"{BUCKET}/runs/*", f"{BUCKET}/kpis/?"]}, True),
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": ["arn:aws:iam::123456789012:role/other", ROLE]}}, True),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:role/other"}}, False),
        ({"Principal": {"Service": "events.amazonaws.com"}}, False),
    ],
    ids=str,
)
def test_a_statement_is_about_what_it_names(elements: dict[str, Any], *, applies: bool) -> None:
    assert allows(put(), identity=[allow(**elements)]) is applies


@pytest.mark.parametrize(
    ("condition", "context", "holds"),
    [
        ({"StringEquals": {"s3:a": "x"}}, {"s3_a": "x"}, True),
        ({"StringEquals": {"S3:A": "x"}}, {"s3_a": "x"}, True),  # names of keys have no case
        ({"StringEquals": {"s3:a": "x"}}, {"s3_a": "X"}, False),
        ({"StringEquals": {"s3:a": ["w", "x"]}}, {"s3_a": "x"}, True),
        ({"StringEquals": {"s3:a": "x"}}, {}, False),
        ({"StringEquals": {"s3:a": "x", "s3:b": "y"}}, {"s3_a": "x"}, False),
        ({"StringEquals": {"s3:a": "*"}}, {"s3_a": "x"}, False),
        ({"StringLike": {"s3:a": "staging/run=*"}}, {"s3_a": "staging/run=a/b"}, True),
        ({"StringLike": {"s3:a": "staging/run=*"}}, {"s3_a": "staging/"}, False),
        ({"StringNotEquals": {"s3:a": ["x", "y"]}}, {"s3_a": "x"}, False),
        ({"StringNotEquals": {"s3:a": ["x", "y"]}}, {"s3_a": "z"}, True),
        ({"StringNotEquals": {"s3:a": "x"}}, {}, True),  # what is absent is not equal
        ({"ArnLike": {"s3:a": "arn:aws:s3:::b-*"}}, {"s3_a": "arn:aws:s3:::b-1"}, True),
        ({"Bool": {"s3:a": "true"}}, {"s3_a": "true"}, True),
        ({"Bool": {"s3:a": True}}, {"s3_a": "true"}, True),
        ({"Bool": {"s3:a": "false"}}, {}, False),
        ({"Null": {"s3:a": "true"}}, {}, True),
        ({"Null": {"s3:a": "true"}}, {"s3_a": ""}, False),
        ({"Null": {"s3:a": "false"}}, {"s3_a": "x"}, True),
        ({"Null": {"s3:a": "true"}, "Bool": {"s3:b": "true"}}, {"s3_b": "false"}, False),
    ],
    ids=str,
)
def test_a_condition_holds_as_documented(
    condition: dict[str, Any], context: dict[str, str], *, holds: bool
) -> None:
    assert allows(put(**context), identity=[allow(Condition=condition)]) is holds


@pytest.mark.parametrize(
    "elements",
    [
        {"NotAction": "s3:GetObject"},
        {"Resource": "arn:aws:s3:::${aws:username}"},
        {"Principal": {"Federated": "someone"}},
        {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        {"Condition": {"StringEqualsIfExists": {"s3:a": "x"}}},
    ],
    ids=str,
)
def test_what_is_not_known_here_is_not_judged(elements: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError):
        allows(put(s3_a="x", aws_SourceIp="10.0.0.1"), identity=[allow(**elements)])
