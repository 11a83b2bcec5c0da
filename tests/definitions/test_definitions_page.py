"""Each example of docs/definitions.md gives the figures that it shows."""

import json
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.definitions.oracle import Settings, expected
from tests.samples import rules
from trip_kpis.core.definition.parsing import DefinitionFile
from trip_kpis.core.reading.read_item import read_items

PAGE = (Path(__file__).parents[2] / "docs" / "definitions.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"^### (.+?)\n\n```toml\n(.+?)```\n\n```json\n(.+?)```", PAGE, re.MULTILINE | re.DOTALL
)
TITLES = [title for title, _, _ in EXAMPLES]


def test_every_definition_of_the_page_has_items_and_figures() -> None:
    assert len(EXAMPLES) == PAGE.count("```toml") == PAGE.count("\n### ") > 5


@pytest.mark.parametrize(("toml", "shown"), [one[1:] for one in EXAMPLES], ids=TITLES)
def test_the_parser_reads_it_and_as_many_items_count_as_the_page_says(
    toml: str, shown: str
) -> None:
    document = json.loads(shown)
    definition = DefinitionFile(name="example", text=toml)
    items = [{"trip_id": {"S": str(n)}, **one} for n, one in enumerate(document["items"])]
    read = read_items(items, rules(definition=definition))
    figures = document["kpis/date=2024-05-25/kpi.json"]
    assert (len(read.counted), read.rejected) == (next(iter([*figures.values()][1:])), [])
    named = [[*lines[0]] for key, lines in document.items() if key.startswith("breakdowns/")]
    kpis = [kpi.name for kpi in read_definition(definition).kpis]
    assert named == [
        ["date", *one.attributes, *kpis] for one in read_definition(definition).breakdowns
    ]


@pytest.mark.parametrize(("toml", "shown"), [one[1:] for one in EXAMPLES], ids=TITLES)
def test_the_objects_are_those_that_the_page_shows(toml: str, shown: str) -> None:
    document = json.loads(shown)
    found = expected(
        tomllib.loads(toml, parse_float=Decimal), document.pop("items"), settings=Settings()
    )
    objects = {
        key: [json.loads(line) for line in body.decode().splitlines()]
        if key.endswith("l")
        else json.loads(body)
        for key, body in found.objects.items()
    }
    assert objects == document


def read_definition(file: DefinitionFile) -> Any:
    return rules(definition=file).definition
