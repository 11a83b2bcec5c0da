"""Days and groups: their lines and order, that they add up, and that they are not too many.

That any definition and any cut give the right bytes is in tests/definitions.
"""

import json
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest

from tests.samples import header, page, rules
from trip_kpis.core.definition.parsing import DefinitionFile
from trip_kpis.core.errors import CorruptPartError, TooManyGroupsError, UnbalancedCountsError
from trip_kpis.core.items.attributes import Item
from trip_kpis.core.log import part_builder, partials
from trip_kpis.core.log.part_builder import PartBuilder, Position
from trip_kpis.core.log.partials import BREAKDOWN, PartialColumns
from trip_kpis.core.log.parts import decode, encode
from trip_kpis.core.run import totals as totals_module
from trip_kpis.core.run.figures import Published
from trip_kpis.core.run.totals import Totals, published

BY_CITY = DefinitionFile(
    name="by_city",
    text="""
[item]
day = "at"
[kpis]
trips = { count = true }
total = { sum = "fare", missing = 0 }
mean  = { average = "fare", missing = 0 }
[breakdowns]
city  = ["city"]
route = ["from.city", "to.city", "vip"]
""",
)
RULES = rules(definition=BY_CITY)
COLUMNS = PartialColumns(RULES.definition)
MAY_25, MAY_26 = date(2024, 5, 25), date(2024, 5, 26)


def item(city: str | None, fare: str = "1", *, day: date = MAY_25, **attributes: object) -> Item:
    values = {
        "trip_id": {"S": "t"},
        "at": {"S": f"{day} 12:00"},
        "fare": {"N": fare},
        "city": None if city is None else {"S": city},
        **attributes,
    }
    return {name: value for name, value in values.items() if value is not None}  # type: ignore[misc]


def built(*pages: list[Item]) -> PartBuilder:
    builder = PartBuilder(position=Position(), rules=RULES)
    for items in pages:
        builder.add(page(items, rules=RULES))
    return builder


def table(*items: Item) -> pa.Table:
    return built(list(items)).partials.table()


def figures(*tables: pa.Table, counted: int) -> Published:
    totals = Totals(RULES.definition)
    for one in tables:
        totals.add(one)
    return published(totals.table(), RULES.definition, counted=counted)


def test_a_breakdown_has_a_line_a_group_without_a_value_first_and_then_by_utf8() -> None:
    cities = ["b", "Z", "\uffff", "\U00010000", None, "a", "é"]
    found = figures(table(*(item(city) for city in cities)), counted=len(cities))
    (day,) = found.breakdowns["city"]
    lines = [json.loads(line) for line in day.to_bytes().splitlines()]
    assert [line["city"] for line in lines] == [None, "Z", "a", "b", "é", "\uffff", "\U00010000"]
    assert (day.groups, day.items) == (7, 7)


def test_a_line_is_compact_json_with_exact_numbers_in_the_definitions_order() -> None:
    found = figures(
        table(item("Zürich", "1.50"), item("Zürich", "0.1"), item(None, "-3")), counted=3
    )
    (day,) = found.breakdowns["city"]
    assert (
        day.to_bytes()
        == (
            '{"date":"2024-05-25","city":null,"trips":1,"total":-3,"mean":-3}\n'
            '{"date":"2024-05-25","city":"Zürich","trips":2,"total":1.6,"mean":0.8}\n'
        ).encode()
    )
    (kpis,) = found.days
    assert kpis.to_bytes() == b'{"date":"2024-05-25","trips":3,"total":-1.4,"mean":-0.466667}\n'


def test_a_text_with_quotes_and_control_characters_is_json() -> None:
    (day,) = figures(table(item('a"b\\\n\u2028')), counted=1).breakdowns["city"]
    assert json.loads(day.to_bytes())["city"] == 'a"b\\\n\u2028'
    assert day.to_bytes().count(b"\n") == 1


def test_groups_of_several_paths_are_named_by_their_last_steps_or_whole_paths() -> None:
    rich = item(
        "x",
        **{
            "from": {"M": {"city": {"S": "A"}}},
            "to": {"M": {"city": {"N": "7.10"}}},
            "vip": {"BOOL": False},
        },
    )
    (day,) = figures(table(rich, item("x")), counted=2).breakdowns["route"]
    assert [json.loads(line) for line in day.to_bytes().splitlines()] == [
        {"date": "2024-05-25", "from.city": None, "to.city": None, "vip": None, "trips": 1,
         "total": 1, "mean": 1},
        {"date": "2024-05-25", "from.city": "A", "to.city": "7.1", "vip": "false", "trips": 1,
         "total": 1, "mean": 1},
    ]  # fmt: skip


@pytest.mark.parametrize("at_once", [1, 1000])
def test_groups_of_many_parts_are_combined_day_by_day(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(totals_module, "ROWS_AT_ONCE", at_once)
    parts = [
        table(item("a", "1"), item("b", "2")),
        table(item("a", "3", day=MAY_26), item(None, "4")),
        table(item("a", "5"), item("b", "6", day=MAY_26)),
    ]
    found = figures(*parts, counted=6)
    assert [(day.day, day.items, day.groups) for day in found.breakdowns["city"]] == [
        (MAY_25, 4, 3),
        (MAY_26, 2, 2),
    ]
    assert figures(*reversed(parts), counted=6).days == found.days
    by_city = [json.loads(line) for line in found.breakdowns["city"][0].to_bytes().splitlines()]
    assert [(line["city"], line["trips"], line["total"]) for line in by_city] == [
        (None, 1, 4), ("a", 2, 6), ("b", 1, 2),
    ]  # fmt: skip


def test_no_items_are_no_days_of_any_breakdown() -> None:
    assert figures(counted=0) == Published(days=[], breakdowns={"city": [], "route": []})


# Groups that do not add up


def without(rows: pa.Table, breakdown: int) -> pa.Table:
    keep = [number != breakdown for number in rows[BREAKDOWN].to_pylist()]
    return rows.filter(pa.array(keep))


@pytest.mark.parametrize(("breakdown", "name"), [(1, "city"), (2, "route")])
def test_groups_that_do_not_add_up_to_their_day_are_refused(breakdown: int, name: str) -> None:
    whole = table(item("a"), item("b"), item("a", day=MAY_26))
    with pytest.raises(UnbalancedCountsError, match=f"the groups of {name} do not add up"):
        figures(without(whole, breakdown), counted=3)
    one_day = whole.filter(
        pa.array(
            [(row[BREAKDOWN], row["date"]) != (breakdown, MAY_26) for row in whole.to_pylist()]
        )
    )
    with pytest.raises(UnbalancedCountsError, match=f"the groups of {name} do not add up"):
        figures(one_day, counted=3)


def test_groups_that_are_right_in_sum_and_wrong_by_day_are_refused() -> None:
    there, elsewhere = table(item("a"), item("a", day=MAY_26)), table(item("a"), item("a"))
    mixed = pa.concat_tables([without(without(there, 1), 2), without(elsewhere, 0)])
    with pytest.raises(UnbalancedCountsError):
        figures(mixed, counted=2)


@pytest.mark.parametrize("breakdown", [0, 1, 2])
def test_a_part_whose_rows_do_not_hold_what_was_counted_is_damaged(breakdown: int) -> None:
    builder = built([item("a"), item("b")])
    whole = builder.partials.table()
    head = header(counts=builder.counts)
    _, read = decode(encode(head, whole), key="k", columns=COLUMNS)
    assert read.equals(whole)
    with pytest.raises(CorruptPartError, match="hold 0 items, its header 2"):
        decode(encode(head, without(whole, breakdown)), key="k", columns=COLUMNS)


def test_a_part_of_another_definitions_columns_is_damaged() -> None:
    builder = built([item("a")])
    body = encode(header(counts=builder.counts), builder.partials.table())
    with pytest.raises(CorruptPartError, match="its columns are"):
        decode(body, key="k", columns=PartialColumns(rules().definition))


# Too many groups


def cities(count: int, *, day: date = MAY_25) -> list[Item]:
    return [item(f"c-{n:03}", day=day) for n in range(count)]


def test_as_many_groups_as_a_day_can_have_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partials, "MOST_GROUPS_A_DAY", 5)
    whole = [*cities(5), *cities(5, day=MAY_26)]
    assert len(figures(table(*whole), counted=10).breakdowns["city"]) == 2


def test_one_group_more_on_a_day_is_an_error_for_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(partials, "MOST_GROUPS_A_DAY", 5)
    with pytest.raises(TooManyGroupsError, match=r"breakdown city has 6 groups on 2024-05-26.* 5 "):
        table(*cities(5), *cities(6, day=MAY_26))


def test_and_for_the_merge_where_no_worker_has_seen_them_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = table(*cities(6)[:3]), table(*cities(6)[3:])
    monkeypatch.setattr(partials, "MOST_GROUPS_A_DAY", 5)
    with pytest.raises(TooManyGroupsError, match="breakdown city has 6 groups on 2024-05-25"):
        figures(one, other, counted=6)


def test_the_rows_of_all_breakdowns_of_a_run_are_limited_and_days_do_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = table(*cities(3)), table(*cities(3, day=MAY_26))
    # By city 3 a day, by route 1 a day, and 2 days.
    monkeypatch.setattr(partials, "MOST_ROWS_OF_BREAKDOWNS", 8)
    figures(one, other, counted=6)
    monkeypatch.setattr(partials, "MOST_ROWS_OF_BREAKDOWNS", 7)
    with pytest.raises(TooManyGroupsError, match=r"8 groups over all days.*: city 6, route 2"):
        figures(one, other, counted=6)


def test_too_many_groups_are_noticed_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only when the part is appended: a worker does not hold more than it may."""
    monkeypatch.setattr(partials, "MOST_GROUPS_A_DAY", 5)
    monkeypatch.setattr(partials, "_PAGES_HELD", 1)
    builder = built(cities(5))
    builder.add(page(cities(5), rules=RULES))
    with pytest.raises(TooManyGroupsError):
        builder.add(page(cities(6), rules=RULES))
        builder.partials.table()


def test_a_part_that_is_full_of_groups_is_appended_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partials, "_PAGES_HELD", 0)
    # A row for the day, one by route, and one for each city.
    monkeypatch.setattr(part_builder, "MOST_ROWS_OF_A_PART", 5)
    builder = built(cities(2))
    assert not builder.is_full
    builder.add(page(cities(3), rules=RULES))
    assert builder.is_full


def test_a_part_that_is_full_of_rejected_items_is_appended_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = item("a", "1", at={"S": "soon"})
    length = len(built([broken]).quarantine)
    monkeypatch.setattr(part_builder, "MOST_QUARANTINE_BYTES", 2 * length)
    builder = built([broken])
    assert not builder.is_full
    builder.add(page([broken], rules=RULES))
    assert builder.is_full


def test_what_is_held_of_the_groups_is_combined_on_the_way() -> None:
    builder = built(*[cities(3)] * 4)
    rows = builder.partials.table()
    assert rows.num_rows == builder.partials.rows == 1 + 3 + 1
    assert rows.slice(1, 1)["total"].to_pylist() == [Decimal(4)]
