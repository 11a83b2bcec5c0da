"""Measures CPU, memory and throughput of the scan worker and of the alternatives."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import median

from bench import functions, measured
from bench.known import KnownDays, check
from bench.measured import Measured
from bench.pages import days_of_table, make_up_pages
from bench.server import served
from bench.trips import SHAPES, Shape

RUNS = 5
VARIANTS = tuple(
    (name, projected)
    for name, shape in SHAPES.items()
    if not shape.numbers_of_rejected
    for projected in (False, True)
)
_OURS = "this project"
_BASE_PAGES = 1
"""A run over a table of one page is the start-up; every lazy import has happened by its end."""
_run_numbers = count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Medians of the runs of one contender over one kind of table."""

    contender: str
    items: str
    projected: bool
    pages: int
    runs: int
    cpu_ms_per_page: float
    """user and system, of the whole process, minus its start-up"""
    startup_cpu_ms: float
    """of the whole process over a table of one page"""
    trips_per_second: float
    """that one processor has time for, start-up aside"""
    peak_mb: float
    ratio: float
    """CPU per page, to this project's"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contender:
    name: str
    pages: int
    """Enough for a figure that is far above the noise."""
    run: Callable[[str, int, bool, KnownDays], Measured]
    """(endpoint, length of the table, projected, what it must come to)"""


def run(
    *,
    runs: int = RUNS,
    pages: int = 60,
    trips_of_others: int = 30_000,
    variants: Sequence[tuple[str, bool]] = VARIANTS,
    ours_alone: bool = False,
) -> list[Figures]:
    """Runs all of them in turn, `runs` times. Raises RuntimeError if an answer is not exact.

    This project's functions always ask for a projection; where the table is to be read without
    one, the server sends whole items all the same.
    """
    return [
        figures
        for shape, projected in variants
        for figures in _variant(
            _contenders(pages, trips_of_others, SHAPES[shape], ours_alone=ours_alone),
            shape,
            projected=projected,
            runs=runs,
        )
    ]


def _contenders(
    pages: int, trips_of_others: int, shape: Shape, *, ours_alone: bool
) -> list[_Contender]:
    """The others read so many trips; of pages with few trips that is many pages."""
    enough = -(-trips_of_others // shape.trips_per_page)
    contenders = [_Contender(name=_OURS, pages=pages, run=_this_project)]
    if not ours_alone:
        contenders += [
            _Contender(name=title, pages=enough, run=_other(module))
            for title, module in (
                ("boto3 Table resource + pandas", "boto3_resource"),
                ("awswrangler `read_items` + pandas", "awswrangler"),
            )
        ]
    return contenders


def _variant(
    contenders: Sequence[_Contender], shape: str, *, projected: bool, runs: int
) -> list[Figures]:
    pages = make_up_pages(SHAPES[shape])
    base: dict[str, list[Measured]] = {one.name: [] for one in contenders}
    long: dict[str, list[Measured]] = {one.name: [] for one in contenders}
    with served(shape, whole=not projected) as endpoint_url:
        for _ in range(runs):
            for one in contenders:
                for length, results in ((_BASE_PAGES, base), (one.pages, long)):
                    known = days_of_table(pages, length=length)
                    results[one.name].append(one.run(endpoint_url, length, projected, known))
    per_page = {
        one.name: _cpu_per_page(base[one.name], long[one.name], one.pages) for one in contenders
    }
    return [
        Figures(
            contender=one.name,
            items=SHAPES[shape].title,
            projected=projected,
            pages=one.pages,
            runs=runs,
            cpu_ms_per_page=per_page[one.name] * 1000,
            startup_cpu_ms=_median(run.cpu_seconds for run in base[one.name]) * 1000,
            trips_per_second=SHAPES[shape].trips_per_page / per_page[one.name],
            peak_mb=_median(run.peak_mb for run in long[one.name]),
            ratio=per_page[one.name] / per_page[_OURS],
        )
        for one in contenders
    ]


def _this_project(endpoint_url: str, length: int, _projected: bool, known: KnownDays) -> Measured:
    """The scan worker alone is measured; what it has appended is then merged and published, and
    every published object must have the very bytes of the truth."""
    bucket, table = f"results-{next(_run_numbers)}", f"trips-{length}"

    def invoke(name: str, payload: dict[str, object]) -> Measured:
        return functions.invoke(
            name, payload, endpoint_url=endpoint_url, table=table, bucket=bucket
        )

    invoke("plan_run", {"execution_name": "bench", "input": {}})
    scanned = invoke("scan_segment", {"run_id": "bench", "segment": 0})
    invoke("merge_partials", {"run_id": "bench"})
    functions.check_published(endpoint_url, bucket, known)
    return scanned


def _other(module: str) -> Callable[[str, int, bool, KnownDays], Measured]:
    def run(endpoint_url: str, length: int, projected: bool, known: KnownDays) -> Measured:
        options = ("--projected",) if projected else ()
        done = measured.run(
            f"bench.contenders.{module}", f"trips-{length}", *options, endpoint_url=endpoint_url
        )
        check(done.answer, known, of=module)
        return done

    return run


def table(figures: Sequence[Figures]) -> str:
    """Formats the figures as Markdown."""
    rows = [
        "| Items | Projection | | CPU per page | ÷ ours | Start-up, CPU | Trips a second | Peak |",
        "| --- | --- | --- | --: | --: | --: | --: | --: |",
    ]
    rows += [
        f"| {one.items} | {'yes' if one.projected else 'no'} | {one.contender}, {one.pages} pages "
        f"| {one.cpu_ms_per_page:.1f} ms | {one.ratio:.1f} | {one.startup_cpu_ms:,.0f} ms "
        f"| {one.trips_per_second:,.0f} | {one.peak_mb:,.0f} MB |"
        for one in figures
    ]
    return "\n".join(rows)


def _cpu_per_page(base: Sequence[Measured], long: Sequence[Measured], pages: int) -> float:
    startup = _median(run.cpu_seconds for run in base)
    return (_median(run.cpu_seconds for run in long) - startup) / (pages - _BASE_PAGES)


def _median(values: Iterable[float]) -> float:
    return median(list(values))
