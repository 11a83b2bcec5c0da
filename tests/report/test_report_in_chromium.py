"""The report as a browser shows it, opened from its file."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ops.report.written import write_report
from tests.report.webdriver import MISSING, PHONE, Browser, browser
from tests.runs_left import FIRST, leave_run
from trip_kpis.core.run.publication import Outcome, Publication

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(MISSING), reason=f"{MISSING}: apt-get install chromium chromium-driver"
    ),
]


@pytest.fixture(scope="module")
def desktop() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def phone() -> Iterator[Browser]:
    with browser(mobile=PHONE) as opened:
        yield opened


def bars(opened: Browser, chart: str) -> int:
    found: int = opened.run(
        "return document.querySelectorAll(`#${arguments[0]} .bar`).length", chart
    )
    return found


def column(opened: Browser, number: int, *, table: str = "days-table") -> list[str]:
    found: list[str] = opened.run(
        "return [...document.querySelectorAll(`#${arguments[1]} tbody tr:not([hidden])`)]"
        ".map((row) => row.cells[arguments[0]].textContent)",
        number,
        table,
    )
    return found


def text(opened: Browser, selector: str) -> str:
    found: str = opened.run(
        "return document.querySelector(arguments[0])?.textContent ?? ''", selector
    )
    return found


@pytest.mark.parametrize("days", [1, 31, 3652])
def test_every_day_is_drawn_without_an_error_and_without_a_request(
    desktop: Browser, tmp_path: Path, days: int
) -> None:
    leave_run(tmp_path, days=days, segments=4, rejected=1)
    file = write_report(tmp_path)
    desktop.said(), desktop.asked_for()
    desktop.open(file)
    for chart in ("total_fare-chart", "trip_count-chart", "average_fare-chart"):
        assert bars(desktop, chart) == days
    assert bars(desktop, "timeline") == 4
    assert len(column(desktop, 0)) == days
    assert desktop.said() == []
    asked_for = [url for url in desktop.asked_for() if not url.startswith(("data:", "blob:"))]
    assert asked_for == [file.as_uri()]


def test_a_run_without_days_or_parts_shows_what_there_is(desktop: Browser, tmp_path: Path) -> None:
    leave_run(tmp_path, days=0, segments=3)
    for part in tmp_path.glob("staging/*/*/*.parquet"):
        part.unlink()
    desktop.open(write_report(tmp_path))
    assert bars(desktop, "timeline") == 3
    assert desktop.said() == []


def test_nothing_can_be_loaded_even_if_the_page_wanted_to(desktop: Browser, tmp_path: Path) -> None:
    leave_run(tmp_path)
    desktop.open(write_report(tmp_path))
    desktop.run("new Image().src = 'http://127.0.0.1:9/pixel.png'")
    desktop.run("const s = document.createElement('script'); s.text = 'document.title = 1';"
                "document.body.append(s)")  # fmt: skip
    assert text(desktop, "title") == "Trip KPIs: run-1"
    assert sum("Content Security Policy" in line for line in desktop.said()) == 2


def test_the_theme_is_the_systems_until_one_is_chosen(desktop: Browser, tmp_path: Path) -> None:
    leave_run(tmp_path)
    file = write_report(tmp_path)
    ground = "return getComputedStyle(document.body).backgroundColor"
    label = "return getComputedStyle(document.querySelector('#total_fare-chart .label')).fill"
    desktop.open(file)
    light = (desktop.run(ground), desktop.run(label))
    desktop.open(file, dark=True)
    dark = (desktop.run(ground), desktop.run(label))
    assert light[0] == "rgb(255, 255, 255)"
    assert light[0] != dark[0]
    assert light[1] != dark[1]
    desktop.run("document.getElementById('theme').click()")
    assert (desktop.run(ground), desktop.run(label)) == light
    assert text(desktop, "#theme") == "Dark theme"
    desktop.open(file, dark=True)
    assert desktop.run(ground) == light[0], "it is remembered"
    desktop.run("localStorage.clear()")


def test_a_tooltip_has_the_figure_to_its_last_digit(desktop: Browser, tmp_path: Path) -> None:
    leave_run(tmp_path, days=3)
    desktop.open(write_report(tmp_path))
    total = desktop.tooltip("total_fare-chart", 1).splitlines()
    assert ("2 May 2024" in total[0], total[1]) == (True, "total fare: 1009.750000000000000001")
    assert desktop.tooltip("average_fare-chart", 1).splitlines()[1:] == [
        "max: 1000.000000000000000001",
        "average: 336.583333",
        "min: -2.5",
    ]
    assert desktop.tooltip("timeline", 1).splitlines() == [
        "segment 1, invocation 1",
        "from 02:15:01.500 UTC, 1.5 s",
        "scanned 3, parts 1",
    ]


SHOWN = (
    "const cell = document.querySelectorAll('#days-table tbody tr')[1].cells[2];"
    "const before = getComputedStyle(cell, '::before');"
)


def test_figures_have_two_places_until_all_digits_are_asked_for(
    desktop: Browser, tmp_path: Path
) -> None:
    leave_run(tmp_path, days=3)
    desktop.open(write_report(tmp_path))
    sizes = SHOWN + "return [parseFloat(getComputedStyle(cell).fontSize), before.content]"
    size, rounded = desktop.run(sizes)
    assert (size, rounded.split(" / ")[0]) == (0, '"1,009.75"')
    desktop.run("document.getElementById('digits').click()")
    size, rounded = desktop.run(sizes)
    assert size > 10
    assert rounded == "none"


def test_decimal_points_are_under_each_other(desktop: Browser, tmp_path: Path) -> None:
    leave_run(tmp_path, days=4)
    desktop.open(write_report(tmp_path))
    desktop.run("document.getElementById('digits').click()")
    points = desktop.run(
        "return [...document.querySelectorAll('#days-table tbody tr')].map((row) => {"
        "  const text = row.cells[2].firstChild, range = document.createRange();"
        "  range.setStart(text, text.data.indexOf('.'));"
        "  range.setEnd(text, text.data.indexOf('.') + 1);"
        "  return range.getBoundingClientRect().x;"
        "})"
    )
    assert len(column(desktop, 2)[0]) < len(column(desktop, 2)[1])
    assert max(points) - min(points) < 0.5


def test_what_is_copied_or_read_aloud_from_a_table_has_every_digit(
    desktop: Browser, tmp_path: Path
) -> None:
    leave_run(tmp_path, days=3)
    desktop.open(write_report(tmp_path))
    copied = desktop.run(
        "getSelection().selectAllChildren(document.querySelectorAll('#days-table tbody tr')[1]);"
        "return getSelection().toString()"
    )
    expected = [
        *("2024-05-02", "3", "1009.750000000000000001", "336.583333"),
        *("1000.000000000000000001", "-2.5", "published"),
    ]
    assert copied.split() == expected
    read = desktop.read_aloud()
    first = read.index("2024-05-02")
    assert read[first : first + len(expected)] == expected


def test_figures_are_sorted_by_every_digit(desktop: Browser, tmp_path: Path) -> None:
    leave_run(tmp_path, days=60)
    desktop.open(write_report(tmp_path))
    click = "document.querySelectorAll('#days-table thead button')[2].click()"
    state = "return document.querySelectorAll('#days-table thead th')[2].ariaSort"
    desktop.run(click)
    totals = column(desktop, 2)
    assert totals == sorted(totals, key=Decimal)
    assert len({float(total) for total in totals}) < len(totals) == 60, "floats could not tell"
    assert desktop.run(state) == "ascending"
    desktop.run(click)
    assert column(desktop, 2) == totals[::-1]
    assert desktop.run(state) == "descending"


def test_charts_and_table_show_the_same_period(desktop: Browser, tmp_path: Path) -> None:
    leave_run(tmp_path, days=31)
    desktop.open(write_report(tmp_path))
    desktop.run("document.querySelector('[data-last=\"7\"]').click()")
    assert column(desktop, 0) == [f"2024-05-{day}" for day in range(25, 32)]
    assert [
        bars(desktop, f"{name}-chart") for name in ("total_fare", "trip_count", "average_fare")
    ] == [7, 7, 7]
    assert text(desktop, "#days-shown") == "7 of 31 days shown."
    desktop.run(
        "const from = document.getElementById('from'); from.value = '2024-05-30';"
        "from.dispatchEvent(new Event('change', { bubbles: true }))"
    )
    assert column(desktop, 0) == ["2024-05-30", "2024-05-31"]
    desktop.run(
        "const to = document.getElementById('to'); to.value = '2024-05-03';"
        "to.dispatchEvent(new Event('change', { bubbles: true }))"
    )
    assert column(desktop, 0) == ["2024-05-03"], "the end that was set counts"
    assert desktop.run("return document.getElementById('from').value") == "2024-05-03"
    desktop.run("document.querySelector('[data-last=\"0\"]').click()")
    assert (len(column(desktop, 0)), bars(desktop, "total_fare-chart")) == (31, 31)


def test_zooming_into_a_chart_sets_the_period(desktop: Browser, tmp_path: Path) -> None:
    leave_run(tmp_path, days=31)
    desktop.open(write_report(tmp_path))
    desktop.drag("trip_count-chart", 2, 6)
    inside = ["2024-05-04", "2024-05-05", "2024-05-06"]
    assert [day for day in column(desktop, 0) if day in inside] == inside
    assert bars(desktop, "total_fare-chart") == len(column(desktop, 0)) <= 5
    desktop.run(
        "document.getElementById('total_fare-chart')"
        ".dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))"
    )
    assert len(column(desktop, 0)) == 31
    desktop.drag("total_fare-chart", 30, 29)
    assert set(column(desktop, 0)) <= {"2024-05-30", "2024-05-31"}


def test_a_continued_run_shows_who_went_on_and_leaves_the_pause_out(
    desktop: Browser, tmp_path: Path
) -> None:
    leave_run(tmp_path, segments=6, pause=timedelta(hours=3))
    desktop.open(write_report(tmp_path))
    assert desktop.said() == []
    assert bars(desktop, "timeline") == 9
    assert text(desktop, ".legend") == "first invocationsecond"
    assert "2 h 59 min left out" in text(desktop, "#timeline svg")
    assert bars(desktop, "timeline") == 9
    widths = desktop.run(
        "return [...document.querySelectorAll('#timeline .bar')]"
        ".map((bar) => bar.getBoundingClientRect().width)"
    )
    assert min(widths) > 50, "the pause would leave hardly a pixel for the bars"


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_all_of_it_within_its_width(
    phone: Browser, tmp_path: Path, dark: bool
) -> None:
    leave_run(tmp_path, days=31, segments=4, rejected=2, pause=timedelta(minutes=5))
    phone.open(write_report(tmp_path), dark=dark)
    assert phone.run("return innerWidth") == 390
    assert phone.run("return document.documentElement.scrollWidth") == 390
    table = "const box = document.querySelector('.table:has(#days-table)');"
    assert phone.run(table + "return box.scrollWidth > box.clientWidth + 50"), "it scrolls itself"
    assert phone.run(
        table + "box.scrollLeft = 200;"
        "const date = box.querySelector('tbody th').getBoundingClientRect();"
        "return Math.abs(date.x - box.getBoundingClientRect().x) < 3"
    ), "the dates stay"
    tiles = phone.run(
        "return [...document.querySelectorAll('.tiles > div')]"
        ".map((tile) => tile.getBoundingClientRect()).map((box) => [box.width, box.height])"
    )
    assert len({(round(width), round(height)) for width, height in tiles}) == 1
    assert bars(phone, "total_fare-chart") == 31
    assert phone.said() == []


def test_all_controls_are_reached_by_keyboard_and_have_a_name(
    desktop: Browser, tmp_path: Path
) -> None:
    leave_run(tmp_path, days=31, rejected=1)
    desktop.open(write_report(tmp_path))
    unnamed = desktop.run(
        "return [...document.querySelectorAll('button, input, a, [tabindex]')]"
        ".filter((one) => !one.closest('.chart') && (one.tabIndex < 0 || !("
        "one.textContent.trim() || one.labels?.[0]?.textContent.trim() || one.ariaLabel)))"
        ".map((one) => one.outerHTML)"
    )
    assert unnamed == []
    assert desktop.run(
        "return [...document.querySelectorAll('.chart')]"
        ".every((one) => one.role === 'img' && one.ariaLabel)"
    )


def test_bars_of_open_days_are_hatched_and_their_tooltips_say_so(
    desktop: Browser, tmp_path: Path
) -> None:
    days = [FIRST + timedelta(days=n) for n in range(4)]
    publication = Publication(
        outcomes=dict.fromkeys(days, Outcome.PUBLISHED),
        open_days=frozenset({days[-1]}),
        shrank={days[1]: 12},
        warnings=("one <b>warning</b>",),
    )
    leave_run(tmp_path, days=4, publication=publication)
    desktop.open(write_report(tmp_path))
    fills = desktop.run(
        "return [...document.querySelectorAll('#trip_count-chart .bar')]"
        ".map((bar) => getComputedStyle(bar).fill.includes('open-day'))"
    )
    assert fills == [False, False, False, True]
    assert "(open)" in desktop.tooltip("trip_count-chart", 3)
    assert column(desktop, 6) == [*["published"] * 3, "published, open"]
    assert column(desktop, 1, table="shrank-table") == ["12"]
    assert text(desktop, ".warning") == "warning one <b>warning</b>"
    assert desktop.said() == []
