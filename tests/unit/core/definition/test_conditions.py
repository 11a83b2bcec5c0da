"""Conditions on one value, and that a page at once and DynamoDB's filter agree with them."""

from decimal import Decimal
from typing import Any

import pytest

from tests.samples import DEFINITION, answer, rules
from trip_kpis.core.definition.conditions import (
    BeginsWith,
    Compared,
    Condition,
    Equals,
    Exists,
    holds,
    is_absent,
)
from trip_kpis.core.definition.filter_expression import is_exact, request
from trip_kpis.core.definition.parsing import DefinitionFile
from trip_kpis.core.items.scan_answers import scan_answers
from trip_kpis.core.reading import columns

PATH = ("x",)
NULL_WORDS = frozenset({"null", "N/A"})
ABSENT: list[Any] = [None, {"NULL": True}, {"S": ""}, {"S": "null"}, {"S": "N/A"}]
OTHER_TYPES: list[Any] = [{"L": []}, {"M": {}}, {"SS": ["a"]}, {"B": b"a"}]

CASES: list[tuple[Condition, list[Any], list[Any]]] = [
    (
        Equals(path=PATH, values=("a", "b")),
        [{"S": "a"}, {"S": "b"}],
        [{"S": "A"}, {"S": "a "}, {"S": "c"}, {"N": "1"}, {"BOOL": True}],
    ),
    (
        Equals(path=PATH, values=(Decimal("1.50"),)),
        [{"N": "1.5"}, {"N": "15E-1"}, {"S": "1.5"}, {"S": "1.500"}, {"S": "0.15e1"}],
        [{"N": "1.51"}, {"S": "1,5"}, {"S": "1.5 "}, {"S": "+1.5"}, {"BOOL": True}],
    ),
    (
        Equals(path=PATH, values=(Decimal("1e126"), Decimal(0))),
        [{"S": "1e126"}, {"S": "-0"}, {"N": "0"}, {"S": "0e9999999999"}],
        [{"S": "1e9999999999"}, {"S": "1e-9999999999"}, {"N": "1"}],
    ),
    (
        Equals(path=PATH, values=(True,)),
        [{"BOOL": True}],
        [{"BOOL": False}, {"S": "true"}, {"N": "1"}],
    ),
    (
        Equals(path=PATH, values=("a", Decimal(7), False)),
        [{"S": "a"}, {"N": "7"}, {"S": "7.0"}, {"BOOL": False}],
        [{"S": "b"}, {"N": "8"}, {"BOOL": True}],
    ),
    (
        BeginsWith(path=PATH, texts=("RAW#", "DONE")),
        [{"S": "RAW#1"}, {"S": "DONE"}],
        [{"S": "RAW"}, {"S": "done"}, {"N": "1"}, {"BOOL": True}],
    ),
    (
        Compared(path=PATH, operator="above", limit=Decimal(0)),
        [{"N": "0.1"}, {"S": "1e-30"}, {"S": "1e999999999"}],
        [{"N": "0"}, {"S": "-1"}, {"S": "x"}, {"BOOL": True}, {"S": "1e"}],
    ),
    (
        Compared(path=PATH, operator="at_least", limit=Decimal("-2.5")),
        [{"N": "-2.5"}, {"S": "-2.50"}, {"N": "7"}],
        [{"N": "-2.6"}, {"S": "-1e10"}],
    ),
    (
        Compared(path=PATH, operator="below", limit="2024-06-01"),
        [{"S": "2024-05-31"}, {"S": "2024-05-31T23:59:59Z"}, {"S": "0"}],
        [{"S": "2024-06-01"}, {"S": "9"}, {"N": "1"}, {"BOOL": False}],
    ),
    (
        Compared(path=PATH, operator="at_most", limit="Z"),
        [{"S": "Z"}, {"S": "A"}],
        [{"S": "ZZ"}, {"S": "a"}, {"S": "\u00c4"}],
    ),
    (
        # By UTF-8, not by UTF-16 as Java and JavaScript compare.
        Compared(path=PATH, operator="above", limit="\uffff"),
        [{"S": "\U00010000"}],
        [{"S": "\uffff"}, {"S": "\ufffe"}, {"S": "z"}],
    ),
]


def negated(condition: Condition) -> Condition | None:
    if isinstance(condition, Equals):
        return Equals(path=condition.path, values=condition.values, negated=True)
    return None


@pytest.mark.parametrize("value", ABSENT)
def test_a_value_that_is_not_there_is_absent_and_so_is_a_null_word(value: Any) -> None:
    assert is_absent(value, NULL_WORDS)


@pytest.mark.parametrize("value", [{"S": "NULL"}, {"S": " "}, {"S": "null "}, {"N": "0"},
                                   {"BOOL": False}, *OTHER_TYPES])  # fmt: skip
def test_nothing_else_is_absent(value: Any) -> None:
    assert not is_absent(value, NULL_WORDS)
    assert not is_absent({"S": "null"}, frozenset())


@pytest.mark.parametrize(("condition", "met", "not_met"), CASES, ids=repr)
def test_a_condition_holds_or_does_not(
    condition: Condition, met: list[Any], not_met: list[Any]
) -> None:
    for value in met:
        assert holds(condition, value, NULL_WORDS), value
    for value in [*not_met, *ABSENT, *OTHER_TYPES]:
        assert not holds(condition, value, NULL_WORDS), value


@pytest.mark.parametrize("condition", [one for one, _, _ in CASES if isinstance(one, Equals)])
def test_not_holds_exactly_where_equals_does_not(condition: Equals) -> None:
    other = Equals(path=condition.path, values=condition.values, negated=True)
    values = [value for _, met, not_met in CASES for value in [*met, *not_met]]
    for value in [*values, *ABSENT, *OTHER_TYPES]:
        assert holds(other, value, NULL_WORDS) is not holds(condition, value, NULL_WORDS), value


def test_existing_is_not_being_absent() -> None:
    there, gone = Exists(path=PATH, wanted=True), Exists(path=PATH, wanted=False)
    for value in ABSENT:
        assert (holds(there, value, NULL_WORDS), holds(gone, value, NULL_WORDS)) == (False, True)
    for value in [{"S": "x"}, {"N": "0"}, {"BOOL": False}, *OTHER_TYPES]:
        assert (holds(there, value, NULL_WORDS), holds(gone, value, NULL_WORDS)) == (True, False)


EVERY: list[Condition] = [
    *(one for one, _, _ in CASES),
    *(one for one in (negated(condition) for condition, _, _ in CASES) if one is not None),
    Exists(path=PATH, wanted=True),
    Exists(path=PATH, wanted=False),
]
SCALARS = [value for _, met, not_met in CASES for value in [*met, *not_met]]


@pytest.mark.parametrize("condition", EVERY, ids=repr)
def test_a_page_at_once_agrees_or_leaves_it_open(condition: Condition) -> None:
    """What a column says of plain values is what the condition says of each."""
    found = at_once(condition, [*SCALARS, *ABSENT])
    for value, held in zip([*SCALARS, *ABSENT], found, strict=True):
        assert held in (None, holds(condition, value, NULL_WORDS)), value
    assert None not in found or not is_exact(condition)


def at_once(condition: Condition, values: list[Any]) -> list[bool | None]:
    """What a column of a page with these values says."""
    items = [{} if value is None else {"x": value} for value in values]
    (leaves,) = scan_answers(PATH, flags=frozenset({PATH})).page(answer(items)).columns
    found: list[bool | None] = columns.hold(leaves, condition, NULL_WORDS).to_pylist()
    return found


@pytest.mark.parametrize("condition", EVERY, ids=repr)
def test_what_was_not_decoded_is_left_open(condition: Condition) -> None:
    assert at_once(condition, [{"L": []}, {"M": {}}, {"SS": ["a"]}]) == [None] * 3


WITH_CONDITIONS = DefinitionFile(
    name="d",
    text="""
[item]
day = "at"
complete = ["never asked for in the filter"]
[item.where]
status = "done"
"size[0].weight" = { above = 0, at_most = 10 }
[kpis]
trips = { count = true }
""",
)


def test_a_request_filters_by_the_conditions_alone_and_projects_whole_lists() -> None:
    asked = request(rules(definition=WITH_CONDITIONS).definition, ("trip_id",))
    names, values = asked["ExpressionAttributeNames"], asked["ExpressionAttributeValues"]
    shown = asked["ProjectionExpression"]
    for mark, name in names.items():
        shown = shown.replace(mark, name)
    assert sorted(shown.split(", ")) == sorted(
        ["never asked for in the filter", "at", "status", "size", "trip_id"]
    )
    never = next(mark for mark, name in names.items() if name.startswith("never"))
    assert never not in asked["FilterExpression"]
    assert {"S": "done"} in values.values()
    assert {"N": "10"} in values.values()


def test_without_conditions_a_request_filters_by_what_is_needed() -> None:
    asked = request(rules().definition, ("trip_id",))
    assert asked["FilterExpression"] == (
        "attribute_exists(#n0) AND attribute_exists(#n1) AND #n0 <> :empty AND #n1 <> :empty"
    )
    assert asked["ExpressionAttributeValues"] == {":empty": {"S": ""}}


def test_a_definition_that_needs_nothing_has_no_filter() -> None:
    counting = DefinitionFile(name="d", text='[item]\nday = "at"\n[kpis]\nn = { count = true }\n')
    asked = request(rules(definition=counting).definition, ("trip_id",))
    assert asked.keys() == {"ProjectionExpression", "ExpressionAttributeNames"}


@pytest.mark.parametrize("condition", EVERY, ids=repr)
def test_dynamodb_decides_alone_only_what_is_not_about_numbers(condition: Condition) -> None:
    about = getattr(condition, "values", (getattr(condition, "limit", None),))
    assert is_exact(condition) is not any(isinstance(value, Decimal) for value in about)


def test_the_default_definitions_file_has_no_conditions() -> None:
    assert rules(definition=DEFINITION).definition.where == ()
