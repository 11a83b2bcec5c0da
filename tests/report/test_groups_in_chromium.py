"""The groups of breakdowns, and the days of other definitions, as a browser shows them."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ops.report.written import write_report
from ops.runs.figures import short
from tests.report.webdriver import MISSING, PHONE, Browser, browser
from tests.runs_left import EVIL, FIRST, leave_breakdown, leave_other_kpis, leave_run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(MISSING), reason=f"{MISSING}: apt-get install chromium chromium-driver"
    ),
]

DAYS = [str(FIRST + timedelta(days=n)) for n in range(3)]
TRIPS, TOTAL = 1, 2
"""columns of the table of groups"""


@pytest.fixture(scope="module")
def desktop() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def phone() -> Iterator[Browser]:
    with browser(mobile=PHONE) as opened:
        yield opened


def leave_groups(out: Path) -> Path:
    """60 vendors, the first has the most trips, and two cities, one of them unknown."""
    manifest = leave_run(out)
    leave_breakdown(
        manifest,
        "vendor",
        [
            _line(day, {"vendor_id": f"vendor {n}"}, trips=2000 - n, total=f"{1000 + n}.005")
            for day in DAYS
            for n in range(60)
        ],
    )
    cities = [({"city": None}, 1, "-0.005"), ({"city": EVIL}, 2, "0.015000000000000001")]
    leave_breakdown(
        manifest,
        "city",
        [
            _line(DAYS[1], {**group, "kind": "day"}, trips=trips, total=total)
            for group, trips, total in cities
        ],
    )
    return write_report(out)


def _line(day: str, group: dict[str, str | None], *, trips: int, total: str) -> dict[str, object]:
    return {
        "date": day,
        **group,
        "trip_count": trips,
        "total_fare": Decimal(total),
        "average_fare": Decimal("1.234567"),
        "max_fare": Decimal("8"),
        "min_fare": Decimal("0.5"),
    }


def choose(opened: Browser, what: str, text: str) -> None:
    """As somebody who picks the option with this text."""
    opened.run(
        "const select = document.getElementById(`group-${arguments[0]}`);"
        "select.selectedIndex = [...select.options].findIndex((o) => o.text === arguments[1]);"
        "select.dispatchEvent(new Event('change', { bubbles: true }))",
        what,
        text,
    )


def rows(opened: Browser) -> list[list[str]]:
    found: list[list[str]] = opened.run(
        "return [...document.querySelectorAll('#groups-table tbody tr')]"
        ".map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    return found


def heads(opened: Browser) -> list[str]:
    found: list[str] = opened.run(
        "return [...document.querySelectorAll('#groups-table thead th')]"
        ".map((cell) => cell.textContent)"
    )
    return found


def captions(opened: Browser) -> list[str]:
    found: list[str] = opened.run(
        "return [...document.querySelectorAll('#group-charts figure:not([hidden]) figcaption')]"
        ".map((one) => one.textContent)"
    )
    return found


def text(opened: Browser, selector: str) -> str:
    found: str = opened.run("return document.querySelector(arguments[0]).textContent", selector)
    return found


def requests(opened: Browser) -> list[str]:
    return [url for url in opened.asked_for() if not url.startswith(("data:", "blob:"))]


def test_a_breakdown_a_kpi_and_a_day_are_chosen(desktop: Browser, tmp_path: Path) -> None:
    file = leave_groups(tmp_path)
    desktop.said(), desktop.asked_for()
    desktop.open(file)
    assert text(desktop, "#groups-title") == "By vendor"
    assert heads(desktop) == ["vendor_id", "trips", "total fare", "max", "min"]
    assert rows(desktop)[0] == ["vendor 0", "6000", "3000.015", "8", "0.5"]
    assert len(rows(desktop)) == 50
    assert text(desktop, "#groups-shown") == "By vendor, all days: 50 of 60 groups."
    note = text(desktop, "#groups-note")
    assert "For the other 10: ops kpis --breakdown vendor." in note
    assert "average fare. Choose a day." in note
    assert captions(desktop) == [f"vendor {n}: trip count" for n in range(5)]
    assert "trip count: 2000" in desktop.tooltip("group-chart-0", 1)

    choose(desktop, "kpi", "total fare")
    assert captions(desktop) == [f"vendor {n}: total fare" for n in range(5)]
    assert "total fare: 1000.005" in desktop.tooltip("group-chart-0", 1)

    choose(desktop, "day", DAYS[2])
    assert heads(desktop) == ["vendor_id", "trips", "total fare", "average", "max", "min"]
    assert rows(desktop)[1] == ["vendor 1", "1999", "1001.005", "1.234567", "8", "0.5"]
    assert "Choose a day" not in text(desktop, "#groups-note")

    choose(desktop, "breakdown", "city")
    assert text(desktop, "#groups-title") == "By city"
    assert [row[:3] for row in rows(desktop)] == [[EVIL[:100], "day", "2"], ["none", "day", "1"]]
    assert captions(desktop) == [f"{EVIL[:100]}, day: total fare", "(none), day: total fare"]
    assert text(desktop, "#groups-shown") == "By city, all days: 2 of 2 groups."
    choose(desktop, "day", DAYS[1])
    assert len(rows(desktop)) == 2
    assert text(desktop, "#groups-note") == ""
    choose(desktop, "breakdown", "vendor")
    assert text(desktop, "#groups-shown") == f"By vendor, {DAYS[1]}: 50 of 60 groups."
    assert text(desktop, "title") == "Trip KPIs: run-1"
    assert desktop.said() == []
    assert requests(desktop) == [file.as_uri()]


def test_charts_of_groups_have_one_scale_and_the_period_of_the_days(
    desktop: Browser, tmp_path: Path
) -> None:
    desktop.open(leave_groups(tmp_path))
    scales = desktop.run(
        "return [...document.querySelectorAll('#group-charts svg')]"
        ".map((one) => [...one.querySelectorAll('.label.end')].map((l) => l.textContent).join())"
    )
    assert (len(scales), len(set(scales))) == (5, 1)
    count = "return document.querySelectorAll('#group-charts figure:not([hidden]) .bar').length"
    assert desktop.run(count) == 15
    desktop.run(
        "const from = document.getElementById('from'); from.value = '2024-05-03';"
        "from.dispatchEvent(new Event('change', { bubbles: true }))"
    )
    assert desktop.run(count) == 5
    choose(desktop, "breakdown", "city")
    assert desktop.run(count) == 0, "the cities have another day alone"
    assert desktop.said() == []


def test_the_table_of_groups_is_sorted_and_rounded_exactly(
    desktop: Browser, tmp_path: Path
) -> None:
    desktop.open(leave_groups(tmp_path))
    desktop.run("document.querySelectorAll('#groups-table thead button')[2].click()")
    totals = [row[TOTAL] for row in rows(desktop)]
    assert totals == sorted(totals, key=Decimal)
    figures = ["0.005", "0.015", "0.025000000000000001", "-0.005", "-0.0051", "999.995", "-1.5"]
    figures += ["7", "1234567.125", "99999999999999999999.994999999999999999", "-0.015", "0"]
    rounded = desktop.run("return arguments[0].map(shortFigure)", figures)
    assert rounded == [short(figure) for figure in figures]
    shown = desktop.run(
        "return [...document.querySelectorAll('#groups-table tbody tr')[0].cells]"
        ".map((cell) => [cell.dataset.short, cell.dataset.fill])"
    )
    assert shown[TRIPS] == ["6,000", None]
    assert shown[TOTAL][0] == "3,000.02"
    assert shown[3] == ["8.00", None]


def test_a_phone_scrolls_the_table_of_groups_within_its_width(
    phone: Browser, tmp_path: Path
) -> None:
    phone.open(leave_groups(tmp_path), dark=True)
    choose(phone, "breakdown", "city")
    choose(phone, "day", DAYS[1])
    assert phone.run("return document.documentElement.scrollWidth") == 390
    assert phone.run(
        "const box = document.querySelector('.table:has(#groups-table)');"
        "return box.scrollWidth > box.clientWidth"
    )
    assert phone.said() == []


@pytest.mark.parametrize(
    ("kpis", "charts"),
    [
        (
            {
                "trips": 3,
                "total_revenue": Decimal("10.25"),
                "highest": Decimal(7),
                "segments": Decimal("1.5"),
            },
            ["Total revenue", "Trips", "Highest", "Segments"],
        ),
        ({"highest": Decimal("0.000000000000000001")}, ["Highest"]),
        ({"orders": 3}, ["Orders"]),
        (
            {
                "min_tip": Decimal(-1),
                "average_tip": Decimal("1.5"),
                "max_fee": Decimal(3),
                "max_tip": Decimal(2),
            },
            ["Average tip, and the band from the smallest to the largest", "Max fee"],
        ),
    ],
)
def test_the_days_of_any_definition_are_drawn(
    desktop: Browser, tmp_path: Path, kpis: dict[str, int | Decimal], charts: list[str]
) -> None:
    manifest = leave_run(tmp_path, segments=4)
    leave_other_kpis(manifest, [{"date": day, **kpis} for day in DAYS])
    desktop.said()
    desktop.open(write_report(tmp_path))
    found = desktop.run(
        "return [...document.querySelectorAll('#days figure')].map((one) =>"
        "[one.querySelector('figcaption').textContent, one.querySelectorAll('.bar').length])"
    )
    assert found == [[chart, 3] for chart in charts]
    assert desktop.run("return document.querySelectorAll('#timeline .bar').length") == 4
    cells = desktop.run(
        "return [...document.querySelector('#days-table tbody tr').cells]"
        ".map((cell) => cell.textContent)"
    )
    assert cells == [DAYS[0], *(format(Decimal(one), "f") for one in kpis.values()), "published"]
    assert desktop.said() == []
