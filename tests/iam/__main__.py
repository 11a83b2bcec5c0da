"""`python -m tests.iam`: a table of all that the roles may do, and what a run says without it."""

from collections.abc import Sequence

import click

from tests.iam.grants import granted_in_template
from tests.iam.removals import Removal, removals

ROLES = [*dict.fromkeys(grant.role for grant in granted_in_template())]


@click.command()
@click.option(
    "--role", "roles", type=click.Choice(ROLES), multiple=True, help="Of this one; default: all."
)
def main(*, roles: Sequence[str]) -> None:
    """Takes each permission away in turn, and runs: a row of Markdown each, as soon as it is known.

    Takes a few minutes. Fails if a run does not miss a permission.
    """
    click.echo("| Role | Action | On | Without it |\n| --- | --- | --- | --- |")
    for removal in removals(frozenset(roles or ROLES)):
        click.echo(row(removal))


def row(removal: Removal) -> str:
    cells = (removal.grant.role, removal.grant.action, removal.resource, removal.says)
    on_one_line = (" ".join(cell.split()).replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(on_one_line)} |"


if __name__ == "__main__":
    main(prog_name="python -m tests.iam")
