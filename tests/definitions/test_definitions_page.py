"""Each example of docs/definitions.md gives the figures that it shows."""

import json
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.definitions.oracle import Settings, expected
from tests.definitions.test_any_definition import objects_of
from tests.samples import rules
from trip_kpis.core.definition.parsing import DefinitionFile

PAGE = (Path(__file__).parents[2] / "docs" / "definitions.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"^### (.+?)\n\n```toml\n(.+?)```\n\n```json\n(.+?)```", PAGE, re.MULTILINE | re.DOTALL
)
TITLES = [title for title, _, _ in EXAMPLES]


def test_every_definition_of_the_page_has_items_and_figures() -> None:
    assert len(EXAMPLES) == PAGE.count("```toml") == PAGE.count("\n### ") > 5


@pytest.mark.parametrize(("toml", "shown"), [one[1:] for one in EXAMPLES], ids=TITLES)
def test_the_objects_are_those_that_the_page_shows(toml: str, shown: str) -> None:
    document = json.loads(shown)
    items = [{**item, "trip_id": {"S": f"t-{n}"}} for n, item in enumerate(document.pop("items"))]
    right = expected(tomllib.loads(toml, parse_float=Decimal), items, settings=Settings()).objects
    objects, _, _ = objects_of([[items]], rules(definition=DefinitionFile(name="a", text=toml)))
    assert objects == right
    assert {key: lines(body) for key, body in objects.items()} == {
        key: shown if isinstance(shown, list) else [shown] for key, shown in document.items()
    }


def lines(body: bytes) -> list[Any]:
    return [json.loads(line) for line in body.splitlines()]
