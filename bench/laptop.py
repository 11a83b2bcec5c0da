"""Measures `ops run` on this machine, from its start to its report: over exports, and over a file
of trips."""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median

import msgspec

from bench.export import FILES, SHAPE, exported
from bench.known import KnownDays, known_days
from bench.measured import ROOT
from bench.trips import PAGE_BYTES, SHAPES, make_up_trip
from trip_kpis.core.layout import KPIS, day_key

RUNS = 5
PAGES = (96, 332)
"""289,440 trips, and a million"""
TRIPS = 5_000
_FEW_TRIPS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Medians of the runs over one input, each with all processes that it starts."""

    command: str
    trips: int
    runs: int
    wall_seconds: float
    cpu_seconds: float
    """user and system"""
    microseconds_per_trip: float
    """of wall time; over a file of trips, those of the trips after the first few"""
    ratio: float
    """of these, those of `--trips` to this"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    wall_seconds: float
    cpu_seconds: float


def run(*, runs: int = RUNS, pages: Sequence[int] = PAGES, trips: int = TRIPS) -> list[Figures]:
    """Measures `--trips` over so many trips, and `--export` over an export of each of so many
    pages.

    Raises RuntimeError where a run fails, or publishes other figures than the known ones.
    """
    few, many = (_over_trips(number, runs) for number in (min(_FEW_TRIPS, trips - 1), trips))
    return compared(few, many, [_over_export(length, runs) for length in pages])


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input, and medians of the runs over it."""

    command: str
    trips: int
    runs: int
    wall_seconds: float
    cpu_seconds: float


def compared(few: Input, many: Input, exports: Sequence[Input]) -> list[Figures]:
    """Compares runs over few trips and over many trips, and runs over exports. What a run over few
    trips takes is the start of one over many; an export's trips count with the start."""
    per_trip = (many.wall_seconds - few.wall_seconds) / (many.trips - few.trips)
    seconds_per_trip = [per_trip, *(one.wall_seconds / one.trips for one in exports)]
    return [
        Figures(
            command=one.command,
            trips=one.trips,
            runs=one.runs,
            wall_seconds=one.wall_seconds,
            cpu_seconds=one.cpu_seconds,
            microseconds_per_trip=seconds * 10**6,
            ratio=per_trip / seconds,
        )
        for one, seconds in zip([many, *exports], seconds_per_trip, strict=True)
    ]


def _over_trips(number: int, runs: int) -> Input:
    chance, shape = random.Random(f"laptop/{number}"), SHAPES[SHAPE]
    size = PAGE_BYTES // shape.trips_per_page
    trips = [make_up_trip(chance, n, shape=shape, size=size) for n in range(number)]
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "trips.jsonl")
        with file.open("wb") as lines:
            lines.writelines(msgspec.json.encode({"Item": trip.item}) + b"\n" for trip in trips)
        done = [_run("--trips", file, known_days(trips)) for _ in range(runs)]
    return _medians("`ops run --trips`, one file", number, done)


def _over_export(pages: int, runs: int) -> Input:
    with exported(pages=pages, files=FILES) as export:
        folder = (export.directory / export.written.manifest_key).parent
        done = [_run("--export", folder, export.known) for _ in range(runs)]
    return _medians(f"`ops run --export`, {FILES} files", export.written.item_count, done)


def _medians(command: str, trips: int, runs: Sequence[_Run]) -> Input:
    return Input(
        command=command,
        trips=trips,
        runs=len(runs),
        wall_seconds=median(one.wall_seconds for one in runs),
        cpu_seconds=median(one.cpu_seconds for one in runs),
    )


def _run(option: str, path: Path, known: KnownDays) -> _Run:
    """Measures one run; its published files must have exactly the known bytes."""
    with tempfile.TemporaryDirectory() as out, tempfile.TemporaryFile() as said:
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "ops", "run", option, str(path), "--out", out, "--json"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
        _, status, used = os.wait4(process.pid, 0)  # of the processes that it has waited for, too
        wall_seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            raise RuntimeError(f"ops run {option} {path}:\n{said.read().decode()}")
        _check_files(Path(out), known)
    return _Run(wall_seconds=wall_seconds, cpu_seconds=used.ru_utime + used.ru_stime)


def _check_files(out: Path, known: KnownDays) -> None:
    found = {file.relative_to(out).as_posix(): file for file in out.glob(f"{KPIS}*/*")}
    wanted = {day_key(date.fromisoformat(day)): known[day].kpi_json(day) for day in known}
    if found.keys() != wanted.keys():
        raise RuntimeError(f"published: {sorted(found)}, known: {sorted(wanted)}")
    for key, body in wanted.items():
        if (there := found[key].read_bytes()) != body:
            raise RuntimeError(f"{key} is {there!r}, and must be {body!r}")


def table(figures: Sequence[Figures]) -> str:
    """Formats the figures as Markdown."""
    rows = [
        "| Command | Trips | Wall | CPU | a trip | `--trips` ÷ this |",
        "| --- | --: | --: | --: | --: | --: |",
    ]
    rows += [
        f"| {one.command} | {one.trips:,} | {one.wall_seconds:.1f} s | {one.cpu_seconds:.1f} s "
        f"| {one.microseconds_per_trip:,.0f} µs | {one.ratio:,.0f} |"
        for one in figures
    ]
    return "\n".join(rows)
