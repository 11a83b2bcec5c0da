"""An answer to Scan, decoded as far as it is needed."""

import json
from typing import Any

import msgspec
import pytest

from tests.samples import RULES, answer, page, trip
from trip_kpis.core.items.attributes import find
from trip_kpis.core.items.pages import Leaf
from trip_kpis.core.items.scan_answers import scan_answers


def test_a_column_has_the_values_of_a_path_in_the_items_order() -> None:
    found = page([trip("a"), trip("b", fare_amount={"S": "7"}), trip("c", fare_amount=None)])
    fares, estimates, days = found.columns
    assert fares == [Leaf(N="12.5"), Leaf(S="7"), Leaf()]
    assert estimates == [Leaf(N="12")] * 3
    assert days == [Leaf(S="2024-05-25 13:19:00")] * 3


def test_the_counts_and_the_end_are_the_answers() -> None:
    found = page([trip("a")], filtered=4, end_key={"trip_id": {"B": b"\x00\xff"}})
    assert (found.length, found.scanned, found.read_units) == (1, 5, 0.5)
    assert found.end == {"trip_id": {"B": "AP8="}}


@pytest.mark.parametrize("end", [{}, {"LastEvaluatedKey": None}, {"LastEvaluatedKey": {}}])
def test_no_key_is_the_segments_end(end: dict[str, Any]) -> None:
    body = json.dumps({"ScannedCount": 0, "Items": [], **end}).encode()
    found = scan_answers(*RULES.definition.paths).page(body)
    assert (found.end, found.read_units) == (None, 0.0)


def test_an_item_has_what_lies_at_the_paths_that_are_asked_for() -> None:
    item = trip("a", end={"M": {"photo": {"B": "AP8="}, "gone": {"NULL": True}}}, at={"S": "ф"})
    (found,) = page([trip("z"), item]).items(
        [1], paths=[("trip_id",), ("end", "photo"), ("end", "x"), ("at", "x"), ("fare",)]
    )
    assert found == {
        "trip_id": {"S": "a"}, "end": {"M": {"photo": {"B": "AP8="}}}, "at": {"S": "ф"}
    }  # fmt: skip


@pytest.mark.parametrize(
    "value", [{"L": [{"N": "1"}]}, {"SS": ["x", "ф"]}, {"M": {"x": {"L": []}}}]
)
def test_the_content_of_a_collection_stays_as_it_came(value: dict[str, Any]) -> None:
    (found,) = page([trip("a", fare_amount=value)]).items([0], paths=[("fare_amount",)])
    ((kind, content),) = found["fare_amount"].items()
    assert isinstance(content, msgspec.Raw)
    assert {kind: json.loads(bytes(content))} == value


@pytest.mark.parametrize(
    ("value", "is_missing"),
    [
        (None, True), ({"NULL": True}, True), ({"S": ""}, True), ({"S": " "}, False),
        ({"N": "0"}, False), ({"BOOL": False}, False), ({"M": {}}, False),
    ],
)  # fmt: skip
def test_a_value_is_missing_only_where_that_is_sure(value: Any, is_missing: bool) -> None:
    ((leaf,), _, _) = page([trip("a", fare_amount=value)]).columns
    assert leaf.is_missing == is_missing


def test_a_value_that_could_not_be_decoded_is_not_missing() -> None:
    found = scan_answers(('a"b',)).page(answer([{'a"b': {"N": "7"}}]))
    assert [leaf.is_missing for leaf in found.columns[0]] == [False]


def test_equal_paths_share_a_place() -> None:
    body = answer([{"n": {"N": "7"}, "m": {"M": {"a": {"N": "1"}, "b": {"S": "2"}}}}])
    found = scan_answers(("n",), ("m", "b"), ("n",), ("m", "a")).page(body)
    assert found.columns == [[Leaf(N="7")], [Leaf(S="2")], [Leaf(N="7")], [Leaf(N="1")]]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"{}", b'{"ScannedCount": "1"}', b'{"ScannedCount": 1, "Items": {}}',
        b'{"ScannedCount": 1, "Items": [{"fare_amount": {"N": 5}}]}',
        b'{"ScannedCount": 1, "Items": [1]}', b"<html></html>", b'{"ScannedCount": 0} {}',
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        scan_answers(*RULES.definition.paths).page(body)


def test_a_column_may_be_of_an_element_of_a_list_and_of_what_is_in_it() -> None:
    body = answer(
        [
            {"c": {"L": [{"M": {"a": {"N": "1"}}}, {"N": "2"}]}},
            {"c": {"L": [{"S": "x"}]}},
            {"c": {"M": {"a": {"N": "3"}}}},
            {"c": {"L": []}},
            {},
        ]
    )
    in_first, second = scan_answers(("c", 0, "a"), ("c", 1)).page(body).columns
    assert in_first == [Leaf(N="1"), Leaf(), Leaf(), Leaf(), Leaf()]
    assert [leaf.N for leaf in second] == ["2", None, None, None, None]
    assert [leaf.is_missing for leaf in second] == [False, True, True, True, True]


def test_a_path_may_be_inside_another_one() -> None:
    body = answer(
        [
            {"a": {"M": {"b": {"N": "1"}}}},
            {"a": {"S": "x"}},
            {"a": {"L": [{"N": "2"}]}},
            {"a": {"NULL": True}},
            {},
        ]
    )
    outer, inner, first = scan_answers(("a",), ("a", "b"), ("a", 0)).page(body).columns
    assert [leaf.S for leaf in outer] == [None, "x", None, None, None]
    assert [leaf.N for leaf in inner] == ["1", None, None, None, None]
    assert [leaf.N for leaf in first] == [None, None, "2", None, None]
    # Where there is none at all it may be a map: the item is looked at as a whole.
    assert [leaf.is_missing for leaf in outer] == [False, False, False, True, False]
    assert [leaf.is_decoded for leaf in outer] == [False, True, False, True, False]


def test_an_item_has_what_is_in_the_lists_that_are_asked_for() -> None:
    item = {"c": {"L": [{"M": {"a": {"N": "1"}, "z": {"N": "9"}}}, {"N": "2"}]}, "z": {"N": "9"}}
    (found,) = (
        scan_answers(("c", 0, "a")).page(answer([item])).items([0], paths=[("c", 0, "a"), ("k",)])
    )
    assert find(found, ("c", 0, "a")) == {"N": "1"}
    assert find(found, ("c", 0, "z")) is None
    assert "z" not in found


def test_a_truth_value_is_decoded_only_where_it_is_asked_for() -> None:
    body = answer([{"f": {"BOOL": True}}, {"f": {"BOOL": False}}, {"f": {"S": "true"}}, {}])
    (flags,) = scan_answers(("f",), flags=frozenset({("f",)})).page(body).columns
    assert [leaf.BOOL for leaf in flags] == [True, False, None, None]
    assert [leaf.is_decoded for leaf in flags] == [True] * 4
    assert [leaf.is_missing for leaf in flags] == [False, False, False, True]
    (others,) = scan_answers(("f",)).page(body).columns
    assert [leaf.is_decoded for leaf in others] == [False, False, True, True]
    assert [leaf.is_missing for leaf in others] == [False, False, False, True]
