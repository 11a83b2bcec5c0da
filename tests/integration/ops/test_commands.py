"""`python -m ops` as a user calls it: its output, its exit status, what it leaves."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.integration.ops.conftest import trip
from tests.json_fields import check_fields
from tests.ops_commands import ONE_SEGMENT, ROOT, kpis, ops, ops_process, summary
from tests.runs_left import leave_run

BOLT_TRIPS = ROOT.parent / "shared" / "data" / "bolt-trips"


OF_SEGMENTS = ("", "[].input", "[].error", "[].cause")
OF_DAYS = ("date", "published", "now")
CONTAINERS = ("--lambda-endpoint", "http://127.0.0.1:9", "--access-key")


def test_run_publishes_exact_kpis_and_ends_with_its_summary(
    json_lines: Callable[..., Path], tmp_path: Path
) -> None:
    items = [trip(n) for n in range(9)]
    items.append(trip(9, fare_amount={"S": ""}))
    items.append(trip(10, fare_amount={"S": "ten"}))
    out = tmp_path / "out"
    done = ops(
        *("run", "--trips", json_lines(items), "--out", out, "--segments", "3", "--json"),
        *("--parameter", "MaxRejectedShare=0.5"),
    )
    assert done.returncode == 0, done.stderr
    ended = summary(done)
    assert (ended["status"], ended["segments"], ended["days_published"]) == (
        "SUCCEEDED",
        3,
        3,
    )
    assert (ended["scanned"], ended["incomplete"], ended["counted"]) == (11, 1, 9)
    of_failure = {"error", "cause", "published", *(f"failed_segments{of}" for of in OF_SEGMENTS)}
    of_marks = {"open_days[]", "warnings[]", *(f"shrank_days[].{of}" for of in OF_DAYS)}
    unseen = {*of_failure, *of_marks, "throttles.<cause>"}
    check_fields("`ops run --json` and `ops rerun --json`", [ended], unseen=unseen)
    assert ended["rejected"] == {"fare_not_a_number": 1}
    assert ended["total_fare"] == "36.000000000000000009"
    assert kpis(out)["kpis/date=2024-05-01/kpi.json"] == (
        b'{"date":"2024-05-01","trip_count":3,"total_fare":9.000000000000000003,"average_fare":3'
        b',"max_fare":6.000000000000000001,"min_fare":0.000000000000000001}\n'
    )
    manifest = json.loads((out / f"runs/run={ended['run_id']}/manifest.json").read_bytes())
    assert [segment["segment"] for segment in manifest["by_segment"]] == [0, 1, 2]
    assert sum(segment["scanned"] for segment in manifest["by_segment"]) == 11
    (quarantined,) = out.glob("quarantine/run=*/segment=*/*.jsonl")
    assert json.loads(quarantined.read_text()) == {
        "key": {"trip_id": {"S": "t010"}},
        "reason": "fare_not_a_number",
        "attribute": "fare_amount",
        "value": {"S": "ten"},
    }
    assert "\x1b" not in done.stdout + done.stderr, "control codes without a terminal"


def test_a_failed_run_exits_with_1_and_shows_error_cause_and_publishes_nothing(
    json_lines: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = ops(
        *("run", "--trips", json_lines([trip(1)]), "--out", out, "--json", *ONE_SEGMENT),
        *("--parameter", "DayAttribute=trip_id"),
    )
    assert done.returncode == 1
    ended = summary(done)
    assert (ended["status"], ended["error"]) == ("FAILED", "TooManyRejectedError")
    assert "1 time_unreadable" in ended["cause"]
    assert "Nothing was published." in done.stderr
    assert "Traceback" not in done.stderr
    assert kpis(out) == {}


def test_a_parameter_that_no_run_can_have_leaves_the_earlier_results_alone(tmp_path: Path) -> None:
    leave_run(tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    trips = tmp_path / "trips.csv"
    trips.write_text("trip_id\nt1\n")
    done = ops("run", "--trips", trips, "--out", tmp_path, "--parameter", "TimeZone=Europe/Berln")
    assert done.returncode == 2
    assert {file: file.read_bytes() for file in before} == before


def test_a_trip_that_dynamodb_would_refuse_is_named(
    json_lines: Callable[..., Path], tmp_path: Path
) -> None:
    too_large = trip(7, note={"S": "x" * 500_000})
    done = ops("run", "--trips", json_lines([too_large]), "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "trips.jsonl line 1: the item has 500,103 bytes" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--segments", "0"], "total_segments is 0"),
        (["--segments", "1000001"], "total_segments is 1000001"),
        (["--key", "plate"], "no attribute 'plate' for the table's key"),
        (["--encoding", "latin1000"], "'latin1000' is not a text encoding"),
        (["--encoding", "hex"], "'hex' is not a text encoding"),
        (["--parameter", "TimeZone"], "not of the form NAME=VALUE"),
        (["--parameter", "Timezone=UTC"], "Timezone"),
        (
            ["--parameter", "TimeZone=Berlin"],
            "Berlin is no IANA time zone name: did you mean --parameter TimeZone=Europe/Berlin?",
        ),
        (["--parameter", "BucketName=tk"], "The parameter BucketName cannot be 'tk'"),
        (["--lambda-endpoint", "http://127.0.0.1:9"], "--lambda-endpoint needs --access-key"),
        ([*CONTAINERS, "short"], "'short' is not 16 to 128 letters and digits"),
        ([*CONTAINERS, "0123456789abcdef"], "http://127.0.0.1:9 cannot be used"),
        (
            [*CONTAINERS, "0123456789abcdef", "--parameter", "TimeZone=UTC"],
            "TimeZone has no effect on functions that run in containers",
        ),
        (["--port", "99999"], "99999"),
        (["--out", "/proc/nothing"], "/proc/nothing cannot be written to"),
        (["--out", ""], "name a directory"),
    ],
)
def test_a_mistake_in_the_call_exits_with_2_and_says_what_to_fix(
    json_lines: Callable[..., Path], tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = ops("run", "--trips", json_lines([trip(1)]), "--out", tmp_path / "out", *arguments)
    assert done.returncode == 2, done.stderr
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_profile_of_the_users_that_is_not_there_does_no_harm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "of-another-job")
    assert ops_process("run", "--help").returncode == 0


def test_attributes_that_are_named_otherwise_are_refused_before_anything_is_loaded(
    json_lines: Callable[..., Path], tmp_path: Path
) -> None:
    done = ops(
        *("run", "--trips", json_lines([trip(1)]), "--out", tmp_path / "out"),
        *("--parameter", "FareAttribute=Fare_Amuont"),
    )
    assert done.returncode == 2
    assert "--parameter FareAttribute=fare_amount" in done.stderr
    assert not (tmp_path / "out" / "state").exists()


@pytest.mark.slow
def test_several_files_may_follow_one_option(
    json_lines: Callable[..., Path], tmp_path: Path
) -> None:
    first = json_lines([trip(1)]).rename(tmp_path / "first.jsonl")
    second = json_lines([trip(2)]).rename(tmp_path / "second.jsonl")
    out = tmp_path / "out"
    done = ops("run", "--trips", first, second, "--out", out, "--json", *ONE_SEGMENT)
    assert done.returncode == 0, done.stderr
    assert summary(done)["trips"] == 2


def test_help_teaches_every_command() -> None:
    for command in ("run", "rerun", "serve", "demo"):
        done = ops(command, "--help")
        assert done.returncode == 0
        assert "--out" in done.stdout or command == "serve"
    assert "ops run --trips" in ops("--help").stdout


@pytest.mark.slow
def test_the_demo_comes_to_the_figures_that_its_trips_were_made_from(tmp_path: Path) -> None:
    done = ops("demo", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "All 31 days are exactly what the trips were made from." in done.stdout
    assert len(kpis(tmp_path)) == 31


@pytest.mark.slow
@pytest.mark.skipif(
    not BOLT_TRIPS.is_dir(), reason="the real day's trips are not beside the project"
)
def test_a_real_day_comes_to_its_known_figures_with_any_number_of_segments(tmp_path: Path) -> None:
    """2024-05-25, all Strings, from two event files. The figures are from an independent engine."""
    files = [BOLT_TRIPS / "trip_start.csv", BOLT_TRIPS / "trip_end.csv"]
    for segments in (1, 3):
        out = tmp_path / str(segments)
        done = ops(
            *("run", "--trips", files[0], "--trips", files[1], "--out", out),
            *("--segments", str(segments)),
        )
        assert done.returncode == 0, done.stderr
    assert kpis(tmp_path / "1") == kpis(tmp_path / "3")
    (body,) = kpis(tmp_path / "1").values()
    day = json.loads(body, parse_float=Decimal)
    assert day == {
        "date": "2024-05-25",
        "trip_count": 4999,
        "total_fare": Decimal("274393.88255724832189"),
        "average_fare": Decimal("54.889754"),
        "max_fare": Decimal("99.9901266575316"),
        "min_fare": Decimal("10.036694629486497"),
    }
