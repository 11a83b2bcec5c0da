"""Options that several commands share."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ops.local.names import CONTAINERS_BUCKET, CONTAINERS_PORT
from ops.local.out_directory import StateError, check_out

_Command = TypeVar("_Command", bound=Callable[..., Any])

MERGE_PARAMETERS = ("MaxRejectedShare", "VanishedDays", "ShrunkDays", "OpenDays")
"""parameters that are not in a run's plan, and decide whether and what it publishes"""

_KEY = re.compile(r"[A-Za-z0-9]{16,128}")
"""https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html"""


def _parameters(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    """Parses NAME=VALUE pairs."""
    pairs = [one.partition("=") for one in given]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise click.BadParameter(f"{name!r} is not of the form NAME=VALUE")
    return {name: value for name, _, value in pairs}


def _merge_parameters(
    context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    """Parses NAME=VALUE pairs of parameters that may change after a run began."""
    pairs = _parameters(context, option, given)
    for name in pairs:
        if name not in MERGE_PARAMETERS:
            raise click.BadParameter(
                f"a resumed run keeps its {name}; only {' and '.join(MERGE_PARAMETERS)} can "
                f"change. For another {name}, start a new run"
            )
    return pairs


def _directory(_context: click.Context, _option: click.Parameter, given: str | None) -> Path | None:
    """Returns a directory that a run may replace; it is made if needed, and refused before the run,
    not after it."""
    if given is None:
        return None
    if not given:
        raise click.BadParameter("it is empty: name a directory")
    try:
        check_out(Path(given))
        Path(given).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=given):
            return Path(given)
    except StateError as error:
        raise click.BadParameter(str(error)) from error
    except OSError as error:
        raise click.BadParameter(
            f"{given} cannot be written to ({error.strerror}): name another directory"
        ) from error


def _encoding(_context: click.Context, _option: click.Parameter, given: str) -> str:
    try:
        "a".encode(given)
    except (LookupError, ValueError) as error:
        raise click.BadParameter(
            f"{given!r} is not a text encoding: use utf-8, latin-1, cp1252 or utf-16, for example"
        ) from error
    return given


def out(
    help_text: str, *, default: str | None = None, needed: bool = True
) -> Callable[[_Command], _Command]:
    """The option for the directory of a command's results."""
    return click.option(
        "--out",
        default=default,
        required=needed and default is None,
        show_default=default is not None,
        callback=_directory,
        metavar="DIR",
        help=help_text,
    )


class _SeveralValues(click.Option):
    """An option that takes all values up to the next option, as a shell expands ``*.json.gz``."""

    def __init__(self, *declarations: Any, **settings: Any) -> None:
        super().__init__(*declarations, **{**settings, "multiple": True})

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        super().add_to_parser(parser, ctx)
        for name in self.opts:
            option = parser._long_opt[name]
            option.process = _taking_more(option)


def _taking_more(option: Any) -> Callable[[Any, Any], None]:
    process = option.process

    def process_all(value: Any, state: Any) -> None:
        process(value, state)
        while state.rargs and not state.rargs[0].startswith("-"):
            process(state.rargs.pop(0), state)

    return process_all


def _trips(*, needed: bool) -> Callable[[_Command], _Command]:
    return click.option(
        "--trips",
        "files",
        type=click.Path(exists=True, path_type=Path),
        cls=_SeveralValues,
        required=needed,
        metavar="FILE...",
        help="One or more files: CSV with a header, Parquet, or JSON Lines in DynamoDB JSON. Or a "
        "directory of such files, for example a DynamoDB export. "
        "Files can be gzipped. All values of a CSV are Strings. If rows in several files have the "
        "same key, they become one item.",
    )


def _export(_context: click.Context, _option: click.Parameter, given: str | None) -> Path | None:
    """Returns the path of an export. Many users have its S3 URL at hand: the message says what to
    do with it."""
    if given is None:
        return None
    if not given:
        raise click.BadParameter("it is empty: name a directory or a data file")
    if given.startswith("s3://"):
        raise click.BadParameter(
            f"{given} is in S3. Copy its folder, `aws s3 sync s3://…/AWSDynamoDB/EXPORT_ID DIR`, "
            "and give --export DIR; or let a deployed stack read it, with --stack NAME and "
            "--export-manifest s3://…/manifest-summary.json"
        )
    if not Path(given).exists():
        raise click.BadParameter(f"{given} does not exist")
    return Path(given)


export = click.option(
    "--export",
    "export_path",
    type=click.Path(),
    callback=_export,
    metavar="DIR",
    help="A full DynamoDB export in DynamoDB JSON: the directory that `aws s3 sync` has copied it "
    "to, or one of its data files (.json.gz). It is read where it is; no table is filled.",
)
trips = _trips(needed=True)
trips_or_stack = _trips(needed=False)
key = click.option(
    "--key",
    default="trip_id",
    show_default=True,
    metavar="NAME",
    help="The column or attribute that is the table's hash key. If the files have no id, use "
    "`row`: then the key is the row number.",
)
same_key = click.option(
    "--same-key",
    type=click.Choice(["error", "last"]),
    default="error",
    show_default=True,
    help="What to do if two rows of one file have the same key: fail, or use the last row.",
)
encoding = click.option(
    "--encoding",
    default="utf-8",
    show_default=True,
    callback=_encoding,
    metavar="NAME",
    help="The encoding of text files, such as latin-1, cp1252 or utf-16.",
)
sort_key = click.option("--sort-key", metavar="NAME", help="The table's sort key, if it has one.")
parameter = click.option(
    "--parameter",
    "parameters",
    multiple=True,
    callback=_parameters,
    metavar="NAME=VALUE",
    help="A parameter of the stack, such as TimeZone=Europe/Berlin. You can repeat this option.",
)


def _definition(
    _context: click.Context, _option: click.Parameter, given: Path | None
) -> dict[str, str]:
    """Returns the parameter with which functions on this machine find the definition's file, if one
    is given."""
    return {} if given is None else {"KpiDefinition": str(given.resolve())}


definition = click.option(
    "--definition",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    callback=_definition,
    metavar="FILE.toml",
    help="The KPI definition: what counts, and which figures are calculated (docs/definitions.md). "
    "[functions/definitions/trips.toml]",
)


def with_definition(parameters: dict[str, str], definition: dict[str, str]) -> dict[str, str]:
    """Adds the parameter of --definition to the parameters. Raises click.UsageError where both name
    one."""
    if definition and "KpiDefinition" in parameters:
        raise click.UsageError(
            "--definition and --parameter KpiDefinition name two KPI definitions: leave one out"
        )
    return {**parameters, **definition}


merge_parameter = click.option(
    "--parameter",
    "parameters",
    multiple=True,
    callback=_merge_parameters,
    metavar="NAME=VALUE",
    help=f"A new value of {', '.join(MERGE_PARAMETERS[:-1])} or {MERGE_PARAMETERS[-1]}. You can "
    "repeat this option. A resumed run keeps its other parameters.",
)
lambda_endpoint = click.option(
    "--lambda-endpoint",
    metavar="URL",
    help="Run the functions at this URL, instead of in processes on this machine. "
    "`sam local start-lambda` listens on http://127.0.0.1:3001.",
)
host = click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address of the embedded AWS. For functions in containers: address of the Docker bridge.",
)


def _access_key(context: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    """Checks that nobody can guess the key. Functions in containers need a key that is known before
    they start."""
    if given is None and context.params.get("lambda_endpoint") is not None:
        raise click.UsageError(
            "--lambda-endpoint needs --access-key: the embedded AWS answers only requests with its "
            "own access key. Choose one, start `sam local` with it as AWS_ACCESS_KEY_ID, and "
            "give it here, too (docs/sam-local.md)"
        )
    if given is not None and not _KEY.fullmatch(given):
        raise click.BadParameter(
            f"{given!r} is not 16 to 128 letters and digits. Choose one that nobody can guess, for "
            "example the output of `openssl rand -hex 16`"
        )
    return given


access_key = click.option(
    "--access-key",
    metavar="KEY",
    callback=_access_key,
    help="The only AWS_ACCESS_KEY_ID that the embedded AWS accepts. [a random key]",
)
stack = click.option(
    "--stack",
    metavar="NAME",
    help="The name of a deployed stack. `ops` uses the account and region of the aws CLI.",
)
profile = click.option(
    "--profile", metavar="NAME", help="The same as in the aws CLI. [AWS_PROFILE]"
)
region = click.option("--region", metavar="NAME", help="The same as in the aws CLI. [AWS_REGION]")
as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print the summary as one line of JSON."
)

port = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"Port of the embedded AWS. 0 means any free port. [{CONTAINERS_PORT} for `serve` and for "
    "functions in containers, as in events/env.local.json; else 0]",
)


def containers_parameters(given: dict[str, str]) -> dict[str, str]:
    """Returns the stack's parameters for functions in containers.

    Raises click.UsageError for any that is given: it would not reach them.
    """
    if given:
        raise click.UsageError(
            f"--parameter {next(iter(given))} has no effect on functions that run in containers. "
            "Give it to `sam local` with --parameter-overrides, and leave it out here"
        )
    return {"BucketName": CONTAINERS_BUCKET}
