"""README and its neighbours say what is true: parameters, reasons, inputs, verbs, the bucket."""

import re
from dataclasses import fields
from pathlib import Path

import click
import pytest
from samtranslator.yaml_helper import yaml_parse

from ops.cli.main import main
from tests.unit.test_architecture_page import first_cells, section
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.run.requests import RunRequest

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))["Parameters"]


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(name: str, heading: str) -> dict[str, str]:
    """The first two columns of the table after a heading of a page."""
    below = page(name).split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", below, flags=re.MULTILINE))


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_to_reject_a_trip_is_explained(reason: Reason) -> None:
    explained = re.findall(r"^\| (`.+?) \|", page("docs/trips.md"), flags=re.MULTILINE)
    assert any(f"`{reason}`" in cell for cell in explained)


def test_the_share_of_trips_that_may_be_rejected_is_as_reported() -> None:
    reported = f"{float(PARAMETERS['MaxRejectedShare']['Default']):.0%}".replace("%", " %")
    assert f"**More than {reported} of the completed trips are rejected**" in page("README.md")
    assert f"({reported} by default)" in page("docs/trips.md")


def test_every_field_of_the_executions_input_is_in_the_table() -> None:
    table = rows("docs/parameters.md", "## Of a run")
    of_the_program = {field.name for field in fields(RunRequest)} - {"continues"}
    assert set(table) == of_the_program


def test_every_verb_of_the_operators_tool_is_in_the_table() -> None:
    assert set(rows("README.md", "## The operator's tool")) == set(
        main.list_commands(click.Context(main))
    )


def test_every_folder_of_the_bucket_is_named() -> None:
    (named,) = re.findall(r"to one bucket only: (.+?)\n\n", page("README.md"), flags=re.DOTALL)
    keys = first_cells(section("What is written where"))
    folders = {key.partition("/")[0] + "/" for key in keys}
    assert set(re.findall(r"`(\w+/)`", named)) == folders
