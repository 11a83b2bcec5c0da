"""The report's colours can be distinguished, by WCAG 2's contrast, in both themes.

https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
"""

import re
from pathlib import Path

import pytest

import ops.report

CSS = (Path(ops.report.__file__).parent / "assets" / "page.css").read_text()
COLOURS = {
    name: themes for name, *themes in re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\);", CSS)
}
TEXT, DRAWN = 4.5, 3.0


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_black_on_white_has_the_most() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "at_least"),
    [
        *((front, back, TEXT) for front in ("text", "quiet") for back in ("ground", "raised")),
        *((front, "ground", DRAWN) for front in ("accent", "second", "third", "later")),
        ("text", "band", DRAWN),
    ],
)
def test_what_is_read_or_drawn_stands_out(
    theme: int, front: str, back: str, at_least: float
) -> None:
    assert contrast(COLOURS[front][theme], COLOURS[back][theme]) >= at_least
