"""Measures the peak memory of the functions over one segment, short or long, and with many rejected
trips."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.functions import check_published, invoke
from bench.pages import days_of_table, make_up_pages
from bench.server import served
from bench.trips import SHAPES

SHORT_SEGMENT_PAGES = 60
LONG_SEGMENT_PAGES = 2_000
LISTS_PAGES = 20
"""4,000 trips, of which nearly all are rejected"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The one segment of a table."""

    shape: str
    pages: int
    rejected_per_page: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """A run over a table of one segment. Peaks are of the whole process, the interpreter and the
    libraries among it, from its start to its end."""

    items: str
    pages: int
    trips: int
    rejected: int
    parts: int
    estimate_peak_mb: float
    scan_peak_mb: float
    merge_peak_mb: float


def run(*, pages: int = LONG_SEGMENT_PAGES) -> list[Peaks]:
    """Measures the three functions over a short segment, over one of so many pages, and over one
    whose trips are nearly all rejected, for values that take much more memory as objects than as
    text."""
    return [
        measure(Segment(shape="sixteen", pages=SHORT_SEGMENT_PAGES)),
        measure(Segment(shape="sixteen", pages=pages)),
        measure(Segment(shape="lists", pages=LISTS_PAGES, rejected_per_page=190)),
    ]


def measure(segment: Segment) -> Peaks:
    """Measures one run. Raises RuntimeError if a function fails or publishes other figures than the
    known ones."""
    shape, rejected_per_page = SHAPES[segment.shape], segment.rejected_per_page
    made_up = make_up_pages(shape, rejected_per_page=rejected_per_page)
    with served(segment.shape, rejected_per_page=rejected_per_page) as endpoint_url:
        bucket, table = f"results-{segment.pages}", f"trips-{segment.pages}"

        def run_function(name: str, payload: dict[str, object]) -> tuple[dict[str, Any], float]:
            done = invoke(
                name,
                payload,
                endpoint_url=endpoint_url,
                table=table,
                bucket=bucket,
                CHECKPOINT_SECONDS="1",  # many parts, for the merge
                MAX_REJECTED_SHARE="1",
            )
            return done.answer, done.peak_mb

        estimate_only = {"estimate_only": True}
        _, estimate_peak_mb = run_function(
            "plan_run", {"execution_name": "estimate", "input": estimate_only}
        )
        planned, _ = run_function("plan_run", {"execution_name": "memory", "input": {}})
        run_id = {name: planned[name] for name in ("run_id", "plan_sha256")}
        _, scan_peak_mb = run_function("scan_segment", {**run_id, "segment": 0})
        summary, merge_peak_mb = run_function("merge_partials", run_id)
        check_published(endpoint_url, bucket, days_of_table(made_up, length=segment.pages))
    rejected: Mapping[str, int] = summary["rejected"]
    return Peaks(
        items=shape.title,
        pages=summary["pages"],
        trips=summary["scanned"],
        rejected=sum(rejected.values()),
        parts=summary["parts"],
        estimate_peak_mb=estimate_peak_mb,
        scan_peak_mb=scan_peak_mb,
        merge_peak_mb=merge_peak_mb,
    )


def table(peaks: Sequence[Peaks]) -> str:
    """Formats the figures as Markdown."""
    columns = ("Pages", "Trips", "Rejected", "Parts", "Estimate, peak", "Scan worker, peak")
    rows = [f"| Items | {' | '.join(columns)} | Merge, peak |", f"| --- {'| --: ' * 7}|"]
    rows += [
        f"| {one.items} | {one.pages:,} | {one.trips:,} | {one.rejected:,} | {one.parts:,} "
        f"| {one.estimate_peak_mb:,.0f} MB | {one.scan_peak_mb:,.0f} MB "
        f"| {one.merge_peak_mb:,.0f} MB |"
        for one in peaks
    ]
    return "\n".join(rows)
