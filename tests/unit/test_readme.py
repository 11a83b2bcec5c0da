"""The README says what is true: every parameter with its default, every reason, every input."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from ops.__main__ import main
from trip_kpis.core.rejections import Reason
from trip_kpis.core.requests import RunRequest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PARAMETERS = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))["Parameters"]


def rows(heading: str) -> dict[str, str]:
    """The first two columns of the table after a heading."""
    section = README.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", section, flags=re.MULTILINE))


def test_every_parameter_of_the_stack_is_in_the_table_with_its_default() -> None:
    table = rows("### Parameters")
    assert list(table) == list(PARAMETERS)
    for name, parameter in PARAMETERS.items():
        default = parameter.get("Default")
        said = table[name].strip("`")
        if default is None:
            assert said == "required"
        elif default == "":
            assert said.startswith("empty")
        else:
            assert said == str(default), name


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_to_reject_a_trip_is_explained(reason: Reason) -> None:
    assert f"`{reason}`" in README


def test_every_field_of_the_executions_input_is_in_the_table() -> None:
    table = rows("## Run it, and run it again")
    of_the_program = {field.name for field in fields(RunRequest)} - {"continues"}
    assert set(table) == of_the_program


def test_every_verb_of_the_operators_tool_is_in_the_table() -> None:
    assert set(rows("## The operator's tool")) == set(main.commands)
