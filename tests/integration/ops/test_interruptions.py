"""Ctrl-C whenever it comes, and a disk that is full: one message, and nothing half-written."""

import json
import os
import resource
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.ops.conftest import trip
from tests.ops_commands import Ended, kpis, ops, started

SEGMENTS = "6"
TRIPS = 300
"""a third on each of three days"""
LIMIT = 2_500
"""bytes: the trips are packed below it, a part has more"""


def reported_until(process: "subprocess.Popen[str]", words: str) -> str:
    """What it has said when it says these words."""
    assert process.stdout is not None
    said = ""
    while words not in said:
        line = process.stdout.readline()
        assert line, f"ended before {words!r}: {said}"
        said += line
    return said


@pytest.mark.slow
@pytest.mark.parametrize(
    "moment",
    [
        "Loading the table: ",
        "If it is interrupted: ",
        "Scanning segments: ",
        f"{SEGMENTS} of {SEGMENTS} segments",
    ],
)
def test_ctrl_c_at_any_moment_ends_with_one_message_and_130(
    json_lines: Callable[..., Path], tmp_path: Path, moment: str
) -> None:
    out = tmp_path / "out"
    trips = json_lines([trip(number) for number in range(TRIPS)])
    begin = ("run", "--trips", trips, "--out", out, "--segments", SEGMENTS)
    # In a process group of its own, as a shell starts a command.
    with started(*begin, start_new_session=True) as process:
        before = reported_until(process, moment)
        os.killpg(process.pid, signal.SIGINT)
        after, _ = process.communicate()
    assert process.returncode == 130, before + after
    assert (before + after).count("Interrupted.") == 1
    assert "Traceback" not in before + after
    assert "Exception" not in before + after
    assert not [*out.rglob("*.part")]
    if "If it is interrupted" not in before + after:
        assert "Interrupted. The run had not started. Nothing of it is kept.\n" in after
    if "If it is interrupted" in before:
        run_id = before.partition("ops rerun ")[2].split()[0]
        done = resumed(out, run_id)
        assert done.returncode == 0, done.stdout + done.stderr
        counts = {key: json.loads(body)["trip_count"] for key, body in kpis(out).items()}
        assert counts == {f"kpis/date=2024-05-0{day}/kpi.json": TRIPS // 3 for day in (1, 2, 3)}


@pytest.mark.parametrize(
    ("verb", "kept"),
    [
        ("run", "The run had not started. Nothing of it is kept."),
        ("serve", "Nothing was started, and nothing is kept."),
    ],
)
def test_ctrl_c_while_trips_are_read_says_that_nothing_is_kept(
    tmp_path: Path, verb: str, kept: str
) -> None:
    """The file is a pipe, so that the command is reading it when the signal comes.

    The pipe is closed after the signal: Python may notice a signal only when a read returns that
    began at the same moment.
    """
    trips = tmp_path / "trips.csv"
    os.mkfifo(trips)
    more = ["--out", tmp_path / "out"] if verb == "run" else ["--port", "0"]
    process = started(verb, "--trips", trips, *more, start_new_session=True)
    # The pipe is open as soon as the command reads it.
    with process, trips.open("w") as pipe:
        pipe.write("trip_id,")
        pipe.flush()
        os.killpg(process.pid, signal.SIGINT)
        pipe.close()
        said, _ = process.communicate()
    assert (process.returncode, said) == (130, f"Interrupted. {kept}\n")
    assert not [*(tmp_path / "out").rglob("*")]


def resumed(out: Path, run_id: str) -> Ended:
    """As `ops rerun` says: a run that was finished and exported already is processed again where it
    is named."""
    done = ops("rerun", "--out", out)
    if done.returncode != 2:
        return done
    assert f"{out} has no unfinished run" in done.stderr
    assert f"again, pass its id ({run_id})" in done.stderr
    return ops("rerun", run_id, "--out", out)


@pytest.mark.slow
def test_a_file_that_cannot_be_written_ends_the_run_with_one_message(
    json_lines: Callable[..., Path], tmp_path: Path
) -> None:
    """A limit on the size of files stands for the full disk: writing fails in the same places."""
    out = tmp_path / "out"
    trips = json_lines([trip(number) for number in range(40)])

    def no_file_above_limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))

    with started(
        *("run", "--trips", trips, "--out", out, "--segments", "2"),
        preexec_fn=no_file_above_limit,
    ) as process:
        said, _ = process.communicate()
    assert process.returncode == 2, said
    assert "Traceback" not in said
    assert said.count("Error: ") == 1
    assert "cannot be written to (File too large)" in said
    assert f"ops rerun run-{said.partition('ops rerun run-')[2].split()[0]} --out {out}" in said
    assert not [*out.rglob("*.part")]
    assert kpis(out) == {}
    assert not (out / "report.html").exists()

    done = ops("rerun", "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(kpis(out)) == 3
