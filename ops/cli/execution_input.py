"""The options for an execution's input, and the options that cannot be combined with it."""

import os
from collections.abc import Callable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from trip_kpis.core.run.requests import RunRequest
from trip_kpis.core.settings import CONSISTENT_READ, READ_UNITS_PER_SECOND

_Command = TypeVar("_Command", bound=Callable[..., Any])

_READING = (CONSISTENT_READ, READ_UNITS_PER_SECOND)
"""settings of the reading of a table"""


def execution_input(command: _Command) -> _Command:
    """Passes `asked` to the command: the execution's input besides the stack's parameters.

    Raises InputError for a value that no run can have.
    """

    @click.option(
        "--segments",
        type=int,
        metavar="N",
        help="Number of segments. [depends on the size of the table]",
    )
    @click.option(
        "--max-concurrency",
        type=int,
        metavar="N",
        help="The maximum number of segments that are read at the same time.",
    )
    @click.option(
        "--read-units-per-second",
        type=int,
        metavar="N",
        help="Read budget of the whole run; 0 is unlimited.",
    )
    @click.option(
        "--consistent-read/--no-consistent-read",
        default=None,
        help="Strongly consistent reads, at twice the read units.",
    )
    @click.option(
        "--source",
        type=click.Choice(["scan", "export"]),
        help="What the run reads: the table by a scan, or an export of it. [the stack's Source; "
        "scan]",
    )
    @wraps(command)
    def asked(
        *,
        segments: int | None,
        max_concurrency: int | None,
        read_units_per_second: int | None,
        consistent_read: bool | None,
        source: str | None,
        **rest: Any,
    ) -> Any:
        checked = _checked(
            source=source,
            total_segments=segments,
            max_concurrency=max_concurrency,
            read_units_per_second=read_units_per_second,
            consistent_read=consistent_read,
        )
        return command(asked=checked, **rest)

    return asked  # type: ignore[return-value]


def named_export_input(command: _Command) -> _Command:
    """Adds to `asked` the export that a stack's run reads. Raises InputError for a value that
    cannot name an export."""

    @click.option(
        "--export-arn",
        metavar="ARN",
        help="With --stack: read this export, which may still be in progress.",
    )
    @click.option(
        "--export-manifest",
        metavar="URL",
        help="With --stack: read the export with this manifest, s3://…/manifest-summary.json.",
    )
    @wraps(command)
    def named(
        *,
        export_arn: str | None,
        export_manifest: str | None,
        asked: dict[str, Any],
        **rest: Any,
    ) -> Any:
        more = _checked(export_arn=export_arn, export_manifest=export_manifest)
        return command(asked=_checked(**asked, **more), **rest)

    return named  # type: ignore[return-value]


def read_budget_input(command: _Command) -> _Command:
    """Passes `asked` to the command: what a resumed run reads with from now on.

    Raises InputError for a value that no run can have.
    """

    @click.option(
        "--max-concurrency", type=int, metavar="N", help="Segments at a time, at most, from now on."
    )
    @click.option(
        "--read-units-per-second",
        type=int,
        metavar="N",
        help="Read budget of the whole run from now on; 0 is unlimited.",
    )
    @wraps(command)
    def asked(
        *, max_concurrency: int | None, read_units_per_second: int | None, **rest: Any
    ) -> Any:
        checked = _checked(
            max_concurrency=max_concurrency, read_units_per_second=read_units_per_second
        )
        return command(asked=checked, **rest)

    return asked  # type: ignore[return-value]


def empty_table_input(command: _Command) -> _Command:
    """Adds to `asked` whether an empty table may remove every published day."""

    @click.option(
        "--confirm-empty-table",
        is_flag=True,
        help="With VanishedDays=remove: allow a run without days to remove all published days.",
    )
    @wraps(command)
    def confirmed(*, confirm_empty_table: bool, asked: dict[str, Any], **rest: Any) -> Any:
        more = {"confirm_empty_table": True} if confirm_empty_table else {}
        return command(asked={**asked, **more}, **rest)

    return confirmed  # type: ignore[return-value]


def refused_beside(option: str, *names: str) -> None:
    """Raises click.UsageError for the first of these options of the command that was given, because
    it cannot be combined with `option`."""
    context = click.get_current_context()
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in names and source is ParameterSource.COMMANDLINE:
            says = "leave it out"
            if option == "--stack" and parameter.name == "parameters":
                says = _where_parameters_are_set()
            raise click.UsageError(f"{parameter.opts[0]} cannot be combined with {option}: {says}")


def refuse_read_units(
    asked: Mapping[str, Any], parameters: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Raises click.UsageError for an option or a parameter about read units if an export is
    read."""
    if asked.get("source") == "export" or {"export_arn", "export_manifest"} & asked.keys():
        given = [f"--{one.field.replace('_', '-')}" for one in _READING if one.field in asked]
        given += [f"--parameter {one.parameter}" for one in _READING if one.parameter in parameters]
        for option in given:
            raise click.UsageError(
                f"{option} has no effect on an export, which is read without read units: leave it "
                "out"
            )


def _where_parameters_are_set() -> str:
    from ops.runs.next_steps import is_on_this_machine

    if is_on_this_machine(os.environ.get("AWS_ENDPOINT_URL")):
        return "give it to `ops serve` when you start it"
    return "`sam deploy --parameter-overrides` sets it"


def _checked(**given: Any) -> dict[str, Any]:
    """Converts an option's value to an execution's input. Raises InputError."""
    asked = {name: value for name, value in given.items() if value is not None}
    RunRequest.from_event({"execution_name": "checked-early", "input": asked})
    return asked
