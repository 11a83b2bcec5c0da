"""Peak memory of the functions over one segment, however long."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.functions import check_published, invoke
from bench.pages import days_of_table, make_up_pages
from bench.server import served
from bench.trips import SHAPES

SHORT_SEGMENT_PAGES = 60
LONG_SEGMENT_PAGES = 2_000
_SHAPE = "sixteen"
_REJECTED_PER_PAGE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """A run over a table of one segment. Peaks are of the whole process, the interpreter and the
    libraries among it, from its start to its end."""

    pages: int
    trips: int
    parts: int
    scan_peak_mb: float
    merge_peak_mb: float


def run(*, pages: int = LONG_SEGMENT_PAGES) -> list[Peaks]:
    """The three functions over a short segment, and over one of so many pages."""
    return [_measure(length) for length in (SHORT_SEGMENT_PAGES, pages)]


def _measure(length: int) -> Peaks:
    made_up = make_up_pages(SHAPES[_SHAPE], rejected_per_page=_REJECTED_PER_PAGE)
    with served(_SHAPE, rejected_per_page=_REJECTED_PER_PAGE) as endpoint_url:
        bucket, table = f"results-{length}", f"trips-{length}"

        def run_function(name: str, payload: dict[str, object]) -> tuple[dict[str, int], float]:
            done = invoke(
                name,
                payload,
                endpoint_url=endpoint_url,
                table=table,
                bucket=bucket,
                CHECKPOINT_SECONDS="1",  # many parts, for the merge
            )
            return done.answer, done.peak_mb

        run_function("plan_run", {"execution_name": "memory", "input": {}})
        _, scan_peak_mb = run_function("scan_segment", {"run_id": "memory", "segment": 0})
        summary, merge_peak_mb = run_function("merge_partials", {"run_id": "memory"})
        check_published(endpoint_url, bucket, days_of_table(made_up, length=length))
    return Peaks(
        pages=summary["pages"],
        trips=summary["scanned"],
        parts=summary["parts"],
        scan_peak_mb=scan_peak_mb,
        merge_peak_mb=merge_peak_mb,
    )


def table(peaks: Sequence[Peaks]) -> str:
    """As Markdown."""
    rows = ["| Pages | Trips | Parts | Scan worker, peak | Merge, peak |", "| --: " * 5 + "|"]
    rows += [
        f"| {one.pages:,} | {one.trips:,} | {one.parts:,} | {one.scan_peak_mb:,.0f} MB "
        f"| {one.merge_peak_mb:,.0f} MB |"
        for one in peaks
    ]
    return "\n".join(rows)
