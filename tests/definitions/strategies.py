"""Definitions within the grammar, items that hit them, and cuts of the items.

A case begins with a typical item. Conditions are made to hold for it as a rule, and every item is
the typical one with a few changes, so that many items count.
"""

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from tests.definitions.oracle import Item, Path, Settings, Value, columns_of, path_text

Segments = list[list[list[Item]]]
"""The items of each page of each segment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A definition, and items for it."""

    document: dict[str, Any]
    settings: Settings
    items: list[Item]


FARE, ESTIMATE, TIME = ("fare_amount",), ("trip", "estimate"), ("pickup", "time")
NUMBERS: list[Path] = [
    FARE,
    ESTIMATE,
    ("tip",),
    ("charges", 0, "amount"),
    ("charges", 1, "amount"),
    ("trip", "distance"),
    ("odd.name",),
    ("grid", 0, 1),
    ("list[0]",),
]
DELETED_AT = ("deleted_at",)
TEXTS: list[Path] = [
    ("status",),
    ("SK",),
    ("pickup", "city"),
    ("city",),
    ('say "hi"',),
    ("Größe 😀",),
    ("back\\slash", " blank "),
    ("labels", 1),
    ("vendor_id",),
    ("flag",),
    DELETED_AT,
]
DATE_PART, TIME_PART, STAMP = ("date part",), ("clock", "time"), ("keys", 0)
STAMP_PREFIX = "TRIP#"
TIMES: list[Path] = [TIME, DATE_PART, TIME_PART, STAMP]
PATHS = [*NUMBERS, *TEXTS, *TIMES]
"""None is inside another: DynamoDB does not project both."""

WORDS = ["COMPLETED", "COMPLETED#1", "CANCELLED", "nullable", "Zürich", "zebra", "7", "true", '"q"']
MORE_WORDS = [
    *WORDS,
    "\uff21",
    "😀",
    "line\nfeed",
    "a\\b",
    "back\u2028",
    "\u007f",
    " 7",
    "COMPLETED ",
]
NULL_WORDS = ["null", "N/A", "-", "0", "7.0", "COMPLETED#1"]
NO_NUMBERS = [
    "twelve",
    "NaN",
    "Infinity",
    "1,000",
    "+5",
    ".5",
    "5.",
    " 5",
    "٣",
    "1_0",
    "0x1",
    "--1",
]
EXTREMES = [
    "0.1234567890123456789",
    "1E-18",
    "1E-19",
    "999999999.999999999999999999",
    "-999999999.999999999999999999",
    "1000000000",
    "-1E+9",
    "99999999999",
    "12345678901234567890123456789012345678",
    "9.9E+125",
    "1E-130",
]
ONLY_IN_STRINGS = ["1e400", "1E-400", "0e99999999999", "1e9999999", "-0.0", "00012.50", "1e-05"]

numbers = st.one_of(
    st.sampled_from([Decimal(0), Decimal(7), Decimal(9), Decimal(100), Decimal("-2.5")]),
    st.decimals(-10_000, 10_000, places=2),
    st.integers(-1000, 100_000).map(Decimal),
)
"""Of an ordinary size, so that they keep to the limits with every scale."""


def _written_number(number: Decimal, kind: str, notation: int) -> Value:
    fixed = f"{number:f}"
    more_zeros = f"{fixed}0" if "." in fixed else f"{fixed}.0"
    return {kind: [fixed, f"{number:E}", f"{number:e}", more_zeros][notation]}


good_numbers = st.builds(_written_number, numbers, st.sampled_from("NS"), st.integers(0, 3))
"""Numbers and Strings, in one of the ways to write a number."""
odd_numbers = st.one_of(
    st.builds(lambda text, kind: {kind: text}, st.sampled_from(EXTREMES), st.sampled_from("NS")),
    st.sampled_from([*NO_NUMBERS, *ONLY_IN_STRINGS]).map(lambda text: {"S": text}),
    st.sampled_from(["-0", "1E+2", "0.10"]).map(lambda text: {"N": text}),
)
texts = st.sampled_from(MORE_WORDS).map(lambda text: {"S": text})
other_types: st.SearchStrategy[Value] = st.sampled_from(
    [
        {"BOOL": True},
        {"BOOL": False},
        {"B": "NzA="},
        {"M": {}},
        {"M": {"amount": {"N": "1"}, "city": {"S": "Zürich"}}},
        {"L": []},
        {"L": [{"N": "1"}, {"S": "COMPLETED"}]},
        {"SS": ["COMPLETED"]},
        {"NS": ["7", "1E+2"]},
        {"BS": ["NzA="]},
    ]
)
nothings: st.SearchStrategy[Value | None] = st.one_of(
    st.none(),
    st.just({"NULL": True}),
    st.just({"S": ""}),
    st.sampled_from(NULL_WORDS).map(lambda word: {"S": word}),
)

_good_times: dict[Path, list[Value]] = {
    TIME: [
        {"S": "2024-05-25 13:19:00"},
        {"S": "2024-05-26"},
        {"S": "2024-05-25T23:30:00-05:00"},
        {"S": "2024-05-25T23:59:59.999Z"},
        {"N": "1716643140"},
        {"N": "1716643140000"},
        {"N": "1.71664314E+9"},
    ],
    DATE_PART: [{"S": "2024-05-25"}, {"S": "2024-05-26"}],
    TIME_PART: [{"S": "13:19:00"}, {"S": "23:30Z"}, {"S": "00:10-05:00"}],
    STAMP: [{"S": "TRIP#2024-05-25T13:19:00"}, {"S": "TRIP#2024-05-26"}],
}
odd_times: st.SearchStrategy[Value] = st.sampled_from(
    [
        {"S": "yesterday"},
        {"S": "1999-12-31"},
        {"S": "2024-05-24 23:59"},
        {"S": "2024-02-30"},
        {"S": "TRIP#"},
        {"S": "trip#2024-05-25"},
        {"S": "20240525"},
        {"S": "20240525 1319"},
        {"S": "1716643140"},
        {"N": "20240525"},
        {"N": "1319"},
        {"N": "-1"},
        {"N": "1E+30"},
    ]
)

settings = st.builds(
    Settings,
    fare_attribute=st.just(path_text(FARE)),
    estimated_fare_attribute=st.just(path_text(ESTIMATE)),
    day_attribute=st.just(path_text(TIME)),
    time_zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    time_formats=st.sampled_from([(), ("%Y%m%d %H%M", "epoch_seconds", "%Y%m%d")]),
    earliest_day=st.sampled_from([date(2000, 1, 1), date(2024, 5, 25)]),
)


@st.composite
def cases(draw: st.DrawFn, *, most_items: int = 12) -> Case:
    """A definition, and items for it."""
    typical = draw(typical_values())
    return Case(
        document=draw(documents(typical)),
        settings=draw(settings),
        items=draw(items(typical, most=most_items)),
    )


@st.composite
def typical_values(draw: st.DrawFn) -> dict[Path, Value | None]:
    """The value of each path in the typical item; None is absent."""
    typical: dict[Path, Value | None] = {path: draw(good_numbers) for path in NUMBERS}
    ordinary = st.sampled_from(WORDS).map(lambda text: {"S": text})
    for path in TEXTS:
        typical[path] = draw(st.one_of(ordinary, ordinary, texts, good_numbers))
    typical[("flag",)] = {"BOOL": draw(st.booleans())}
    typical[DELETED_AT] = draw(st.sampled_from([None, None, {"NULL": True}, {"S": ""}]))
    return typical | {path: draw(st.sampled_from(of)) for path, of in _good_times.items()}


@st.composite
def items(draw: st.DrawFn, typical: Mapping[Path, Value | None], *, most: int = 12) -> list[Item]:
    """Items that are the typical one with a few changes, each with another `trip_id`."""
    made: list[Item] = []
    for number in range(draw(st.integers(0, most))):
        values = dict(typical)
        for path in draw(st.lists(st.sampled_from(PATHS), max_size=5)):
            values[path] = draw(_change(path))
        item = item_of(values)
        if draw(st.integers(0, 9)) == 9:  # a map or a list on the way is something else
            name = draw(st.sampled_from([str(path[0]) for path in PATHS if len(path) > 1]))
            changed = draw(st.one_of(nothings, texts, other_types))
            item.pop(name, None)
            if changed is not None:
                item[name] = changed
        made.append({"trip_id": {"S": f"t-{number}"}, **item})
    return made


def _change(path: Path) -> st.SearchStrategy[Value | None]:
    if path in TIMES:
        good: st.SearchStrategy[Value | None] = st.sampled_from(_good_times[path])
        odd: st.SearchStrategy[Value | None] = odd_times
    elif path in NUMBERS:
        good, odd = good_numbers, odd_numbers
    else:
        good, odd = st.one_of(texts, good_numbers), odd_numbers
    return st.one_of(good, good, good, odd, nothings, other_types)


def item_of(values: Mapping[Path, Value | None]) -> dict[str, Any]:
    """The item that has these values at these paths.

    An element of a list that no value is given for is NULL, if there is one behind it.
    """
    item: dict[str, Any] = {}
    for path, value in values.items():
        if value is not None:
            _put(item, path, copy.deepcopy(value))
    return item


def _put(item: dict[str, Any], path: Path, value: Value) -> None:
    within: Any = item
    for step, following in pairwise(path):
        kind: str = "L" if isinstance(following, int) else "M"
        empty: Any = {kind: [] if kind == "L" else {}}
        if isinstance(step, int):
            _lengthen(within, step)
            if kind not in within[step]:
                within[step] = empty
        elif step not in within:
            within[step] = empty
        within = within[step][kind]
    if isinstance(path[-1], int):
        _lengthen(within, path[-1])
    within[path[-1]] = value


def _lengthen(elements: list[Any], index: int) -> None:
    while len(elements) <= index:
        elements.append({"NULL": True})


@st.composite
def documents(draw: st.DrawFn, typical: Mapping[Path, Value | None]) -> dict[str, Any]:
    """Valid definitions, as `tomllib.loads(text, parse_float=Decimal)` reads them."""
    item: dict[str, Any] = {"day": draw(_days())}
    if draw(st.integers(0, 7)):
        of = st.sampled_from([*NUMBERS, *(path for path in TEXTS if path != DELETED_AT)])
        item["complete"] = draw(_written_paths(of, least=1, most=3))
    null_words: list[str] = []
    if draw(st.booleans()):
        null_words = draw(st.lists(st.sampled_from(NULL_WORDS), max_size=3, unique=True))
        item["null_values"] = null_words
    if draw(st.booleans()):
        item["numbers"] = draw(_written_paths(st.sampled_from(NUMBERS), least=1, most=2))
    if draw(st.integers(0, 3)):
        paths = draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=3, unique=True))
        item["where"] = {
            draw(_written(path)): draw(conditions(typical[path], null_words)) for path in paths
        }
    names = draw(
        st.lists(st.sampled_from(["a", "b_2", "total", "trips", "x"]), min_size=1, max_size=4)
    )
    document = {"item": item, "kpis": {name: draw(kpis()) for name in names}}
    breakdowns = draw(st.lists(st.sampled_from(["city", "by_type"]), max_size=2, unique=True))
    if breakdowns:
        document["breakdowns"] = {name: draw(_breakdown()) for name in breakdowns}
    return document


def _days() -> st.SearchStrategy[Any]:
    return st.one_of(
        st.just("${DayAttribute}"),
        st.just(path_text(TIME)),
        st.just({"date": path_text(DATE_PART), "time": path_text(TIME_PART)}),
        st.just({"path": path_text(STAMP), "after": STAMP_PREFIX}),
    )


@st.composite
def kpis(draw: st.DrawFn) -> dict[str, Any]:
    """One KPI."""
    kind = draw(st.sampled_from(["count", "sum", "sum", "average", "min", "max"]))
    if kind == "count":
        return {"count": True}
    paths = draw(_written_paths(st.sampled_from(NUMBERS), least=1, most=3))
    kpi: dict[str, Any] = {kind: paths[0] if len(paths) == 1 and draw(st.booleans()) else paths}
    if draw(st.booleans()):
        kpi["missing"] = draw(
            st.one_of(
                st.integers(-5, 5),
                st.sampled_from([Decimal("0.50"), Decimal("-1.25"), "0.10", "1E+2"]),
            )
        )
    if draw(st.integers(0, 2)) == 2:
        kpi["scale"] = draw(
            st.sampled_from(["0.01", "1000", "-1", "1E-9", 100, Decimal("0.5"), "0.000001"])
        )
    return kpi


@st.composite
def _breakdown(draw: st.DrawFn) -> list[str]:
    of = st.sampled_from([*TEXTS, *TEXTS, *NUMBERS])
    paths = draw(
        st.lists(of, min_size=1, max_size=4, unique=True).filter(
            lambda some: len(set(columns_of(some))) == len(some)
        )
    )
    return [path_text(path) for path in paths]


def _written(path: Path) -> st.SearchStrategy[str]:
    """How a definition may write the path."""
    if path == FARE:
        return st.sampled_from(["${FareAttribute}", path_text(path)])
    if path == ESTIMATE:
        return st.sampled_from(["${EstimatedFareAttribute}", path_text(path)])
    if path == TIME:
        return st.sampled_from(["${DayAttribute}", path_text(path)])
    return st.just(path_text(path))


@st.composite
def _written_paths(
    draw: st.DrawFn, of: st.SearchStrategy[Path], *, least: int, most: int
) -> list[str]:
    paths = draw(st.lists(of, min_size=least, max_size=most, unique=True))
    return [draw(_written(path)) for path in paths]


@st.composite
def conditions(draw: st.DrawFn, value: Value | None, null_words: Sequence[str]) -> Any:
    """A condition of `where`, which holds for the value as a rule."""
    if draw(st.integers(0, 4)) == 4:
        value = draw(st.one_of(texts, good_numbers, st.just({"BOOL": True}), st.none()))
    allowed = [word for word in MORE_WORDS if word not in null_words]
    extremes = st.sampled_from(EXTREMES).map(Decimal)
    scalars: st.SearchStrategy[Any] = st.one_of(
        st.sampled_from(allowed), numbers, st.integers(-3, 9), st.booleans(), extremes
    )
    form = draw(st.sampled_from(["equals", "one of", "operators", "operators"]))
    same = [one for one in _same(value) if one not in null_words]
    if same and form == "equals":
        return draw(st.sampled_from(same))
    if same and form == "one of":
        others = draw(st.lists(scalars, max_size=3))
        return draw(st.permutations([*others, draw(st.sampled_from(same))]))
    held: list[tuple[str, Any]] = [
        ("not", draw(st.one_of(scalars, st.lists(scalars, min_size=1, max_size=3)))),
        ("exists", bool(same)),
    ]
    for one in same:
        if isinstance(one, str):
            beginnings = [
                one[:length] for length in range(1, len(one) + 1) if one[:length] not in null_words
            ]
            if beginnings:
                begins = draw(st.sampled_from(beginnings))
                held.append(("begins_with", draw(st.sampled_from([begins, ["?", begins]]))))
            held += [("at_least", one), ("at_most", one), ("below", f"{one}z"), ("above", "!")]
        elif not isinstance(one, bool):
            margin = draw(st.integers(0, 3))
            held += [("above", one - 1 - margin), ("at_least", one - margin)]
            held += [("below", one + 1 + margin), ("at_most", one + margin)]
    chosen = draw(st.lists(st.sampled_from(held), min_size=1, max_size=3))
    return dict(chosen)


def _same(value: Value | None) -> list[Any]:
    """What a condition can write for this value."""
    if value is None:
        return []
    if "BOOL" in value:
        return [value["BOOL"]]
    text = value.get("S", value.get("N", ""))
    same = [text] if value.get("S") else []
    try:
        number = Decimal(text) if text.isascii() and text.strip() == text else None
    except ArithmeticError:
        return same
    if number is None or not number.is_finite():
        return same
    return [*same, int(number) if number == int(number) else number]


@st.composite
def cuts(draw: st.DrawFn, of: Sequence[Item], *, most_segments: int = 4) -> Segments:
    """Any distribution of the items over segments and pages, some of which are empty."""
    segments: list[list[Item]] = [[] for _ in range(draw(st.integers(1, most_segments)))]
    for item in draw(st.permutations(of)):
        segments[draw(st.integers(0, len(segments) - 1))].append(item)
    return [_pages(one, draw(st.lists(st.integers(0, len(one)), max_size=3))) for one in segments]


def _pages(segment: list[Item], ends: Sequence[int]) -> list[list[Item]]:
    bounds = [0, *sorted(ends), len(segment)]
    return [segment[a:b] for a, b in pairwise(bounds)]


def toml_text(document: Mapping[str, Any]) -> str:
    """The definition as a TOML file."""
    lines: list[str] = []
    where = document["item"].get("where")
    item = {name: value for name, value in document["item"].items() if name != "where"}
    for table, members in (
        ("item", item),
        ("item.where", where),
        ("kpis", document["kpis"]),
        ("breakdowns", document.get("breakdowns")),
    ):
        if members is not None:
            lines.append(f"[{table}]")
            lines += [f"{_string(name)} = {_toml(value)}" for name, value in members.items()]
    return "".join(f"{line}\n" for line in lines)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        members = ", ".join(f"{_string(name)} = {_toml(of)}" for name, of in value.items())
        return f"{{ {members} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, bool):
        return str(value).lower()
    text = f"{value:f}"
    return f"{text}.0" if isinstance(value, Decimal) and "." not in text else text


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\u007f", "\\u007f")
