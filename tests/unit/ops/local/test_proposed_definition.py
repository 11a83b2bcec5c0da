"""Whatever the columns are called and have: what is proposed is a valid definition."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.local.proposed_definition import NothingRecognizedError, propose
from ops.local.recognized_columns import recognize
from trip_kpis.core.definition.parsing import DefinitionFile, StackPaths

NAMES = st.sampled_from(
    ("fare", "Price €", "pickup.city", "status", "a[0]", "日付", "at", "createdAt", "date", "total",
     "item_count", " x", "1st", "Ünï", "City", "city", "amount_cents", "__", "total_fare")
)  # fmt: skip
VALUES: tuple[dict[str, Any], ...] = (
    {"S": "2024-05-25"}, {"S": "25/05/2024 10:00"}, {"S": "completed"}, {"S": "N/A"}, {"S": ""},
    {"S": 'a\nb"\\'}, {"S": "\x7f"}, {"S": "12"}, {"N": "1.5"}, {"N": "1716631200"}, {"NULL": True},
    {"BOOL": True}, {"L": []}, {"B": b"x"}, {"SS": ["a"]}, {"M": {"x.y": {"S": "z"}}},
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Items of a few columns, with few different values in each."""
    values = st.sampled_from(VALUES)
    columns = draw(st.dictionaries(NAMES, st.tuples(values, values), max_size=7))
    columns["started"] = (VALUES[0], VALUES[0])
    rows = draw(st.integers(1, 8))
    return [
        {name: draw(st.sampled_from(two)) for name, two in columns.items()} for _ in range(rows)
    ]


@given(tables())
def test_what_is_proposed_is_valid(items: list[dict[str, Any]]) -> None:
    proposal = propose(recognize(items, ("id",)), source="a\nb.csv", items=len(items))
    stack = StackPaths(fare="fare", estimated_fare="estimate", day="day")
    definition = DefinitionFile(name="proposed", text=proposal.text).definition(stack)
    assert definition.kpis[0].name == "item_count"


def test_items_without_a_time_have_no_definition() -> None:
    with pytest.raises(NothingRecognizedError, match=r"a\.csv"):
        propose(recognize([{"fare": {"N": "1.5"}}], ()), source="a.csv", items=1)


@pytest.mark.parametrize("name", ["date", "item_count", "total_fare"])
def test_what_is_called_like_a_figure_is_no_group(name: str) -> None:
    items = [
        {name: {"S": "ab"[n % 2]}, "fare": {"S": f"{n}.5"}, "started": {"S": "2024-05-25"}}
        for n in range(8)
    ]
    text = propose(recognize(items, ()), source="a.csv", items=8).text
    definition = DefinitionFile(name="proposed", text=text).definition(
        StackPaths(fare="fare", estimated_fare="estimate", day="day")
    )
    assert definition.breakdowns == ()
