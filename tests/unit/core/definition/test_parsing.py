"""A definition is read into values, or an error says where it is wrong and what is possible."""

from decimal import Decimal

import pytest

from trip_kpis.core.definition.conditions import BeginsWith, Compared, Equals, Exists
from trip_kpis.core.definition.model import (
    Breakdown,
    Combined,
    Day,
    Definition,
    Function,
    Measure,
)
from trip_kpis.core.definition.parsing import DefinitionFile, StackPaths
from trip_kpis.core.errors import DefinitionError

PATHS = StackPaths(fare="fare_amount", estimated_fare="trip.estimate", day=r"pickup\.at")

RICH = """
[item]
day         = { date = "date", time = "time" }
complete    = ["${FareAttribute}"]
numbers     = ["${EstimatedFareAttribute}"]
null_values = ["null", "N/A"]

[item.where]
status        = ["completed", "paid"]
SK            = { begins_with = "COMPLETED#" }
deleted_at    = { exists = false }
vendor_id     = { not = [7, "9"] }
"pickup.city" = true
fare_amount   = { above = 0, at_most = 1e4 }

[kpis]
trips    = { count = true }
revenue  = { sum = ["fare_amount", "tip"], missing = 0, scale = "0.01" }
mean     = { average = "fare_amount" }
longest  = { max = "charges[0].km", missing = "-1.5" }

[breakdowns]
vendor       = ["vendor_id"]
city_by_type = ["pickup.city", "dropoff.city", "trip_type"]
"""


def read(text: str, *, name: str = "mine", paths: StackPaths = PATHS) -> Definition:
    return DefinitionFile(name=name, text=text).definition(paths)


def test_a_whole_definition_is_read() -> None:
    found = read(RICH)
    assert found.name == "mine"
    assert found.day == Day(paths=(("date",), ("time",)))
    assert found.complete == (("fare_amount",),)
    assert found.numbers == (("trip", "estimate"),)
    assert found.fares == {("fare_amount",), ("trip", "estimate")}
    assert found.null_values == {"null", "N/A"}
    assert found.where == (
        Equals(path=("status",), values=("completed", "paid")),
        BeginsWith(path=("SK",), texts=("COMPLETED#",)),
        Exists(path=("deleted_at",), wanted=False),
        Equals(path=("vendor_id",), values=(Decimal(7), "9"), negated=True),
        Equals(path=("pickup", "city"), values=(True,)),
        Compared(path=("fare_amount",), operator="above", limit=Decimal(0)),
        Compared(path=("fare_amount",), operator="at_most", limit=Decimal(10_000)),
    )
    assert [(kpi.name, kpi.function) for kpi in found.kpis] == [
        ("trips", Function.COUNT),
        ("revenue", Function.SUM),
        ("mean", Function.AVERAGE),
        ("longest", Function.MAX),
    ]
    revenue, mean, longest = found.measures
    assert revenue == Measure(
        paths=(("fare_amount",), ("tip",)), scale=Decimal("0.01"), missing=Decimal(0)
    )
    assert mean == Measure(paths=(("fare_amount",),))
    assert longest == Measure(paths=(("charges", 0, "km"),), missing=Decimal("-1.5"))
    assert found.breakdowns == (
        Breakdown(name="vendor", paths=(("vendor_id",),)),
        Breakdown(
            name="city_by_type", paths=(("pickup", "city"), ("dropoff", "city"), ("trip_type",))
        ),
    )


def test_what_follows_from_a_definition() -> None:
    found = read(RICH)
    assert found.needed == (("fare_amount",), ("trip", "estimate"))
    assert set(found.paths) == {
        ("date",), ("time",), ("fare_amount",), ("trip", "estimate"), ("status",), ("SK",),
        ("deleted_at",), ("vendor_id",), ("pickup", "city"), ("tip",), ("charges", 0, "km"),
        ("dropoff", "city"), ("trip_type",),
    }  # fmt: skip
    assert len(set(found.paths)) == len(found.paths)
    assert [(one.column, one.combined) for one in found.aggregates] == [
        ("trips", Combined.SUM),
        ("revenue", Combined.SUM),
        ("sum of mean", Combined.SUM),
        ("longest", Combined.MAX),
    ]
    vendor, cities = found.breakdowns
    assert vendor.attributes == ("vendor_id",)
    assert cities.attributes == ("pickup.city", "dropoff.city", "trip_type")


def test_a_figure_that_two_kpis_need_is_aggregated_once() -> None:
    found = read("""
[item]
day = "at"
[kpis]
total = { sum = "fare" }
again = { sum = "fare" }
mean  = { average = "fare" }
""")
    assert [one.column for one in found.aggregates] == ["number of items", "total"]
    assert {found.column(kpi) for kpi in found.kpis} == {"total"}
    assert found.items_column == "number of items"


def test_a_group_of_a_lists_element_is_called_by_both() -> None:
    found = read("""
[item]
day = "at"
[kpis]
n = { count = true }
[breakdowns]
first = ["a.charges[0]"]
""")
    assert found.breakdowns[0].attributes == ("charges[0]",)


def test_the_stacks_paths_take_the_place_of_their_parameters() -> None:
    day = read('[item]\nday = "${DayAttribute}"\n[kpis]\nn = { count = true }\n').day
    assert day == Day(paths=(("pickup.at",),))
    behind = '[item]\nday = { path = "SK", after = "T#" }\n[kpis]\nn = { count = true }\n'
    assert read(behind).day == Day(paths=(("SK",),), after="T#")


def test_a_fare_is_a_fare_only_where_it_is_written_as_one() -> None:
    assert read('[item]\nday = "at"\n[kpis]\nn = { sum = "fare_amount" }\n').fares == frozenset()


def item(**lines: str) -> str:
    """A definition in which these lines replace others of its tables."""
    given = {"day": '"at"', **lines}
    kpis = given.pop("kpis", "n = { count = true }")
    rest = given.pop("rest", "")
    head = "\n".join(f"{name} = {value}" for name, value in given.items())
    return f"[item]\n{head}\n[kpis]\n{kpis}\n{rest}\n"


def kpi(text: str) -> str:
    return item(kpis=f"x = {text}")


def where(text: str) -> str:
    return item(rest=f"[item.where]\n{text}")


def breakdown(text: str) -> str:
    return item(rest=f"[breakdowns]\n{text}")


WRONG: list[tuple[str, list[str]]] = [
    # TOML itself, with the line
    ("[item]\nday = \n", ["mine.toml is not TOML", "line 2"]),
    # names of tables and keys
    ("", ["mine.toml has no [item]"]),
    ('[item]\nday = "at"\n', ["mine.toml has no [kpis]"]),
    ('[item]\nday = "at"\n[kpi]\nn = 1\n', ["[kpi]", "item, kpis, breakdowns", "mean kpis?"]),
    ("item = 7\n[kpis]\n", ["item is 7", "a table"]),
    (item(compleet='["a"]'), ["item.compleet", "day, complete, numbers", "mean complete?"]),
    ('[item]\n[kpis]\nn = { count = true }\n', ["item.day is not there", "pickup_datetime"]),
    (item(day="7"), ["item.day is 7", "{ date = PATH, time = PATH }"]),
    (item(day='{ date = "d" }'), ["item.day is", "after = TEXT"]),
    (item(day='{ path = "SK", after = "" }'), ["item.day.after", "not empty"]),
    (item(day='"a..b"'), ["item.day is 'a..b'", "attribute path"]),
    (item(complete='"fare"'), ["item.complete", '"fare"', "a list of attribute paths"]),
    (item(complete="[7]"), ["item.complete", "7", "an attribute path"]),
    (item(null_values='"null"'), ["item.null_values", "a list"]),
    (item(null_values='[""]'), ["item.null_values", "not empty"]),
    # parameters
    (item(day='"${DayAtribute}"'), ["item.day", "${DayAtribute}", "mean ${DayAttribute}?"]),
    (item(day='"x.${DayAttribute}"'), ["item.day", "a parameter alone"]),
    # conditions
    (where("status = {}"), ["item.where.status", "begins_with"]),
    (where("status = []"), ["item.where.status", "1 to 100"]),
    (where("status = { beginswith = 'a' }"), ["item.where.status.beginswith", "mean begins_with?"]),
    (where("pickup = { city = 'x' }"), ["item.where.pickup.city", '"pickup.city" = …']),
    (where("pickup.city = 'x'"), ["item.where.pickup.city", '"pickup.city" = …']),
    (where("at = 2024-05-25"), ["item.where.at", "2024-05-25", "written as a String"]),
    (where("at = { above = 2024-05-25 }"), ["item.where.at.above", "written as a String"]),
    (where("a = { exists = 1 }"), ["item.where.a.exists", "1", "true or false"]),
    (where("a = { above = true }"), ["item.where.a.above", "true", "a number"]),
    (where("a = { begins_with = 7 }"), ["item.where.a.begins_with", "7", "Strings"]),
    (where("a = { begins_with = [] }"), ["item.where.a.begins_with", "Strings"]),
    (where("a = ''"), ["item.where.a", '""', "{ exists = false }"]),
    (where("a = { above = 1e200 }"), ["item.where.a.above", "DynamoDB can hold"]),
    (where(f"a = 0.{'1' * 39}"), ["item.where.a", "38 digits"]),
    (where("a = 1e126"), ["item.where.a", "9.9E+125"]),
    (where("a = 1e9999999"), ["item.where.a", "DynamoDB can hold"]),
    (where("a = 1e99999999999999999999"), ["exponent is too long"]),
    (where("a = 1e-140"), ["item.where.a", "DynamoDB can hold"]),
    (where("a = nan"), ["item.where.a", "a number"]),
    (where("a = inf"), ["item.where.a", "a number"]),
    # KPIs
    ('[item]\nday = "at"\n[kpis]\n', ["[kpis] is empty", "count = true"]),
    (kpi('"sum"'), ["kpis.x", '"sum"', "{ count = true }"]),
    (kpi('{ summ = "a" }'), ["kpis.x.summ", "count, sum, average", "mean sum?"]),
    (kpi('{ sum = "a", max = "b" }'), ["kpis.x", "exactly one of"]),
    (kpi("{ missing = 0 }"), ["kpis.x", "one of count, sum"]),
    (kpi("{ count = false }"), ["kpis.x", "{ count = true }"]),
    (kpi("{ count = true, missing = 0 }"), ["kpis.x", "nothing else"]),
    (kpi("{ sum = [] }"), ["kpis.x.sum", "an attribute path"]),
    (kpi("{ sum = 7 }"), ["kpis.x.sum", "7"]),
    (kpi('{ sum = "a", scale = 0 }'), ["kpis.x.scale", "not 0"]),
    (kpi('{ sum = "a", scale = "1e-19" }'), ["kpis.x.scale", "18 places"]),
    (kpi('{ sum = "a", scale = "0.1000000000000000000000000000001" }'), ["scale", "18 places"]),
    (kpi('{ sum = "a", scale = "cents" }'), ["kpis.x.scale", '"cents"', "a number"]),
    (kpi('{ sum = "a", scale = true }'), ["kpis.x.scale", "true", "a number"]),
    (kpi('{ sum = "a", missing = 1000000000 }'), ["kpis.x.missing", "10^9"]),
    (kpi('{ sum = "a", missing = "1e-19" }'), ["kpis.x.missing", "18 places"]),
    (item(kpis="Trips = { count = true }"), ["kpis.Trips", "small letters"]),
    (item(kpis='"2x" = { count = true }'), ["kpis.2x", "begins with a letter"]),
    *(
        (item(kpis=f"{name} = {{ count = true }}"), [f"kpis.{name}", "is taken"])
        for name in ("date", "outcome", "sha256", "open", "published_trip_count")
    ),
    # what is grouped by
    ("breakdowns = 7\n" + item(), ["breakdowns is 7", "pickup.city"]),
    (breakdown("City = ['a']"), ["breakdowns.City", "small letters"]),
    (breakdown("city = []"), ["breakdowns.city", "1 to 4"]),
    (breakdown("city = ['a', 'b', 'c', 'd', 'e']"), ["breakdowns.city", "1 to 4"]),
    (breakdown("city = ['a', 'a']"), ["breakdowns.city", "different"]),
    (breakdown("city = ['n']"), ["breakdowns.city", "'n'", "a KPI has the same name"]),
    (breakdown("city = ['x.date']"), ["breakdowns.city", "'date'", "the day has the same name"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[" ".join(said) for _, said in WRONG])
def test_an_error_names_the_file_the_key_the_value_and_what_is_possible(
    text: str, said: list[str]
) -> None:
    with pytest.raises(DefinitionError) as caught:
        read(text)
    message = str(caught.value)
    assert message.startswith("mine.toml")
    assert [one for one in said if one not in message] == [], message


@pytest.mark.parametrize(
    "condition",
    ["'N/A'", "['a', 'N/A']", "{ not = 'N/A' }", "{ begins_with = 'N/A' }", "{ below = 'N/A' }"],
)
def test_a_condition_does_not_compare_with_a_word_that_means_absent(condition: str) -> None:
    text = item(null_values='["N/A"]', rest=f"[item.where]\na = {condition}")
    with pytest.raises(DefinitionError, match=r"item\.where\.a is \"N/A\".*exists = true"):
        read(text)


def test_of_several_conditions_the_one_with_the_word_is_named() -> None:
    with pytest.raises(DefinitionError, match=r"item\.where\.first is \"\""):
        read(where("first = ''\nsecond = 'x'"))


def test_a_wrong_path_of_a_parameter_is_the_parameters_fault() -> None:
    wrong = StackPaths(fare="fare_amount", estimated_fare="x", day="a..b")
    with pytest.raises(DefinitionError, match=r"^DayAttribute is 'a\.\.b'"):
        read('[item]\nday = "${DayAttribute}"\n[kpis]\nn = { count = true }\n', paths=wrong)


def test_the_digest_is_of_what_a_file_says_and_not_of_how() -> None:
    plain = DefinitionFile(name="a", text='[item]\nday = "at"\n[kpis]\nn = { count = true }\n')
    commented = DefinitionFile(
        name="a", text='# why\n[item]\nday   =   "at" # when\n\n[kpis.n]\ncount = true\n'
    )
    other = DefinitionFile(name="a", text='[item]\nday = "on"\n[kpis]\nn = { count = true }\n')
    assert plain.sha256 == commented.sha256 != other.sha256


def test_the_order_of_kpis_is_said_too() -> None:
    one, two = ("a = { count = true }", "b = { sum = 'x' }")
    there, back = item(kpis=f"{one}\n{two}"), item(kpis=f"{two}\n{one}")
    assert DefinitionFile(name="a", text=there).sha256 != DefinitionFile(name="a", text=back).sha256


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.10", "0.1"), ("1e125", "1E+125"), ("1e-130", "1E-130"), ("-0", "0"), ("1_000", "1000"),
     ("0." + "1" * 38, "0." + "1" * 38), ("1" + "0" * 60, "1E+60")],
)  # fmt: skip
def test_a_number_of_a_condition_is_exact(text: str, value: str) -> None:
    assert read(where(f"a = {text}")).where == (Equals(path=("a",), values=(Decimal(value),)),)
