"""`python -m bench`: measures, and prints what it has measured."""

import json
from dataclasses import asdict

import click

from bench.memory import Measured, measure

SHORT_SEGMENT_PAGES = 60


@click.group()
def main() -> None:
    """Figures of this product, measured on this machine, with nothing outside it."""


@main.command()
@click.option(
    "--pages", type=click.IntRange(1), default=2_000, show_default=True, help="Of the long segment."
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON, nothing else.")
def memory(*, pages: int, as_json: bool) -> None:
    """Peak memory of a scan worker over a short and a long segment, and of the merge of each."""
    measured = [measure(length) for length in (SHORT_SEGMENT_PAGES, pages)]
    print(json.dumps([asdict(one) for one in measured]) if as_json else _table(measured))


def _table(measured: list[Measured]) -> str:
    rows = ["| Pages | Trips | Parts | Scan worker, peak | Merge, peak |", "| --: " * 5 + "|"]
    rows += [
        f"| {one.pages:,} | {one.trips:,} | {one.parts:,} | {one.scan_peak_mb:,} MB "
        f"| {one.merge_peak_mb:,} MB |"
        for one in measured
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    main(prog_name="python -m bench")
