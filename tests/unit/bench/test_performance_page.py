"""docs/performance.md is rewritten between its markers, and nowhere else."""

import pytest

from bench import performance_page, scale
from bench.__main__ import measures
from bench.performance_page import MissingMarkersError, filled

PAGE = """# Title

Prose with | a bar.

<!-- bench scan -->
| old |
<!-- end bench scan -->

More prose.
<!-- bench cold -->
| cold |
<!-- end bench cold -->
"""


def test_only_what_lies_between_the_markers_of_a_name_changes() -> None:
    once = filled(PAGE, {"scan": "| new |\n| 1 |\n"})
    assert once == PAGE.replace("| old |\n", "\n| new |\n| 1 |\n\n")
    assert filled(once, {"scan": "| new |\n| 1 |\n"}) == once
    assert filled(PAGE, {}) == PAGE


def test_a_text_may_hold_what_a_substitution_would_take_for_a_reference() -> None:
    assert r"\1 \g<end>" in filled(PAGE, {"cold": r"\1 \g<end>"})


def test_a_text_without_a_place_is_refused_by_its_name() -> None:
    with pytest.raises(MissingMarkersError, match="no place for merge"):
        filled(PAGE, {"merge": "| 1 |", "scan": "| 2 |"})


def test_the_page_has_a_place_for_every_measure_and_for_the_machine() -> None:
    page = performance_page.PAGE.read_text()
    texts = {name: f"of {name}" for name in (*measures(), "machine")}
    assert all(text in filled(page, texts) for text in texts.values())


def test_the_machine_is_named_by_processors_python_and_libraries() -> None:
    reported = performance_page.machine()
    assert "processors (" in reported
    assert "Python 3." in reported
    assert "pyarrow 2" in reported


def test_what_is_calculated_is_on_the_page_as_it_is_calculated_now() -> None:
    scaled = scale.run()
    page = performance_page.PAGE.read_text()
    assert filled(page, {"scale": scale.table(scaled)}) == page
    _, terabyte, largest = scaled
    figures = {
        "Cost around the DynamoDB bill at 1 TB, on arm64": f"{terabyte.around_share_arm64:.1%}",
        "Largest state at 10,000 segments": f"{largest.payload_bytes:,} bytes",
        "History of the parent": f"{largest.parent_events:,} events",
    }
    # The first row of that name: the one of the table at the top of the page.
    found = {
        name: next(line for line in page.splitlines() if line.startswith(f"| {name} | "))
        for name in figures
    }
    last_cells = {name: line.split("|")[-2].strip() for name, line in found.items()}
    assert last_cells == figures
    assert largest.segments == 10_000
