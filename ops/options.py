"""Options that several commands share."""

from pathlib import Path

import click

from ops.trip_files import STREAM_KEY


def _parameters(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    """NAME=VALUE pairs as a mapping."""
    pairs = [one.partition("=") for one in given]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise click.BadParameter(f"{name!r} is not of the form NAME=VALUE")
    return {name: value for name, _, value in pairs}


trips = click.option(
    "--trips",
    "files",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    required=True,
    metavar="FILE",
    help="CSV with a header (every value a String; rows of one trip in several files become one "
    'item), or JSON Lines in DynamoDB JSON ({"Item": {...}}, as DynamoDB exports them), gzipped '
    "or not. May be given more than once.",
)
key = click.option(
    "--key",
    default=STREAM_KEY,
    show_default=True,
    metavar="NAME",
    help="The table's hash key. A CSV without such a column gives its trip_id as the key.",
)
sort_key = click.option("--sort-key", metavar="NAME", help="The table's sort key, if it has one.")
parameter = click.option(
    "--parameter",
    "parameters",
    multiple=True,
    callback=_parameters,
    metavar="NAME=VALUE",
    help="A parameter of the stack, such as TimeZone=Europe/Berlin. May be given more than once.",
)
lambda_endpoint = click.option(
    "--lambda-endpoint",
    metavar="URL",
    help="Run the functions there instead of in processes here: `sam local start-lambda` listens "
    "on http://127.0.0.1:3001.",
)
host = click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Where the embedded AWS listens; for containers, the address of the Docker bridge.",
)
as_json = click.option(
    "--json", "as_json", is_flag=True, help="End with the summary, one line of JSON."
)
