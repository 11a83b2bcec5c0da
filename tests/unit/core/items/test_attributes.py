"""Paths into items."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trip_kpis.core.errors import SettingError
from trip_kpis.core.items.attributes import (
    AttributePath,
    dotted_path,
    find,
    is_missing,
    overlapping,
    parse_path,
)


def test_a_dotted_path_leads_into_nested_maps() -> None:
    assert parse_path("fare_amount", setting="X") == ("fare_amount",)
    assert parse_path("a.b.c", setting="X") == ("a", "b", "c")


@pytest.mark.parametrize(
    ("dotted", "path"),
    [
        (r"fare\.amount", ("fare.amount",)),
        (r"trip\.end.fare\.amount", ("trip.end", "fare.amount")),
        (r"\.a", (".a",)),
        (r"a\.", ("a.",)),
        (r"a\..b", ("a.", "b")),
        (r"\.", (".",)),
        (r"a\\.b", ("a\\", "b")),
        (r"a\\\.b", (r"a\.b",)),
        (r"a\b", (r"a\b",)),
        ("a\\", ("a\\",)),
        (r"\ fare\ ", (" fare ",)),
        ("a b", ("a b",)),
    ],
)
def test_a_backslash_makes_a_dot_or_a_blank_part_of_a_name(
    dotted: str, path: tuple[str, ...]
) -> None:
    assert parse_path(dotted, setting="X") == path


names = st.text(min_size=1) | st.text(r".\ ab[]019", min_size=1)
paths = st.tuples(names, st.lists(names | st.integers(0, 99_999))).map(
    lambda parts: (parts[0], *parts[1])
)


@given(paths)
def test_every_path_can_be_written(path: AttributePath) -> None:
    assert parse_path(dotted_path(path), setting="X") == path


@pytest.mark.parametrize(
    ("dotted", "path"),
    [
        ("charges[0].amount", ("charges", 0, "amount")),
        ("a[0][12]", ("a", 0, 12)),
        (r"a\[0].b", ("a[0]", "b")),
        ("a[x]", ("a[x]",)),
        ("a[0]b", ("a[0]b",)),
        ("a[-1]", ("a[-1]",)),
        ("a[123456]", ("a[123456]",)),
        ("a[00007]", ("a", 7)),
    ],
)
def test_a_number_in_brackets_leads_into_a_list(dotted: str, path: AttributePath) -> None:
    assert parse_path(dotted, setting="X") == path


@pytest.mark.parametrize("dotted", ["[0]", "[0].a", "a.[0]", "a[0]..b", "a[0]."])
def test_a_list_has_a_name(dotted: str) -> None:
    with pytest.raises(SettingError, match="X is "):
        parse_path(dotted, setting="X")


def test_an_element_of_a_list_is_found_and_others_are_absent() -> None:
    item = {"a": {"L": [{"N": "1"}, {"M": {"b": {"S": "x"}}}]}, "m": {"M": {"0": {"N": "2"}}}}
    assert find(item, ("a", 0)) == {"N": "1"}
    assert find(item, ("a", 1, "b")) == {"S": "x"}
    absent: list[AttributePath] = [
        ("a", 2),
        ("a", 0, 0),
        ("a", "0"),
        ("m", 0),
        ("x", 0),
        ("a", 0, "b"),
    ]
    for path in absent:
        assert find(item, path) is None


def test_an_ordinary_path_is_written_as_ever() -> None:
    assert dotted_path(("trip_end", "fare_amount")) == "trip_end.fare_amount"
    assert dotted_path((r"a\b", "c d")) == r"a\b.c d"
    assert dotted_path(("fare.amount",)) == r"fare\.amount"


@pytest.mark.parametrize(
    "dotted", ["", ".", "a.", ".a", "a..b", " a", "a. b", "a\n", r"a\\.", r"\..", r"\.. a"]
)
def test_a_path_with_an_empty_name_is_refused_by_name(dotted: str) -> None:
    with pytest.raises(SettingError, match="FARE_ATTRIBUTE") as caught:
        parse_path(dotted, setting="FARE_ATTRIBUTE")
    assert repr(dotted) in str(caught.value)


def test_what_is_absent_on_the_way_is_absent() -> None:
    item = {"a": {"M": {"b": {"M": {"c": {"N": "1"}}}, "t": {"S": "x"}}}, "s": {"S": "x"}}
    assert find(item, ("a", "b", "c")) == {"N": "1"}
    for path in [("x",), ("a", "x"), ("a", "b", "x"), ("a", "t", "x"), ("s", "b"), ("x", "y", "z")]:
        assert find(item, path) is None


def test_a_name_with_a_type_descriptors_letter_is_an_ordinary_name() -> None:
    assert find({"M": {"M": {"S": {"N": "1"}}}}, ("M", "S")) == {"N": "1"}


def test_absent_null_and_an_empty_string_are_missing_and_nothing_else_is() -> None:
    assert is_missing(None)
    assert is_missing({"NULL": True})
    assert is_missing({"S": ""})
    for there in ({"S": " "}, {"S": "0"}, {"N": "0"}, {"BOOL": False}, {"L": []}, {"M": {}},
                  {"B": b""}):  # fmt: skip
        assert not is_missing(there)


def test_a_path_inside_another_overlaps_it() -> None:
    assert overlapping([("a", "b"), ("c",), ("a",)]) == (("a",), ("a", "b"))
    assert overlapping([("a",), ("a", "b", "c"), ("a0",), ("B",)]) == (("a",), ("a", "b", "c"))


def test_siblings_equal_paths_and_like_names_do_not_overlap() -> None:
    assert overlapping([("a", "b"), ("a", "c"), ("a", "b")]) is None
    assert overlapping([("fare",), ("fare_amount",), ("x", "fare")]) is None
