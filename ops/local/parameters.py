"""The stack's parameters in the form in which its functions receive them, without a stack."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ops.embedded.template import complete_parameters, load_template
from ops.local.closest_name import closest_name
from ops.local.names import TABLE_NAME, TEMPLATE
from ops.local.trip_files import Trips
from trip_kpis.aws.settings import read_estimate_terms, read_merge_settings, read_run_defaults
from trip_kpis.core.definition.conditions import holds
from trip_kpis.core.definition.model import Definition
from trip_kpis.core.definition.parsing import Document, StackPaths
from trip_kpis.core.errors import SettingError
from trip_kpis.core.items.attributes import AttributePath, dotted_path, find, parse_path
from trip_kpis.core.items.zones import closest_time_zone, is_time_zone
from trip_kpis.core.settings import KPI_DEFINITION, SETTINGS

_NAMES_SHOWN = 12


def functions_environment(parameters: Mapping[str, str]) -> dict[str, str]:
    """Returns the functions' variables, as the template makes them from the parameters.

    Raises DeploymentError for a parameter that the template has not, or does not allow, and
    SettingError for a time zone that is none.
    """
    _check_time_zone(parameters)
    of_template, variables = deployable(parameters)
    values = complete_parameters(load_template(TEMPLATE), of_template)
    return {**{one.variable: values[one.parameter] for one in SETTINGS}, **variables}


def deployable(parameters: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Returns the template's parameters, and the further variables of functions on this machine:
    the path of a KPI definition, because a stack in AWS can only have the name of one in its
    package."""
    of_template = dict(parameters)
    if not Path(parameters.get(KPI_DEFINITION.parameter, "")).is_absolute():
        return of_template, {}
    return of_template, {KPI_DEFINITION.variable: of_template.pop(KPI_DEFINITION.parameter)}


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
    """Parameters whose attribute paths name what the trips have."""

    parameters: Mapping[str, str]
    remarks: tuple[str, ...] = ()
    """sentences about changed parameters, or paths that name nothing"""


def fit_parameters(
    parameters: Mapping[str, str],
    trips: Trips,
    *,
    refuse_absent: bool = True,
    is_sample: bool = False,
) -> FittedParameters:
    r"""Returns the given parameters, but if a path is the whole name of a column of a flattened
    file, ``trip_end.fare_amount`` becomes ``trip_end\.fare_amount``.

    Raises DeploymentError or SettingError for what no run can have. A path that no trip has raises
    SettingError, too, or is a remark, with the parameters that would fit. If the trips are a
    sample, it is a remark without these: what was not sampled may have the path.
    """
    environment = functions_environment({"TableName": TABLE_NAME, **parameters})
    defaults = read_run_defaults(environment)
    read_estimate_terms(environment)
    read_merge_settings(environment)
    stack = StackPaths(
        fare=defaults.fare_attribute,
        estimated_fare=defaults.estimated_fare_attribute,
        day=defaults.day_attribute,
    )
    file = defaults.kpi_definition.file
    definition = file.definition(stack)
    names = tuple(dict.fromkeys(name for item in trips.items.values() for name in item))
    if not names:
        return FittedParameters(
            parameters=parameters, remarks=("The files have no trips in them.",)
        )
    none = f"None of the {len(trips.items):,} sampled items" if is_sample else "No trip"
    fitted, remarks, wrong = dict(parameters), [], []
    for named in _named_paths(file.document, stack):
        if any(find(item, named.path) is not None for item in trips.items.values()):
            continue
        whole = ".".join(map(str, named.path))
        if named.parameter is None:
            if _is_decisive(named.path, definition):
                wrong.append(named)
            elif not named.key.startswith("item.where"):
                remarks.append(f"{none} has {named.written}, which {named.key} names.")
        elif whole not in names:
            wrong.append(named)
        elif named.parameter not in fitted or fitted[named.parameter] == named.written:
            fitted[named.parameter] = dotted_path((whole,))
            remarks.append(
                f"{named.written} is one column of the files, so {named.parameter} is "
                f"{fitted[named.parameter]} here."
            )
    if wrong and is_sample:
        absent = ", or ".join(f"{one.written}, which {one.name} names" for one in wrong)
        remarks.append(
            f"{none} has {absent}. They have {_some(names)}. If the name is wrong, correct it; "
            "Ctrl-C stops a run."
        )
    elif wrong:
        sentences = _wrong_names(wrong, names, f"{file.name}.toml")
        if refuse_absent:
            raise SettingError(sentences)
        remarks.append(sentences)
    return FittedParameters(parameters=fitted, remarks=tuple(remarks))


@dataclass(frozen=True, slots=True, kw_only=True)
class _NamedPath:
    """A path that the KPI definition reads, and the name of its setting."""

    key: str
    """the key in the definition"""
    written: str
    path: AttributePath
    parameter: str | None
    """the parameter of the stack; None: the definition itself contains the path"""

    @property
    def name(self) -> str:
        return self.parameter or self.key


def _named_paths(document: Document, stack: StackPaths) -> Sequence[_NamedPath]:
    """Lists the named paths of a valid document; a parameter that is named several times is listed
    once."""
    of_stack = stack.named()
    found: dict[str, _NamedPath] = {}
    for key, text in _texts_of_paths(document):
        parameter = text.removeprefix("${").removesuffix("}") if text.startswith("${") else None
        written = of_stack[parameter] if parameter else text
        found.setdefault(
            parameter or key + text,
            _NamedPath(
                key=key,
                written=written,
                path=parse_path(written, setting=key),
                parameter=parameter,
            ),
        )
    in_order = {name: number for number, name in enumerate(of_stack)}
    return sorted(found.values(), key=lambda one: in_order.get(one.parameter or "", len(in_order)))


def _texts_of_paths(document: Document) -> Iterator[tuple[str, str]]:
    """Returns each path as the document has it, with its key."""
    item = document["item"]
    day = item["day"]
    for name, text in {"day": day}.items() if isinstance(day, str) else day.items():
        if name != "after":
            yield ("item.day" if name == "day" else f"item.day.{name}"), text
    for name in ("complete", "numbers"):
        yield from ((f"item.{name}", text) for text in item.get(name, []))
    yield from (("item.where", text) for text in item.get("where", {}))
    for name, kpi in document["kpis"].items():
        for function in ("sum", "average", "min", "max"):
            yield from ((f"kpis.{name}.{function}", text) for text in _listed(kpi.get(function)))
    for name, paths in document.get("breakdowns", {}).items():
        yield from ((f"breakdowns.{name}", text) for text in _listed(paths))


def _listed(paths: str | Sequence[str] | None) -> Sequence[str]:
    return [paths] if isinstance(paths, str) else paths or []


def _is_decisive(path: AttributePath, definition: Definition) -> bool:
    """Returns whether no item counts at all if none has a value there."""
    return (
        path in definition.needed
        or path in definition.day.paths
        or any(one.path == path and not holds(one, None, frozenset()) for one in definition.where)
    )


def _some(names: Sequence[str]) -> str:
    there = ", ".join(dotted_path((name,)) for name in islice(names, _NAMES_SHOWN))
    return f"{there} and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else there


def _wrong_names(wrong: Sequence[_NamedPath], names: Sequence[str], file: str) -> str:
    """Returns what is wrong, and what to add to the command, or to write into the definition."""
    said = "; ".join(f"no trip has {one.written}, which {one.name} names" for one in wrong)
    edits, options = [], []
    for one in wrong:
        closest = closest_name(one.written, names)
        fit = dotted_path((closest,)) if closest else None
        if one.parameter is None:
            instead = json.dumps(fit, ensure_ascii=False) if fit else "one of these"
            written = json.dumps(one.written, ensure_ascii=False)
            edits.append(f"{instead} instead of {written} in {one.key}")
        else:
            options.append(
                f"--parameter {one.parameter}={shlex.quote(fit) if fit else '<one of these>'}"
            )
    advice = [f"In {file}, write {', and '.join(edits)}"] if edits else []
    advice += [f"Run it again with {' '.join(options)}"] if options else []
    return f"{said}. The trips have {_some(names)}. {'. '.join(advice)}"
