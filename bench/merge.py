"""Measures the merge of a whole run: processor time and memory; checks the result."""

import json
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass

from bench import measured
from bench.merge_log import RUN_ID, TABLE_NAME, MadeUpLog
from bench.serving import served_by
from trip_kpis.core.layout import manifest_key
from trip_kpis.core.settings import default_environment

SEGMENTS, PARTS, DAYS = 10_000, 12, 365
"""what a run of the most segments leaves: 120,000 parts, 43.8 million rows"""

_MANIFEST_KEY = manifest_key(RUN_ID)
_ENVIRONMENT = {
    **default_environment(),
    "DYNAMODB_TABLE_NAME": TABLE_NAME,
    "ATHENA_BUCKET_NAME": "results",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """One merge, a whole process from the interpreter's start to its end."""

    segments: int
    parts: int
    rows: int
    trips: int
    days: int
    cpu_seconds: float
    """user and system"""
    peak_mb: int
    summary_bytes: int
    """the function's answer and the state's output"""
    manifest_bytes: int


class WrongFiguresError(Exception):
    """The merge has published something other than the known answer."""


def run(*, segments: int = SEGMENTS, parts: int = PARTS, days: int = DAYS) -> list[Merged]:
    """Makes up a run's log, merges it in a separate process, and compares every day's bytes.

    Raises WrongFiguresError for a day that is not the known answer, byte for byte.
    """
    log = MadeUpLog(segments=segments, parts=parts, days=days)
    shape = map(str, (log.segments, log.parts, log.days))
    with served_by("bench.merge_store", *shape) as url:
        merge = measured.run(
            "bench.invoke",
            "merge_partials",
            json.dumps({"run_id": RUN_ID}),
            endpoint_url=url,
            environment=_ENVIRONMENT,
        )
        for key, body in log.published().items():
            if (there := _read(url, key)) != body:
                raise WrongFiguresError(f"{key} is {there!r}, it should be {body!r}")
        manifest_bytes = len(_read(url, _MANIFEST_KEY))
    summary = merge.answer
    figures = Merged(
        segments=summary["segments"],
        parts=summary["parts"],
        rows=summary["parts"] * days,
        trips=summary["trips"],
        days=summary["days_published"],
        cpu_seconds=round(merge.cpu_seconds, 1),
        peak_mb=round(merge.peak_mb),
        summary_bytes=len(json.dumps(summary)),
        manifest_bytes=manifest_bytes,
    )
    return [figures]


def table(merges: Sequence[Merged]) -> str:
    """Formats the figures as Markdown."""
    rows = [
        "| Segments | Parts | Rows | CPU | a part | Peak | Answer | Manifest |",
        "| --: " * 8 + "|",
    ]
    rows += [
        f"| {merged.segments:,} | {merged.parts:,} | {merged.rows:,} | {merged.cpu_seconds:,.1f} s "
        f"| {merged.cpu_seconds / merged.parts * 1000:.2f} ms | {merged.peak_mb:,} MB "
        f"| {merged.summary_bytes:,} bytes | {merged.manifest_bytes / 10**6:,.2f} MB |"
        for merged in merges
    ]
    return "\n".join(rows)


def _read(url: str, key: str) -> bytes:
    with urllib.request.urlopen(f"{url}/{_ENVIRONMENT['ATHENA_BUCKET_NAME']}/{key}") as answer:
        body: bytes = answer.read()
        return body
