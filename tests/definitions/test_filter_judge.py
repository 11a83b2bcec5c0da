"""The judge of filter expressions: DynamoDB's rules, and where moto has others."""

from typing import Any

import pytest

from tests.definitions.filter_judge import passes, passes_in_moto


def request(expression: str, **values: Any) -> dict[str, Any]:
    """Over the attribute #a, and #b where the expression has it."""
    names = {f"#{name}": name for name in "ab" if f"#{name}" in expression}
    placeholders = {f":{name}": value for name, value in values.items()}
    return {
        "FilterExpression": expression,
        **({"ExpressionAttributeNames": names} if names else {}),
        **({"ExpressionAttributeValues": placeholders} if placeholders else {}),
    }


ONE, TEXT = {"N": "1"}, {"S": "COMPLETED#1"}


@pytest.mark.parametrize(
    ("asked", "value", "passed"),
    [
        (request("#a = :v", v=ONE), {"N": "1.00"}, True),
        (request("#a = :v", v={"N": "100"}), {"N": "1E+2"}, True),
        (request("#a = :v", v={"N": "0"}), {"N": "-0"}, True),
        (request("#a = :v", v=ONE), {"S": "1"}, False),
        (request("#a = :v", v=ONE), None, False),
        (request("#a <> :v", v=ONE), None, True),
        (request("#a <> :v", v=ONE), {"S": "1"}, True),
        (request("#a <> :v", v=ONE), {"N": "1.0"}, False),
        (request("NOT #a = :v", v=ONE), None, True),
        (request("#a > :v", v=ONE), {"N": "1.5"}, True),
        (request("#a > :v", v=ONE), {"N": "10"}, True),
        (request("#a > :v", v=ONE), None, False),
        (request("#a <= :v", v={"S": "\uff21"}), {"S": "😀"}, False),
        (request("#a BETWEEN :v AND :w", v=ONE, w={"N": "3"}), {"N": "3.0"}, True),
        (request("#a IN (:v, :w)", v=ONE, w=TEXT), TEXT, True),
        (request("#a IN (:v, :w)", v=ONE, w=TEXT), None, False),
        (request("begins_with(#a, :v)", v={"S": "COMPLETED#"}), TEXT, True),
        (request("begins_with(#a, :v)", v={"S": "COMPLETED#"}), {"N": "5"}, False),
        (request("attribute_exists(#a)"), {"NULL": True}, True),
        (request("attribute_not_exists(#a)"), None, True),
        (request("attribute_exists(#a.#b)"), {"M": {"b": ONE}}, True),
        (request("attribute_exists(#a[1].#b)"), {"L": [ONE, {"M": {"b": ONE}}]}, True),
        (request("attribute_exists(#a[1].#b)"), {"L": [ONE]}, False),
        (request("attribute_exists(#a.#b)"), {"S": "b"}, False),
        (request("attribute_type(#a, :v)", v={"S": "S"}), TEXT, True),
        (request("attribute_type(#a, :v)", v={"S": "NULL"}), None, False),
        (request("attribute_type(#a, :t) OR #a > :v", t={"S": "S"}, v=ONE), TEXT, True),
        (request("NOT (#a = :v OR #a = :w)", v=ONE, w=TEXT), {"BOOL": False}, True),
    ],
)
def test_both_judge_alike(asked: dict[str, Any], value: Any, passed: bool) -> None:
    item = {} if value is None else {"a": value}

    assert passes(asked, [item]) == [passed]
    assert passes_in_moto(asked, [item]) == [passed]


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        (request("#a = :v", v=ONE), {"BOOL": True}),
        (request("#a = :v", v={"S": "NzA="}), {"B": "NzA="}),
        (request("#a = :v", v={"NULL": True}), None),
        (request("#a < :v", v={"N": "2"}), {"BOOL": True}),
    ],
)
def test_moto_compares_across_types(asked: dict[str, Any], value: Any) -> None:
    item = {} if value is None else {"a": value}

    assert passes(asked, [item]) == [False]
    assert passes_in_moto(asked, [item]) == [True]


@pytest.mark.parametrize("expression", ["#a > :v", "#a BETWEEN :v AND :v"])
def test_moto_cannot_compare_a_string_with_a_number(expression: str) -> None:
    asked, items = request(expression, v=ONE), [{"a": TEXT}]

    assert passes(asked, items) == [False]
    with pytest.raises(TypeError):
        passes_in_moto(asked, items)


@pytest.mark.parametrize(
    "asked",
    [
        request("#a > :v", v={"BOOL": True}),
        request("#a BETWEEN :v AND :w", v=ONE, w=TEXT),
        request("begins_with(#a, :v)", v=ONE),
        request("attribute_type(#a, :v)", v={"S": "String"}),
        request("#a = :v", v={"N": "1E+126"}),
        request("#a = :v", v=ONE, unused=ONE),
        request("#a = :v", v=ONE) | {"ExpressionAttributeNames": {"#a": "a", "#b": "b"}},
        request("attribute_exists(#a)") | {"ExpressionAttributeValues": {}},
        request(" OR ".join(["attribute_exists(#a)"] * 200)),
        request(f"#a IN ({', '.join([':v'] * 101)})", v=ONE),
    ],
)
def test_what_dynamodb_refuses_is_an_error(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        passes(asked, [])


def test_without_an_expression_every_item_passes() -> None:
    assert passes({"TableName": "trips"}, [{}, {"a": ONE}]) == [True, True]
    assert passes_in_moto({"TableName": "trips"}, [{}]) == [True]


def test_names_of_the_projection_are_used_names() -> None:
    asked = request("#a = :v", v=ONE) | {
        "ProjectionExpression": "#p",
        "ExpressionAttributeNames": {"#a": "a", "#p": "p"},
    }

    assert passes(asked, [{"a": ONE}]) == [True]
