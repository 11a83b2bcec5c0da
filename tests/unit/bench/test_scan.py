"""Every contender of the scan's bench is right, and what is wrong is not measured."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import measured
from bench.functions import check_published
from bench.known import check
from bench.pages import days_of_table, make_up_pages
from bench.scan import Figures, table
from bench.server import served
from bench.trips import SHAPES

ROOT = Path(__file__).resolve().parents[3]
KNOWN = days_of_table(make_up_pages(SHAPES["large"]), length=3)


@pytest.fixture(scope="module")
def endpoint_url() -> Iterator[str]:
    with served("large") as address:
        yield address


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--projected",)])
@pytest.mark.parametrize("module", ["boto3_resource", "awswrangler"])
def test_a_contender_comes_to_the_known_figures(
    endpoint_url: str, module: str, options: tuple[str, ...]
) -> None:
    done = measured.run(
        f"bench.contenders.{module}", "trips-3", *options, endpoint_url=endpoint_url
    )
    check(done.answer, KNOWN, of=module)
    assert done.cpu_seconds > 0
    assert done.peak_mb > 50  # the interpreter with pandas and Arrow


def test_a_bucket_that_holds_anything_else_than_the_known_figures_is_refused(
    endpoint_url: str,
) -> None:
    with pytest.raises(RuntimeError, match=r"published: \[\], known: "):
        check_published(endpoint_url, "nothing", KNOWN)


def test_a_process_that_fails_says_why(endpoint_url: str) -> None:
    with pytest.raises(RuntimeError, match="ResourceNotFoundException"):
        measured.run("bench.contenders.boto3_resource", "elsewhere", endpoint_url=endpoint_url)


@pytest.mark.slow
def test_the_scan_worker_is_measured_and_what_it_led_to_is_checked() -> None:
    """The functions themselves, over pages that are sent whole."""
    options = ["--ours-alone", "--items", "large", "--whole", "--runs", "1", "--pages", "5"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", "scan", "--json", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (ours,) = json.loads(done.stdout)
    assert (ours["contender"], ours["items"], ours["projected"]) == ("this project", "4 KB", False)
    assert (ours["pages"], ours["runs"], ours["ratio"]) == (5, 1, 1.0)
    assert ours["startup_cpu_ms"] > 0


def test_a_table_has_a_row_for_every_contender() -> None:
    figures = Figures(
        contender="another",
        items="4 KB",
        projected=True,
        pages=10,
        runs=5,
        cpu_ms_per_page=234.04,
        startup_cpu_ms=1_234.5,
        trips_per_second=12_345.6,
        peak_mb=273.4,
        ratio=22.31,
    )
    assert table([figures]).splitlines()[2:] == [
        "| 4 KB | yes | another, 10 pages | 234.0 ms | 22.3 | 1,234 ms | 12,346 | 273 MB |"
    ]
