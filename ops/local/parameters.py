"""The stack's parameters as its functions get them, without a stack."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from ops.embedded.template import complete_parameters, load_template
from ops.local.closest_name import closest_name
from ops.local.names import TABLE_NAME, TEMPLATE
from ops.local.trip_files import Trips
from trip_kpis.aws.settings import read_estimate_terms, read_merge_settings, read_run_defaults
from trip_kpis.core.errors import SettingError
from trip_kpis.core.items.attributes import dotted_path, find, parse_path
from trip_kpis.core.items.zones import closest_time_zone, is_time_zone
from trip_kpis.core.settings import SETTINGS

_NAMES_SHOWN = 12


def functions_environment(parameters: Mapping[str, str]) -> dict[str, str]:
    """The functions' variables, as the template makes them of the parameters.

    Raises DeploymentError for a parameter that the template has not, or does not allow, and
    SettingError for a time zone that is none.
    """
    _check_time_zone(parameters)
    values = complete_parameters(load_template(TEMPLATE), parameters)
    return {setting.variable: values[setting.parameter] for setting in SETTINGS}


def _check_time_zone(parameters: Mapping[str, str]) -> None:
    name = parameters.get("TimeZone")
    if name is None or is_time_zone(name):
        return
    closest = closest_time_zone(name)
    option = shlex.quote(f"TimeZone={closest or 'Europe/Berlin'}")
    proposed = f"did you mean --parameter {option}?" if closest else f"--parameter {option} is one"
    raise SettingError(f"{name} is no IANA time zone name: {proposed}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedParameters:
    """Parameters whose attribute paths name what these trips have."""

    parameters: Mapping[str, str]
    remarks: tuple[str, ...] = ()
    """sentences about what was changed for that, or names nothing"""


def fit_parameters(
    parameters: Mapping[str, str], trips: Trips, *, refuse_absent: bool = True
) -> FittedParameters:
    """The parameters as they were given, but for a path that is the whole name of a column of a
    flattened file: ``trip_end.fare_amount`` then becomes ``trip_end\\.fare_amount``.

    Raises DeploymentError or SettingError for what no run can have. A path that no trip has raises
    SettingError, too, or is a remark, with the parameters that would fit.
    """
    environment = functions_environment({"TableName": TABLE_NAME, **parameters})
    defaults = read_run_defaults(environment)
    read_estimate_terms(environment)
    read_merge_settings(environment)
    names = tuple(dict.fromkeys(name for item in trips.items.values() for name in item))
    if not names:
        return FittedParameters(
            parameters=parameters, remarks=("The files have no trips in them.",)
        )
    fitted, remarks, wrong = dict(parameters), [], {}
    for parameter, path in {
        "FareAttribute": defaults.fare_attribute,
        "EstimatedFareAttribute": defaults.estimated_fare_attribute,
        "DayAttribute": defaults.day_attribute,
    }.items():
        steps = parse_path(path, setting=parameter)
        if any(find(item, steps) is not None for item in trips.items.values()):
            continue
        whole = ".".join(map(str, steps))
        if whole in names:
            fitted[parameter] = dotted_path((whole,))
            remarks.append(
                f"{path} is one column of the files, so {parameter} is {fitted[parameter]} here."
            )
        else:
            wrong[parameter] = path
    if wrong:
        sentences = _wrong_names(wrong, names)
        if refuse_absent:
            raise SettingError(sentences)
        remarks.append(sentences)
    return FittedParameters(parameters=fitted, remarks=tuple(remarks))


def _wrong_names(wrong: Mapping[str, str], names: Sequence[str]) -> str:
    """What is wrong, and what to add to the command."""
    said = "; ".join(f"no trip has {path}, which {name} names" for name, path in wrong.items())
    there = ", ".join(dotted_path((name,)) for name in islice(names, _NAMES_SHOWN))
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    fits = {name: closest_name(path, names) for name, path in wrong.items()}
    options = " ".join(
        f"--parameter {name}={shlex.quote(dotted_path((fit,))) if fit else '<one of these>'}"
        for name, fit in fits.items()
    )
    return f"{said}. The trips have {there}{more}. Run it again with {options}"
