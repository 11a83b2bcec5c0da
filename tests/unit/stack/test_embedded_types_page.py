"""docs/security.md names what the embedded AWS makes of the stack, and what it leaves out."""

import re

from tests.integration.embedded.test_project_stack import CREATED, NOT_EMULATED
from tests.unit.stack.resolved import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
SECTION = PAGE.split("### What the embedded AWS makes of the stack")[1].split("\n## ")[0]


def types(line_begins: str) -> set[str]:
    (line,) = re.findall(rf"^{line_begins}.*$", SECTION, flags=re.MULTILINE)
    return {f"AWS::{name}" for name in re.findall(r"`(\w+::\w+)`", line)}


def test_the_page_names_the_types_that_are_made_and_those_that_are_not() -> None:
    assert types("It creates the template's resources") == CREATED.keys()
    assert types("It leaves out") == NOT_EMULATED.keys()
