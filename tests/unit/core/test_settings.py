"""Every setting is what the template makes of it, and may be in a run's input as it is declared."""

from pathlib import Path
from typing import Any

import pytest

from ops.embedded.template import load_template
from trip_kpis.core import settings
from trip_kpis.core.errors import InputError
from trip_kpis.core.run.plan import Plan
from trip_kpis.core.run.requests import RunRequest
from trip_kpis.core.settings import Choice, Setting, Share, Whole

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE: dict[str, Any] = load_template(ROOT / "template.yaml")

by_parameter = pytest.mark.parametrize(
    "setting", settings.SETTINGS, ids=lambda setting: setting.parameter
)


def variables() -> dict[str, Any]:
    """Of all functions, with what the template sets them to."""
    found: dict[str, Any] = dict(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"])
    for resource in TEMPLATE["Resources"].values():
        found |= resource.get("Properties", {}).get("Environment", {}).get("Variables", {})
    return found


@by_parameter
def test_a_setting_has_the_default_and_the_range_of_the_stacks_parameter(setting: Setting) -> None:
    parameter = TEMPLATE["Parameters"][setting.parameter]
    default = parameter.get("Default")
    assert setting.default == (None if default is None else str(default))
    if isinstance(setting, Whole):
        assert parameter["MinValue"] == setting.least
        assert parameter.get("MaxValue", setting.most) == setting.most
    if isinstance(setting, Choice):
        assert set(parameter["AllowedValues"]) == set(setting.choices)
    if isinstance(setting, Share):
        assert (parameter["MinValue"], parameter["MaxValue"]) == (0, 1)


@by_parameter
def test_the_template_hands_the_parameter_to_the_functions_as_this_variable(
    setting: Setting,
) -> None:
    handed = variables()[setting.variable]
    if setting is settings.BUCKET_NAME:  # the stack may have made the bucket
        assert setting.parameter in str(TEMPLATE["Conditions"])
    else:
        assert handed == {"Ref": setting.parameter}


def test_what_decides_figures_is_in_the_plan() -> None:
    deciding = {setting.field for setting in settings.SETTINGS if setting.decides_figures}
    assert deciding <= Plan.__dataclass_fields__.keys()
    assert {setting.field for setting in settings.ASKED_BY_RUN} <= Plan.__dataclass_fields__.keys()


@pytest.mark.parametrize(
    "setting", [one for one in settings.ASKED_BY_RUN if isinstance(one, Whole)], ids=str
)
def test_a_runs_input_has_the_range_that_the_setting_declares(setting: Whole) -> None:
    least = setting.least if setting.least_in_input is None else setting.least_in_input
    for number in (least, setting.most):
        asked = RunRequest.from_event({"execution_name": "r", "input": {setting.field: number}})
        assert getattr(asked, setting.field) == number
    for number in (least - 1, setting.most + 1):
        with pytest.raises(InputError):
            RunRequest.from_event({"execution_name": "r", "input": {setting.field: number}})
