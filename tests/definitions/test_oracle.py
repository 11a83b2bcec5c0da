"""The oracle of definitions, pinned by examples that are calculated by hand."""

import json
import tomllib
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.definitions.oracle import (
    Expected,
    ExpectedCounts,
    Item,
    Path,
    Settings,
    expected,
    path_of,
    path_text,
)
from tests.definitions.strategies import Case, cases, cuts, toml_text

SETTINGS = Settings(day_attribute="time")

TRIPS = """
[item]
day      = "${DayAttribute}"
complete = ["${FareAttribute}", "${EstimatedFareAttribute}"]
numbers  = ["${EstimatedFareAttribute}"]

[kpis]
trip_count   = { count = true }
total_fare   = { sum = "${FareAttribute}" }
average_fare = { average = "${FareAttribute}" }
max_fare     = { max = "${FareAttribute}" }
min_fare     = { min = "${FareAttribute}" }
"""


def judged(toml: str, *items: Item, settings: Settings = SETTINGS) -> Expected:
    return expected(tomllib.loads(toml, parse_float=Decimal), items, settings=settings)


def item(**attributes: Any) -> dict[str, Any]:
    """An item of 2024-05-25; an attribute that is None is left out."""
    all_of_them = {"time": {"S": "2024-05-25 13:19:00"}, **attributes}
    return {name: value for name, value in all_of_them.items() if value is not None}


def trip(fare: Any = None, estimate: Any = None, **attributes: Any) -> dict[str, Any]:
    return item(
        fare_amount=fare or {"N": "12.5"},
        estimated_fare_amount=estimate or {"N": "12"},
        **attributes,
    )


def definition(kpis: str = "n = { count = true }", **of_item: str) -> str:
    """A definition with these lines of [item], and the time as its day."""
    of_item = {"day": '"time"', **of_item}
    lines = "".join(f"{name} = {value}\n" for name, value in of_item.items())
    return f"[item]\n{lines}\n[kpis]\n{kpis}\n"


def line(toml: str, *items: Item) -> str:
    """The kpi.json of the only day."""
    found = judged(toml, *items)
    assert found.counts.counted == len(items), found.rejected
    [body] = [body for key, body in found.objects.items() if key.startswith("kpis/")]
    return body.decode()


def rejection(toml: str, one: Item, settings: Settings = SETTINGS) -> tuple[str, str]:
    """The reason, and the attribute at fault."""
    found = judged(toml, one, settings=settings)
    [rejected] = found.rejected
    assert found.counts == ExpectedCounts(
        excluded=0, incomplete=0, rejected={rejected.reason: 1}, counted=0
    )
    assert found.objects == {}
    assert rejected.item is one
    return rejected.reason, rejected.attribute


def test_the_default_definition() -> None:
    found = judged(
        TRIPS,
        trip({"N": "1E+1"}),
        trip({"S": "0.10"}),
        trip({"N": "-0"}),
        trip({"S": "7"}, time={"S": "2024-05-24"}),
        trip({"NULL": True}),
        trip(estimate={"S": ""}),
        trip({"S": "twelve"}),
        trip(estimate={"S": "twelve"}),
        trip(time=None),
    )

    assert found.objects == {
        "kpis/date=2024-05-24/kpi.json": (
            b'{"date":"2024-05-24","trip_count":1,"total_fare":7,"average_fare":7,'
            b'"max_fare":7,"min_fare":7}\n'
        ),
        "kpis/date=2024-05-25/kpi.json": (
            b'{"date":"2024-05-25","trip_count":3,"total_fare":10.1,"average_fare":3.366667,'
            b'"max_fare":10,"min_fare":0}\n'
        ),
    }
    assert found.counts == ExpectedCounts(
        excluded=0,
        incomplete=2,
        rejected={"fare_not_a_number": 2, "time_missing": 1},
        counted=4,
    )
    assert [(one.reason, one.attribute, one.value) for one in found.rejected] == [
        ("fare_not_a_number", "fare_amount", {"S": "twelve"}),
        ("fare_not_a_number", "estimated_fare_amount", {"S": "twelve"}),
        ("time_missing", "time", None),
    ]


def test_nothing_counts() -> None:
    assert judged(TRIPS) == Expected(
        objects={},
        counts=ExpectedCounts(excluded=0, incomplete=0, rejected={}, counted=0),
        rejected=[],
    )


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("fare", ("fare",)),
        ("pickup.city", ("pickup", "city")),
        (r"fare\.amount", ("fare.amount",)),
        (r"list\[0]", ("list[0]",)),
        ("charges[0].amount", ("charges", 0, "amount")),
        ("grid[10][2]", ("grid", 10, 2)),
        (r"back\slash", ("back\\slash",)),
        (r"a\\.b", ("a\\", "b")),
        (r"\ blank\ .x y", (" blank ", "x y")),
        ("a[x]", ("a[x]",)),
    ],
)
def test_paths(text: str, path: Path) -> None:
    assert path_of(text) == path
    assert path_of(path_text(path)) == path


names = st.text("ab.\\[]0 é", min_size=1, max_size=6)


@given(st.lists(st.one_of(names, st.integers(0, 12)), max_size=4), names)
def test_a_written_path_is_read_as_the_same(steps: list[str | int], first: str) -> None:
    assert path_of(path_text((first, *steps))) == (first, *steps)


def test_a_path_through_another_type_or_past_a_list_is_absent() -> None:
    toml = definition('n = { sum = ["a.b", "c[1].d"], missing = 1 }')

    assert line(toml, item(a={"S": "b"}, c={"L": [{"M": {"d": {"N": "5"}}}]})) == (
        '{"date":"2024-05-25","n":2}\n'
    )
    full = item(a={"M": {"b": {"N": "3"}}}, c={"L": [{"NULL": True}, {"M": {"d": {"S": "0.25"}}}]})
    assert line(toml, full) == '{"date":"2024-05-25","n":3.25}\n'


@pytest.mark.parametrize(
    ("value", "counted"),
    [
        ({"S": "x"}, 1),
        ({"BOOL": False}, 1),
        ({"M": {}}, 1),
        ({"S": "NULL"}, 1),
        ({"N": "0"}, 1),
        (None, 0),
        ({"NULL": True}, 0),
        ({"S": ""}, 0),
        ({"S": "null"}, 0),
        ({"S": "0"}, 0),
    ],
)
def test_absent_is_incomplete(value: Any, counted: int) -> None:
    toml = definition(complete='["a"]', null_values='["null", "0"]')
    counts = judged(toml, item(a=value)).counts

    assert (counts.incomplete, counts.counted) == (1 - counted, counted)


def test_what_a_kpi_uses_without_missing_and_numbers_belong_to_complete() -> None:
    toml = definition('x = { sum = ["a", "b"] }\ny = { max = "c", missing = 0 }', numbers='["d"]')
    one = {"N": "1"}

    assert judged(toml, item(a=one, b=one, d=one)).counts.counted == 1
    assert judged(toml, item(a=one, c=one, d=one)).counts.incomplete == 1
    assert judged(toml, item(a=one, b=one, c=one)).counts.incomplete == 1


def test_the_order_is_where_complete_numbers_day_groups() -> None:
    toml = (
        definition('x = { sum = "a" }', numbers='["b"]', where='{ s = "yes" }')
        + '[breakdowns]\ng = ["c"]\n'
    )
    wrong = {"BOOL": True}
    one, yes = {"N": "1"}, {"S": "yes"}
    bad_group: dict[str, Any] = {"L": []}

    assert judged(toml, item(a=None)).counts.excluded == 1
    assert judged(toml, item(s=yes, b=wrong, time=None)).counts.incomplete == 1
    faults: list[tuple[dict[str, Any], tuple[str, str]]] = [
        ({"a": wrong, "b": wrong, "time": None, "c": bad_group}, ("number_wrong_type", "a")),
        ({"a": one, "b": wrong, "time": None, "c": bad_group}, ("number_wrong_type", "b")),
        ({"a": one, "b": one, "time": None, "c": bad_group}, ("time_missing", "time")),
        ({"a": one, "b": one, "c": bad_group}, ("group_wrong_type", "c")),
    ]
    for attributes, found in faults:
        assert rejection(toml, item(s=yes, **attributes)) == found


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"BOOL": True}, "wrong_type"),
        ({"L": []}, "wrong_type"),
        ({"NS": ["1"]}, "wrong_type"),
        ({"S": "1,000"}, "not_a_number"),
        ({"S": "+5"}, "not_a_number"),
        ({"S": ".5"}, "not_a_number"),
        ({"S": " 5"}, "not_a_number"),
        ({"S": "٣"}, "not_a_number"),
        ({"S": "NaN"}, "not_a_number"),
        ({"N": "1E+9"}, "too_large"),
        ({"N": "-1000000000"}, "too_large"),
        ({"S": "1e99999999999999999999"}, "too_large"),
        ({"S": "1000000000.0000000000000000001"}, "too_large"),
        ({"N": "1E-19"}, "too_precise"),
        ({"S": "1e-99999999999999999999"}, "too_precise"),
    ],
)
def test_what_is_no_number(value: Any, reason: str) -> None:
    by_path = definition('x = { sum = "fare_amount" }')
    by_parameter = definition('x = { sum = "${FareAttribute}" }')

    assert rejection(by_path, item(fare_amount=value)) == (f"number_{reason}", "fare_amount")
    assert rejection(by_parameter, item(fare_amount=value)) == (f"fare_{reason}", "fare_amount")


@pytest.mark.parametrize(
    ("value", "figure"),
    [
        ({"N": "1E+2"}, "100"),
        ({"N": "-0"}, "0"),
        ({"S": "-0.0"}, "0"),
        ({"S": "0e99999999999999999999"}, "0"),
        ({"S": "00012.500"}, "12.5"),
        ({"S": "1e-05"}, "0.00001"),
        ({"N": "1E-18"}, "0.000000000000000001"),
        ({"S": "0.1000000000000000000000"}, "0.1"),
        ({"S": "-999999999.999999999999999999"}, "-999999999.999999999999999999"),
    ],
)
def test_numbers(value: Any, figure: str) -> None:
    assert line(definition('x = { sum = "a" }'), item(a=value)) == (
        f'{{"date":"2024-05-25","x":{figure}}}\n'
    )


def test_scale_is_exact_and_the_product_has_the_limits() -> None:
    cents = definition('x = { sum = "a", scale = "0.01" }')
    nano = definition('x = { sum = "a", scale = 1000 }')

    assert line(cents, item(a={"N": "99999999999"})) == '{"date":"2024-05-25","x":999999999.99}\n'
    assert rejection(cents, item(a={"N": "100000000000"})) == ("number_too_large", "a")
    assert rejection(cents, item(a={"N": "1E-17"})) == ("number_too_precise", "a")
    assert line(nano, item(a={"N": "1E-21"})) == (
        '{"date":"2024-05-25","x":0.000000000000000001}\n'
    )
    assert rejection(nano, item(a={"N": "1000000"})) == ("number_too_large", "a")


def test_missing_stands_in_per_path_and_before_the_scale() -> None:
    toml = definition(
        'x = { sum = ["a", "b", "c"], missing = "0.50", scale = 0.1 }', null_values='["-"]'
    )

    assert line(toml, item(a={"S": "-"}, b={"NULL": True}, c={"N": "20"})) == (
        '{"date":"2024-05-25","x":2.1}\n'
    )


def test_missing_does_not_stand_in_for_a_wrong_type() -> None:
    toml = definition('x = { max = "a", missing = 0 }')

    assert rejection(toml, item(a={"BOOL": True})) == ("number_wrong_type", "a")
    assert rejection(toml, item(a={"S": "null"})) == ("number_not_a_number", "a")


def test_the_sum_of_an_item_is_limited_too() -> None:
    half = {"N": "500000000"}
    toml = definition('x = { max = ["b", "a"] }')
    fares = definition('x = { max = ["${FareAttribute}", "b"] }')

    assert rejection(toml, item(a=half, b=half)) == ("number_too_large", "b")
    assert rejection(fares, item(fare_amount=half, b=half)) == ("fare_too_large", "fare_amount")
    assert rejection(toml, item(b={"N": "-1"}, a={"N": "1E+9"})) == ("number_too_large", "a")
    assert line(toml, item(a=half, b={"N": "499999999.5"})) == (
        '{"date":"2024-05-25","x":999999999.5}\n'
    )


def test_the_sum_of_a_day_has_no_limit() -> None:
    nearly = item(a={"N": "999999999"})

    assert line(definition('x = { sum = "a" }'), nearly, nearly) == (
        '{"date":"2024-05-25","x":1999999998}\n'
    )


def test_every_kind_of_kpi_in_the_order_of_the_definition() -> None:
    toml = definition(
        'hi = { max = ["a", "b"] }\nn = { count = true }\nlo = { min = ["a", "b"] }\n'
        'mean = { average = ["a", "b"], missing = 0 }\nall = { sum = ["a", "b"] }'
    )
    items = [item(a={"N": str(a)}, b={"S": str(b)}) for a, b in [(1, 2), (5, -9), (0, 1)]]

    assert line(toml, *items) == ('{"date":"2024-05-25","hi":3,"n":3,"lo":-4,"mean":0,"all":0}\n')


@pytest.mark.parametrize(
    ("numbers", "mean"),
    [
        (["0.000001", "0"], "0"),  # 0.0000005 is between 0 and 0.000001: to the even one
        (["0.000003", "0"], "0.000002"),
        (["-0.000001", "0"], "0"),
        (["-0.000003", "0"], "-0.000002"),
        (["0.000001000000000002", "0"], "0.000001"),
        (["1", "0", "0"], "0.333333"),
        (["2", "0", "0"], "0.666667"),
    ],
)
def test_averages_are_rounded_half_to_even(numbers: list[str], mean: str) -> None:
    items = [item(a={"N": number}) for number in numbers]

    assert line(definition('x = { average = "a" }'), *items) == (
        f'{{"date":"2024-05-25","x":{mean}}}\n'
    )


def test_the_reason_names_a_fare_wherever_its_path_is_written_as_the_stacks() -> None:
    as_a_path = 'x = { sum = "fare_amount", scale = "0.001" }'
    as_the_stacks = f'{as_a_path}\ny = {{ sum = "${{FareAttribute}}" }}'
    too_large = item(fare_amount={"N": "2E+12"})

    assert rejection(definition(as_the_stacks), too_large) == ("fare_too_large", "fare_amount")
    assert rejection(definition(as_a_path), too_large) == ("number_too_large", "fare_amount")


def day_of(toml: str, one: Item, settings: Settings = SETTINGS) -> str:
    [key] = judged(toml, one, settings=settings).objects
    return key.removeprefix("kpis/date=").removesuffix("/kpi.json")


def test_a_day_of_one_attribute() -> None:
    toml = definition(null_values='["never"]')
    berlin = Settings(time_zone="Europe/Berlin", earliest_day=date(2024, 5, 25))

    assert day_of(toml, item(time={"S": "2024-05-25T23:30:00Z"})) == "2024-05-25"
    assert day_of(toml, item(time={"S": "2024-05-25T23:30:00Z"}), berlin) == "2024-05-26"
    assert day_of(toml, item(time={"N": "1716643140000"})) == "2024-05-25"
    assert rejection(toml, item(time={"S": "2024-05-24"}), berlin)[0] == "time_out_of_range"
    assert rejection(toml, item(time={"S": "never"})) == ("time_missing", "time")
    assert rejection(toml, item(time={"NULL": True})) == ("time_missing", "time")
    assert rejection(toml, item(time={"BOOL": True})) == ("time_wrong_type", "time")
    assert rejection(toml, item(time={"S": "soon"})) == ("time_unreadable", "time")
    assert rejection(toml, item(time={"N": "20240525"})) == ("time_out_of_range", "time")


def test_a_day_of_date_and_time() -> None:
    toml = definition(day='{ date = "d", time = "t" }')
    formats = Settings(time_formats=("%Y%m%d %H%M",))

    assert day_of(toml, item(d={"S": "2024-05-25"}, t={"S": "23:30-05:00"})) == "2024-05-26"
    assert day_of(toml, item(d={"N": "20240525"}, t={"N": "1319"}), formats) == "2024-05-25"
    assert rejection(toml, item(d={"S": "2024-05-25"})) == ("time_missing", "t")
    assert rejection(toml, item(t={"S": "13:19"})) == ("time_missing", "d")
    assert rejection(toml, item(d={"BOOL": True}, t={"S": ""})) == ("time_missing", "t")
    assert rejection(toml, item(d={"S": "x"}, t={"M": {}})) == ("time_wrong_type", "t")
    assert rejection(toml, item(d={"N": "20240525"}, t={"N": "1319"})) == ("time_unreadable", "d")
    assert rejection(toml, item(d={"S": "1999-12-31"}, t={"S": "23:59"})) == (
        "time_out_of_range",
        "d",
    )


def test_a_day_behind_a_prefix() -> None:
    toml = definition(day='{ path = "keys[0]", after = "TRIP#" }')

    def keys(first: Any) -> Item:
        return item(keys={"L": [first]})

    assert day_of(toml, keys({"S": "TRIP#2024-05-25"})) == "2024-05-25"
    assert rejection(toml, keys({"S": "2024-05-25"})) == ("time_unreadable", "keys[0]")
    assert rejection(toml, keys({"S": "TRIP#"})) == ("time_unreadable", "keys[0]")
    assert rejection(toml, keys({"S": "TRIP#1716643140"})) == ("time_unreadable", "keys[0]")
    assert rejection(toml, keys({"N": "1716643140"})) == ("time_wrong_type", "keys[0]")
    assert rejection(toml, keys({"NULL": True})) == ("time_missing", "keys[0]")


SEVEN, TEXT_SEVEN, TRUE = {"N": "7"}, {"S": "7.0"}, {"BOOL": True}


@pytest.mark.parametrize(
    ("condition", "met", "not_met"),
    [
        ('"completed"', [{"S": "completed"}], [{"S": "Completed"}, TRUE, None, {"B": "YQ=="}]),
        ('"7"', [{"S": "7"}], [SEVEN, TEXT_SEVEN]),
        ("7", [SEVEN, TEXT_SEVEN, {"N": "0.7E+1"}], [{"S": " 7"}, TRUE, None, {"N": "7.1"}]),
        ("1", [{"N": "1.00"}], [TRUE, {"NS": ["1"]}]),
        ("0", [{"N": "-0"}, {"S": "-0.0"}], [None, {"S": ""}, {"BOOL": False}]),
        ("0.1", [{"N": "0.10"}, {"S": "1e-1"}], [{"S": "0.1000000000000000055511151231"}]),
        ("true", [TRUE], [{"BOOL": False}, {"S": "true"}, {"N": "1"}, None]),
        ('["a", 7, false]', [{"S": "a"}, SEVEN, {"BOOL": False}], [{"S": "b"}, TRUE, None]),
        ("{ not = 7 }", [{"N": "8"}, {"S": "seven"}, None, TRUE], [SEVEN, TEXT_SEVEN]),
        ('{ not = ["a", 7] }', [{"S": "b"}, None, {"NULL": True}], [{"S": "a"}, TEXT_SEVEN]),
        ('{ begins_with = "C#" }', [{"S": "C#"}, {"S": "C#1"}], [{"S": "C"}, {"B": "QyM="}, None]),
        ('{ begins_with = ["C#", "7"] }', [{"S": "C#1"}, TEXT_SEVEN], [SEVEN, {"S": "D"}]),
        ("{ exists = true }", [TRUE, {"M": {}}], [None, {"NULL": True}, {"S": ""}, {"S": "-"}]),
        ("{ exists = false }", [None, {"NULL": True}, {"S": ""}, {"S": "-"}], [TRUE, {"L": []}]),
        ("{ above = 7 }", [{"N": "7.01"}, {"S": "10"}], [SEVEN, {"S": "seven"}, None, TRUE]),
        ("{ at_least = 7 }", [SEVEN, TEXT_SEVEN, {"S": "1E+200"}], [{"N": "6.9"}, {"NS": ["8"]}]),
        ("{ below = 7 }", [{"N": "-1E+99"}, {"S": "6.9"}], [SEVEN, None, {"S": ""}]),
        ("{ at_most = 7 }", [SEVEN, TEXT_SEVEN], [{"N": "7.1"}, {"BOOL": False}]),
        ('{ above = "2024-05" }', [{"S": "2024-05-01"}], [{"S": "2024-05"}, {"N": "9999"}, None]),
        ('{ below = "😀" }', [{"S": "\uff21"}, {"S": "z"}], [{"S": "😁"}, {"S": "-"}]),
        ("{ above = 0, at_most = 10 }", [{"N": "10"}, {"S": "0.1"}], [{"N": "0"}, {"N": "11"}]),
        ('{ begins_with = "a", not = "ab" }', [{"S": "a"}, {"S": "abc"}], [{"S": "ab"}]),
    ],
)
def test_where(condition: str, met: list[Any], not_met: list[Any]) -> None:
    toml = definition(null_values='["-"]', where=f'{{ "a.b" = {condition} }}')

    def within(value: Any) -> Item:
        return item(a={"M": {} if value is None else {"b": value}})

    for value in met:
        counts = judged(toml, within(value)).counts
        assert (counts.excluded, counts.counted) == (0, 1), value
    for value in not_met:
        counts = judged(toml, within(value)).counts
        assert (counts.excluded, counts.counted) == (1, 0), value


def test_all_conditions_must_hold() -> None:
    toml = definition(where='{ "${FareAttribute}" = { above = 0 }, s = "done" }')
    fare, done = {"N": "1"}, {"S": "done"}

    assert judged(toml, item(fare_amount=fare, s=done)).counts.excluded == 0
    assert judged(toml, item(fare_amount=fare)).counts.excluded == 1
    assert judged(toml, item(s=done)).counts.excluded == 1


def test_a_null_word_is_text_for_numbers_as_well() -> None:
    toml = definition(null_values='["0"]', where="{ a = 0 }")

    assert judged(toml, item(a={"N": "0"}), item(a={"S": "0.0"})).counts.excluded == 0
    assert judged(toml, item(a={"S": "0"})).counts.excluded == 1


def test_groups() -> None:
    toml = (
        definition('n = { count = true }\nx = { sum = "f" }', null_values='["-"]')
        + '[breakdowns]\nby_a = ["m.a"]\n'
    )
    values = [
        {"S": "b"},
        {"N": "7.0"},
        {"S": "7"},
        {"N": "-0"},
        {"N": "1E+2"},
        {"BOOL": True},
        {"S": "true"},
        {"BOOL": False},
        {"NULL": True},
        {"S": ""},
        {"S": "-"},
        {"S": "😀"},
        {"S": "\uff21"},
        {"S": 'Z"\n'},
    ]
    found = judged(toml, *(item(f={"N": "0.5"}, m={"M": {"a": value}}) for value in values))

    assert found.objects["breakdowns/by=by_a/date=2024-05-25/kpis.jsonl"].decode() == "".join(
        f'{{"date":"2024-05-25","a":{group},"n":{n},"x":{x}}}\n'
        for group, n, x in [
            ("null", 3, "1.5"),
            ('"0"', 1, "0.5"),
            ('"100"', 1, "0.5"),
            ('"7"', 2, "1"),
            (r'"Z\"\n"', 1, "0.5"),
            ('"b"', 1, "0.5"),
            ('"false"', 1, "0.5"),
            ('"true"', 2, "1"),
            ('"\uff21"', 1, "0.5"),
            ('"😀"', 1, "0.5"),
        ]
    )
    assert found.objects["kpis/date=2024-05-25/kpi.json"] == (
        b'{"date":"2024-05-25","n":14,"x":7}\n'
    )


def test_columns_of_a_breakdown_and_an_object_per_day() -> None:
    toml = definition() + (
        "[breakdowns]\n"
        'one = ["pickup.city", "dropoff.city", "charges[0].kind", "tags[1]"]\n'
        'two = ["pickup.city"]\n'
    )
    found = judged(
        toml,
        item(pickup={"M": {"city": {"S": "A"}}}, tags={"L": [{"S": "x"}, {"S": "y"}]}),
        item(time={"S": "2024-05-26"}, charges={"L": [{"M": {"kind": {"N": "1"}}}]}),
    )

    assert {key: body.decode() for key, body in found.objects.items() if "by=" in key} == {
        "breakdowns/by=one/date=2024-05-25/kpis.jsonl": (
            '{"date":"2024-05-25","pickup.city":"A","dropoff.city":null,"kind":null,'
            '"tags[1]":"y","n":1}\n'
        ),
        "breakdowns/by=two/date=2024-05-25/kpis.jsonl": (
            '{"date":"2024-05-25","city":"A","n":1}\n'
        ),
        "breakdowns/by=one/date=2024-05-26/kpis.jsonl": (
            '{"date":"2024-05-26","pickup.city":null,"dropoff.city":null,"kind":"1",'
            '"tags[1]":null,"n":1}\n'
        ),
        "breakdowns/by=two/date=2024-05-26/kpis.jsonl": (
            '{"date":"2024-05-26","city":null,"n":1}\n'
        ),
    }


@pytest.mark.parametrize("value", [{"B": "YQ=="}, {"M": {}}, {"L": []}, {"SS": ["a"]}])
def test_other_types_are_no_group(value: Any) -> None:
    toml = definition() + '[breakdowns]\ng = ["b", "a"]\n'

    assert rejection(toml, item(a=value)) == ("group_wrong_type", "a")


@given(cases())
def test_every_item_is_judged_once_and_groups_add_up(case: Case) -> None:
    found = expected(case.document, case.items, settings=case.settings)
    counts = found.counts
    rejected = sum(counts.rejected.values())

    assert counts.excluded + counts.incomplete + rejected + counts.counted == len(case.items)
    assert rejected == len(found.rejected)
    with_count = {**case.document, "kpis": {**case.document["kpis"], "n": {"count": True}}}
    objects = expected(with_count, case.items, settings=case.settings).objects
    days: Counter[str] = Counter()
    groups: dict[str, Counter[str]] = {
        name: Counter() for name in case.document.get("breakdowns", {})
    }
    for key, body in objects.items():
        for row in map(json.loads, body.decode().removesuffix("\n").split("\n")):
            of = groups[key.split("/")[1].removeprefix("by=")] if "by=" in key else days
            of[row["date"]] += row["n"]
    assert sum(days.values()) == counts.counted
    assert all(of == days for of in groups.values())


@given(cases())
def test_a_document_is_the_same_as_toml(case: Case) -> None:
    assert tomllib.loads(toml_text(case.document), parse_float=Decimal) == case.document


@given(st.data())
def test_a_cut_has_every_item_once(data: st.DataObject) -> None:
    items = [item(trip_id={"S": str(number)}) for number in range(data.draw(st.integers(0, 9)))]
    segments = data.draw(cuts(items))

    seen = [one for segment in segments for page in segment for one in page]
    assert sorted(seen, key=str) == sorted(items, key=str)
