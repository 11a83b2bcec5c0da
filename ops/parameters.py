"""The stack's parameters as its functions are told them, without a stack."""

from collections.abc import Mapping
from itertools import islice

from ops.embedded.template import complete_parameters, load_template
from ops.local_stack import TEMPLATE
from ops.trip_files import Trips
from trip_kpis.aws.settings import read_run_defaults
from trip_kpis.core.attributes import dotted_path, parse_path

_NAMES_TOLD = 12


def plan_run_environment(parameters: Mapping[str, str]) -> dict[str, str]:
    """PlanRun's variables, as the template makes them of the parameters.

    Raises DeploymentError for a parameter that the template has not, or does not allow.
    """
    template = load_template(TEMPLATE)
    values = complete_parameters(template, parameters)
    plan_run = template["Resources"]["PlanRunFunction"]["Properties"]
    variables = plan_run["Environment"]["Variables"]
    return {name: values[value["Ref"]] for name, value in variables.items()}


def check_parameters(parameters: Mapping[str, str], trips: Trips) -> tuple[str, ...]:
    """What is to be said of these trips before they are read as the parameters have it.

    Raises DeploymentError, or SettingError, for what no run can have.
    """
    defaults = read_run_defaults(plan_run_environment(parameters))
    there = dict.fromkeys(name for item in trips.items.values() for name in item)
    if not there:
        return ("The files hold no trips.",)
    paths = {
        "FareAttribute": defaults.fare_attribute,
        "EstimatedFareAttribute": defaults.estimated_fare_attribute,
        "DayAttribute": defaults.day_attribute,
    }
    return tuple(
        f"No trip has {path} ({parameter}), only "
        f"{', '.join(dotted_path((name,)) for name in islice(there, _NAMES_TOLD))}. If it is "
        f"one of these: --parameter {parameter}=…"
        for parameter, path in paths.items()
        if parse_path(path, setting=parameter)[0] not in there
    )
