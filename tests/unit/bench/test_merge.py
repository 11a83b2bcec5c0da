"""The merge's bench: the whole handler over HTTP, and a wrong day is not measured."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench import merge
from bench.merge_log import MadeUpLog
from bench.merge_store import MergeStore
from tests.samples import prove
from trip_kpis.core.log.partials import PartialColumns
from trip_kpis.core.log.parts import decode
from trip_kpis.core.run.totals import Totals, published

ROOT = Path(__file__).resolve().parents[3]


def test_a_made_up_log_is_whole_and_its_known_answer_is_what_its_parts_hold() -> None:
    log = MadeUpLog(segments=9, parts=3, days=4)
    bodies = [log.body(segment, part) for segment in range(9) for part in range(3)]
    definition = log.plan.definition
    totals, columns = Totals(definition), PartialColumns(definition)
    parts = [decode(body, key="k", columns=columns) for body in bodies]
    for _, table in parts:
        totals.add(table)
    proof = prove(log.plan, [header for header, _ in parts])
    figures = published(totals.table(), definition, counted=proof.counts.counted)
    assert log.published() == {
        f"kpis/date={figure.day}/kpi.json": figure.to_bytes() for figure in figures.days
    }
    assert len(list(log.keys())) == len(set(bodies)) == 27


@pytest.mark.slow
def test_the_merge_is_measured_whole_and_over_more_than_a_page_of_keys() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "merge", "--segments", "260", "--parts", "4", "--days",
         "3", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (figures,) = json.loads(done.stdout)
    assert (figures["segments"], figures["parts"], figures["rows"]) == (260, 1040, 3120)
    assert figures["days"] == 3
    assert figures["cpu_seconds"] > 0
    assert figures["peak_mb"] > 50
    assert figures["summary_bytes"] < 2_000
    assert figures["manifest_bytes"] > 260 * 100


def test_a_day_that_is_not_the_known_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(log: MadeUpLog) -> dict[str, bytes]:
        return dict.fromkeys(published(log), b"{}")

    published = MadeUpLog.published
    monkeypatch.setattr(MadeUpLog, "published", wrong)
    with pytest.raises(merge.WrongFiguresError, match="date=2024-01-01"):
        merge.run(segments=1, parts=2, days=1)


def test_a_listing_comes_in_pages_of_a_thousand() -> None:
    log = MadeUpLog(segments=21, parts=100, days=1)
    with MergeStore(log) as store:
        pages, token = [], None
        while token is not None or not pages:
            keys, token = store.page(f"staging/run={merge.RUN_ID}/segment=", token)
            pages.append(keys)
    assert list(map(len, pages)) == [1000, 1000, 100]
    assert [key for page in pages for key in page] == list(log.keys())


def test_the_table_says_what_a_part_costs() -> None:
    merged = merge.Merged(
        segments=1, parts=2_000, rows=2, trips=3, days=1, cpu_seconds=3.0, peak_mb=200,
        summary_bytes=500, manifest_bytes=10**6,
    )  # fmt: skip
    assert "| 1.50 ms |" in merge.table([merged, replace(merged, parts=1)])
