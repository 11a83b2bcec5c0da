"""Measures CPU and memory of the scan worker over an export's files, and of DuckDB over the same
files."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median

import msgspec

from bench import functions, measured
from bench.known import KnownDays, check
from bench.measured import Measured
from bench.pages import MadeUpPage, days_of_table, make_up_pages
from bench.server import EXPORT_BUCKET, served
from bench.trips import SHAPES
from ops.embedded.export_files import ExportWriter, WrittenExport

RUNS = 5
PAGES, FILES = 96, 8
TIMES = 10
"""as long as the whole export is the one file that shows that memory does not grow"""
SHAPE = "sixteen"
_OURS = "this project"
_TABLE_ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/"
_run_numbers = count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Medians of the runs of one contender over one export, each a whole process."""

    contender: str
    trips: int
    files: int
    runs: int
    cpu_seconds: float
    """user and system"""
    trips_per_second: float
    """that one processor has time for"""
    peak_mb: float
    ratio: float
    """CPU, to this project's"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """The table `trips-<pages>` of the bench's server, exported into a directory."""

    directory: Path
    pages: int
    written: WrittenExport
    files: int
    known: KnownDays


def run(
    *, runs: int = RUNS, pages: int = PAGES, files: int = FILES, times: int = TIMES
) -> list[Figures]:
    """Measures all in turn over an export of so many pages in so many files, `runs` times, and then
    once over a single file that is `times` as long.

    Raises RuntimeError where one's answer is not exact.
    """
    return [
        *_compare(pages=pages, files=files, runs=runs),
        *_compare(pages=pages * times, files=1, runs=1),
    ]


def _compare(*, pages: int, files: int, runs: int) -> list[Figures]:
    contenders = {
        _OURS: _this_project,
        "DuckDB `read_json`": _duckdb(),
        "DuckDB `read_json`, `sample_size = 1`": _duckdb("1"),
    }
    results: dict[str, list[Measured]] = {name: [] for name in contenders}
    with (
        exported(pages=pages, files=files) as export,
        served(SHAPE, export=export.directory) as endpoint_url,
    ):
        for _ in range(runs):
            for name, contender in contenders.items():
                results[name].append(contender(endpoint_url, export))
    cpu_seconds = {name: median(one.cpu_seconds for one in results[name]) for name in results}
    return [
        Figures(
            contender=name,
            trips=export.written.item_count,
            files=files,
            runs=runs,
            cpu_seconds=cpu_seconds[name],
            trips_per_second=export.written.item_count / cpu_seconds[name],
            peak_mb=median(one.peak_mb for one in results[name]),
            ratio=cpu_seconds[name] / cpu_seconds[_OURS],
        )
        for name in results
    ]


@contextmanager
def exported(*, pages: int, files: int) -> Iterator[Export]:
    """An export in a temporary directory; its trips go to the files in turn."""
    made_up = make_up_pages(SHAPES[SHAPE])
    items = [_items(page) for page in made_up]
    with tempfile.TemporaryDirectory() as directory:
        writer = ExportWriter(
            Path(directory),
            table_arn=f"{_TABLE_ARN}trips-{pages}",
            table_id=f"made-up-trips-{pages}",
            export_time=datetime(2024, 6, 1, tzinfo=UTC),
            bucket=EXPORT_BUCKET,
            files=files,
        )
        for number in range(pages):
            for item in items[number % len(items)]:
                writer.add(item)
        yield Export(
            directory=Path(directory),
            pages=pages,
            written=writer.finish(),
            files=files,
            known=days_of_table(made_up, length=pages),
        )


class _Items(msgspec.Struct, rename="pascal"):
    items: list[msgspec.Raw]


def _items(page: MadeUpPage) -> list[bytes]:
    """Yields the complete items of a page, as JSON."""
    answer = page.answers[(False, False)].body + b"}"
    return [bytes(item) for item in msgspec.json.decode(answer, type=_Items).items]


def _this_project(endpoint_url: str, export: Export) -> Measured:
    """The scan worker alone is measured, over the one segment that has all files; what it has
    appended is then merged and published, and every published object must have the very bytes of
    the truth."""
    bucket = f"results-{next(_run_numbers)}"

    def invoke(name: str, payload: dict[str, object]) -> Measured:
        return functions.invoke(
            name, payload, endpoint_url=endpoint_url, table=f"trips-{export.pages}", bucket=bucket
        )

    manifest = f"s3://{EXPORT_BUCKET}/{export.written.manifest_key}"
    invoke("plan_run", {"execution_name": "bench", "input": {"export_manifest": manifest}})
    invoke("plan_run", {"run_id": "bench"})
    scanned = invoke("scan_segment", {"run_id": "bench", "segment": 0})
    invoke("merge_partials", {"run_id": "bench"})
    functions.check_published(endpoint_url, bucket, export.known)
    return scanned


def _duckdb(*options: str) -> Callable[[str, Export], Measured]:
    """DuckDB reads the files from the disk, without a request."""
    module = "bench.contenders.duckdb_read_json"

    def run(endpoint_url: str, export: Export) -> Measured:
        done = measured.run(module, str(export.directory), *options, endpoint_url=endpoint_url)
        check(done.answer, export.known, of=module)
        return done

    return run


def table(figures: Sequence[Figures]) -> str:
    """Formats the figures as Markdown."""
    rows = [
        "| Trips | Files | Runs | | CPU | ÷ ours | Trips a second | Peak |",
        "| --: | --: | --: | --- | --: | --: | --: | --: |",
    ]
    rows += [
        f"| {one.trips:,} | {one.files} | {one.runs} | {one.contender} | {one.cpu_seconds:.2f} s "
        f"| {one.ratio:.1f} | {one.trips_per_second:,.0f} | {one.peak_mb:,.0f} MB |"
        for one in figures
    ]
    return "\n".join(rows)
