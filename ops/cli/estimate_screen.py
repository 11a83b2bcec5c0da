"""The output of an estimate."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.runs.figures import so_many
from trip_kpis.core.prices import usd_text

_LIMITED_BY = {
    "max_concurrency": "",
    "read_budget": ", a full page a second of the read budget for each",
    "table": ", which read all that the table delivers",
    "lambda": ", half of the account's unreserved Lambda executions",
}
"""keyed by `trip_kpis.core.estimate.workers.LimitedBy`"""
_SOURCES = {"scan": "a scan of the table", "export": "an export of the table"}
_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")


def show_estimate(console: Console, estimate: Mapping[str, Any]) -> None:
    """Shows cost and time, then the census, and the advice last, where people see it."""
    for line in _figures(estimate):
        _say(console, line)
    _say(console, "")
    console.print(_sources(estimate))
    census = estimate["census"]
    _say(console, "")
    _say(console, _sampled(census))
    if census["items"]:
        console.print(_outcomes(census))
        console.print(_forms(census))
        if census["rejected_by_reason"]:
            console.print(_rejected(census))
        for line in _days_and_skew(census):
            _say(console, line)
    if census["unknown"]:
        _say(console, census["unknown"])
    for advice in estimate["advice"]:
        # That the source of the stack fits is nothing to change.
        mark = "" if advice["code"] == estimate["source"] else "! "
        _say(console, Text.assemble("\n", (mark, "bold yellow"), advice["text"]))


def _figures(estimate: Mapping[str, Any]) -> Iterator[str]:
    usd, minutes = estimate["cost_usd"], estimate["minutes"]
    yield f"Table {estimate['table']}"
    size, items = estimate["table_bytes"], estimate["item_count"]
    size_text = _size(size) if size or not items else "size unknown, counted as 0"
    yield f"  size      {so_many(items, 'item')}, {size_text}"
    yield f"  source    {_SOURCES[estimate['source']]}"
    yield f"  reading   {estimate['read_units']:,} read units"
    yield f"  cost      {usd_text(usd['total'])} USD at list prices"
    yield (
        f"            DynamoDB {usd_text(usd['dynamodb'])}, Lambda {usd_text(usd['lambda'])}, "
        f"Step Functions {usd_text(usd['step_functions'])}, S3 {usd_text(usd['s3'])}"
    )
    unless = ", unless the table throttles"
    if estimate["source"] == "export":
        waits = estimate["sources"]["export"]["waits"]
        unless = f", after the export ({waits})" if waits else ""
    yield f"  duration  about {minutes:,} min{_hours(minutes)}{unless}"
    workers, limited_by = estimate["max_concurrency"], _LIMITED_BY[estimate["limited_by"]]
    yield f"  segments  {estimate['segments']:,}, {workers:,} at a time{limited_by}"
    limit = estimate["lambda_limit"]
    known = "not known" if limit is None else f"{limit:,} in this account"
    yield f"  Lambda    unreserved executions: {known}"
    yield (
        f"  merge     {so_many(estimate['parts'], 'part')}, about {estimate['merge_seconds']:,} s "
        f"of 900; a checkpoint every {estimate['checkpoint_seconds']} s"
    )


def _sources(estimate: Mapping[str, Any]) -> Table:
    sources = estimate["sources"]
    table = Table(title="Both sources", title_justify="left")
    table.add_column("", no_wrap=True)
    for name in sources:
        table.add_column(name)
    rows = {
        "cost": [f"{usd_text(one['usd'])} USD" for one in sources.values()],
        "duration": [_duration(one) for one in sources.values()],
        "figures": [one["exact"] for one in sources.values()],
        "load on the table": [_load(one["read_units"]) for one in sources.values()],
        "needs": [one["needs"] for one in sources.values()],
    }
    for title, cells in rows.items():
        table.add_row(title, *cells)
    return table


def _duration(source: Mapping[str, Any]) -> str:
    minutes = max(1, math.ceil(source["seconds_at_least"] / 60))
    calculated = f"about {minutes:,} min{_hours(minutes)}"
    return f"{source['waits']}, then {calculated}" if source["waits"] else calculated


def _load(read_units: int) -> str:
    return so_many(read_units, "read unit") if read_units else "none"


def _hours(minutes: int) -> str:
    return f" ({minutes / 60:,.1f} hours)" if minutes > 120 else ""


def _sampled(census: Mapping[str, Any]) -> str:
    share = census["share_of_table"]
    part = f"{share:.2%} of the table" if share >= 0.0001 else "under 0.01% of the table"
    whole = "the whole table" if census["is_whole_table"] else part
    if not census["segments"]:
        return f"A sample of {so_many(census['items'], 'item')} ({whole})"
    read = sum(1 for segment in census["segments"] if segment["pages"])
    short = "; there was no time for more" if census["is_cut_short"] else ""
    return (
        f"A sample of {so_many(census['pages'], 'page')} from {so_many(read, 'segment')}: "
        f"{so_many(census['items'], 'item')} ({whole}) for {census['read_units']:,g} read units"
        f"{short}"
    )


def _outcomes(census: Mapping[str, Any]) -> Table:
    table = _table("What a run would make of them", "trips", "in the sample", "share", "in all")
    for name, count in census["trips"].items():
        table.add_row(name, *_cells(count))
    return table


def _forms(census: Mapping[str, Any]) -> Table:
    table = _table("The attributes' forms", "attribute", "form", "in the sample", "share")
    table.columns[1].justify = "left"
    for attribute in census["attributes"].values():
        path = attribute["path"]
        for form, number in attribute["forms"].items():
            table.add_row(Text(path), Text(form), f"{number:,}", f"{number / census['items']:.2%}")
            path = ""
    return table


def _rejected(census: Mapping[str, Any]) -> Table:
    table = _table("Rejected", "reason", "in the sample", "share", "in all")
    table.add_column("looks like (9: a digit, a: a letter)", overflow="fold")
    for reason, count in census["rejected_by_reason"].items():
        looks = ", ".join(f"{shape} ({number:,})" for shape, number in count["looks_like"].items())
        table.add_row(reason, *_cells(count), Text(looks))
    return table


def _days_and_skew(census: Mapping[str, Any]) -> Iterator[str]:
    if days := census["days"]:
        yield f"Days: {days['days']:,} in the sample, {days['first']} to {days['last']}"
    if not census["segments"]:
        return
    pages = [one["items"] / one["pages"] for one in census["segments"] if one["pages"]]
    ended = sum(one["ended"] for one in census["segments"])
    share = max(one["largest_collection_share"] for one in census["segments"])
    collection = f"; at the most {share:.0%} of a page's items have one hash key" if share else ""
    yield (
        f"Skew: {ended} of {so_many(len(census['segments']), 'segment')} ended within the sample; "
        f"{_range(min(pages), max(pages))} items a page{collection}"
    )


def _cells(count: Mapping[str, Any]) -> tuple[str, str, str]:
    return f"{count['in_sample']:,}", f"{count['share']:.2%}", f"{count['in_table']:,}"


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _say(console: Console, line: str | Text) -> None:
    """Prints a line; it is not wrapped without a terminal, because somebody may search for words in
    it."""
    console.print(line, highlight=False, soft_wrap=not console.is_terminal, markup=False)


def _range(least: float, most: float) -> str:
    one, other = f"{least:,.0f}", f"{most:,.0f}"
    return one if one == other else f"{one} to {other}"


def _size(size: float) -> str:
    """Formats a size in powers of 1000, as docs/costs.md does."""
    for unit in _UNITS:
        if size < 1000 or unit == _UNITS[-1]:
            break
        size /= 1000
    return f"{size:,.0f} {unit}" if unit == _UNITS[0] else f"{size:,.1f} {unit}"
