"""What a run comes to, calculated from the functions' own code and the stack's own defaults."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import scale
from trip_kpis.core.run.plan import segments_for

ROOT = Path(__file__).resolve().parents[3]
MOST_PAYLOAD_BYTES = 256 * 1024
"""https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""
MOST_EVENTS = 25_000


@pytest.fixture(scope="module")
def scaled() -> list[scale.Scaled]:
    return scale.run()


def test_the_largest_state_and_the_histories_stay_far_within_the_limits(
    scaled: list[scale.Scaled],
) -> None:
    assert [one.segments for one in scaled] == [
        segments_for(size, max_concurrency=32) for size in scale.TABLES.values()
    ]
    largest = scaled[-1]
    assert largest.segments == 10_000
    assert 50_000 < largest.payload_bytes < MOST_PAYLOAD_BYTES / 4
    for one in scaled:
        assert one.parent_events == scaled[0].parent_events < 100
        assert one.child_events < MOST_EVENTS / 100


def test_a_terabyte_costs_little_more_than_reading_it(scaled: list[scale.Scaled]) -> None:
    terabyte = scaled[1]
    assert terabyte.cost["dynamodb"] == pytest.approx(10**12 / 8192 * 0.125e-6, rel=1e-6)
    assert terabyte.around_share < 0.06
    assert terabyte.around_share_arm64 < 0.05
    around = terabyte.cost["total"] - terabyte.cost["dynamodb"]
    assert around / terabyte.cost["dynamodb"] == pytest.approx(terabyte.around_share, abs=1e-6)


def test_slow_workers_take_longer_and_cost_more(scaled: list[scale.Scaled]) -> None:
    slow = scale.run(cpu_ms_per_page=100)[1]
    assert slow.seconds > 3 * scaled[1].seconds
    assert slow.around_share > 3 * scaled[1].around_share


def test_a_loop_adds_its_own_states_once_a_round() -> None:
    states = {
        "Work": {"Type": "Task", "Next": "Done?"},
        "Done?": {"Type": "Choice", "Choices": [{"Next": "Done"}], "Default": "Work"},
        "Done": {"Type": "Succeed"},
    }
    assert scale.history_events(states, start="Work") == 2 + 5 + 2 + 2
    assert scale.history_events(states, start="Work", rounds=3) == 2 + 3 * (5 + 2) + 2


@pytest.mark.parametrize(
    ("parameter", "default"),
    [
        ("MaxConcurrency", scale.MAX_CONCURRENCY),
        ("CheckpointSeconds", scale.CHECKPOINT_SECONDS),
        ("ScanMemory", scale.SCAN_MEMORY_MB),
        ("MergeMemory", scale.MERGE_MEMORY_MB),
        ("Architecture", "arm64"),
    ],
)
def test_the_defaults_are_the_stacks(parameter: str, default: int | str) -> None:
    template = (ROOT / "template.yaml").read_text()
    found = re.search(
        rf"^  {parameter}:\n(?:    .*\n)*?    Default: (\S+)$", template, re.MULTILINE
    )
    assert found is not None
    assert found[1] == str(default)


@pytest.mark.slow
def test_the_command_prints_a_column_a_table_and_as_json_the_same_figures(
    scaled: list[scale.Scaled],
) -> None:
    assert scale.table(scaled).splitlines()[0] == "|  | 10 GB | 1 TB | 100 TB |"
    done = subprocess.run(
        [sys.executable, "-m", "bench", "scale", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [one["segments"] for one in json.loads(done.stdout)] == [38, 233, 10_000]
