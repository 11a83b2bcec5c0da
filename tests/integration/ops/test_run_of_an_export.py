"""`ops run --export`, from the directory that `aws s3 sync` has left to figures and report."""

import gzip
import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from bench.known import KnownDay
from ops.local.out_directory import check_out
from tests.exports_on_disk import AS_OF, TABLE_ARN, SyncedExport, leave_export
from tests.integration.ops.conftest import Item, kpis_of_trips, trip
from tests.ops_commands import ONE_SEGMENT, Ended, kpis, ops, summary
from trip_kpis.core.export.lines import BLOCK_BYTES

DIGITS_38 = "99999999999999999999.999999999999999999"
LARGE = "123456789.123456789012345678"
ODD = [
    trip(100, fare_amount={"N": LARGE}, precise={"N": DIGITS_38}),
    trip(101, fare_amount={"N": "-0"}, estimated_fare_amount={"N": "1E-7"}),
    trip(102, fare_amount={"N": "1.5E+3"}, note={"S": "Zürich \u2028 {\n"}),
    trip(103, photo={"B": "AP8="}, parts={"BS": ["AP8=", "AQ=="]}),
    trip(104, note={"S": "x" * 390_000}),
    trip(105, fare_amount={"S": "ten"}),
]
INCOMPLETE = {name: value for name, value in trip(106).items() if name != "fare_amount"}
TRIPS = [trip(number) for number in range(9)]
TOLERANT = ("--parameter", "MaxRejectedShare=0.5")


def items_in(files: Iterable[Path]) -> list[Item]:
    """As anybody reads them."""
    return [
        json.loads(line)["Item"]
        for file in files
        for line in gzip.decompress(file.read_bytes()).split(b"\n")
        if line
    ]


def published_of(items: Iterable[Item]) -> dict[str, bytes]:
    """What must be published of them, by code of its own."""
    by_day: dict[str, list[Fraction]] = defaultdict(list)
    for item in items:
        try:
            (fare,) = item["fare_amount"].values()
            by_day[item["pickup_datetime"]["S"][:10]].append(Fraction(Decimal(fare)))
        except (KeyError, ArithmeticError):
            continue
    return {
        f"kpis/date={day}/kpi.json": KnownDay.of(fares).kpi_json(day)
        for day, fares in sorted(by_day.items())
    }


def run(export: Path, out: Path, *arguments: str) -> Ended:
    return ops("run", "--export", export, "--out", out, *ONE_SEGMENT, "--json", *arguments)


def succeeded(done: Ended) -> dict[str, Any]:
    assert done.returncode == 0, done.stdout + done.stderr
    return summary(done)


def manifest(out: Path, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / f"runs/run={run_id}/manifest.json").read_bytes())
    return found


def words(text: str) -> str:
    """Without the frames of panels and line ends."""
    return " ".join(re.sub("[│┃]", " ", text).split())


@dataclass(frozen=True, kw_only=True)
class Finished:
    synced: SyncedExport
    out: Path
    done: Ended

    @property
    def run_id(self) -> str:
        return str(summary(self.done)["run_id"])


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run over an export of four files, one of them empty."""
    path = tmp_path_factory.mktemp("export")
    synced = leave_export(path / "copy", [TRIPS, [], ODD, [INCOMPLETE]])
    done = ops(
        *("run", "--export", path / "copy", "--out", path / "out", "--segments", "3", "--json"),
        *TOLERANT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Finished(synced=synced, out=path / "out", done=done)


def test_the_figures_are_those_of_an_independent_reader(finished: Finished) -> None:
    items = items_in(finished.synced.data)
    assert kpis(finished.out) == published_of(items)
    said = summary(finished.done)
    assert (said["scanned"], said["incomplete"], said["counted"]) == (16, 1, 14)
    assert said["rejected"] == {"fare_not_a_number": 1}
    assert said["segments"] == 3, "an empty file shares one"


def test_the_manifest_says_what_was_read_and_as_of_when(finished: Finished) -> None:
    said = manifest(finished.out, finished.run_id)
    assert (said["source"], said["export_arn"]) == ("export", finished.synced.arn)
    assert said["as_of"] == "2026-05-25T02:15:00.000000+00:00"
    assert said["read_units"] == 0
    assert finished.synced.arn.startswith(TABLE_ARN)


def test_the_screen_and_the_report_say_as_of_when(finished: Finished) -> None:
    said = finished.done.stderr
    assert "Export of rides: 16 items in 4 files, as of 2026-05-25T02:15:00Z, exactly." in said
    assert "\nas of 2026-05-25T02:15:00Z, exactly\n" in said
    assert "Scanning segments: 16 of 16 trips, 3 of 3 segments" in said
    assert "read units/s" not in said
    assert "warning" not in said
    report = (finished.out / "report.html").read_text()
    assert "2026-05-25 02:15:00 UTC</time>, exactly." in report


def test_every_verb_works_on_the_run(finished: Finished) -> None:
    of_run = (finished.run_id, "--out", finished.out)
    (listed,) = json.loads(ops("runs", "--out", finished.out, "--json").stdout)
    assert (listed["run_id"], listed["status"]) == (finished.run_id, "finished")
    assert ops("status", *of_run).stdout.startswith(f"Run {finished.run_id}: finished\n")
    assert "fare_not_a_number" in ops("quarantine", *of_run).stdout
    assert "2024-05-01" in ops("kpis", "--out", finished.out).stdout
    assert ops("diff", finished.run_id, *of_run).returncode == 0
    assert ops("report", *of_run).returncode == 0
    before = kpis(finished.out)
    again = ops("rerun", *of_run, "--json")
    assert succeeded(again)["as_of"] == summary(finished.done)["as_of"]
    assert kpis(finished.out) == before
    assert "of the table" not in again.stderr


def test_no_item_of_the_export_is_kept_in_the_directory(finished: Finished) -> None:
    kept = sum(file.stat().st_size for file in finished.out.rglob("*") if file.is_file())
    assert kept < 300_000
    assert not [*finished.out.rglob("*.json.gz")]


def test_without_manifests_it_is_as_of_some_time_and_unchecked(tmp_path: Path) -> None:
    out = tmp_path / "out"
    synced = leave_export(tmp_path / "copy", [TRIPS[:4], [], TRIPS[4:]])
    synced.remove_manifests()
    done = run(synced.folder, out)
    assert succeeded(done)["days_published"] == 3
    assert kpis(out) == kpis_of_trips(9)
    assert f"{synced.folder} has no manifest-summary.json" in done.stderr
    assert re.search(r"\nas of \S+Z, at the latest\n", done.stderr)
    assert "warning: The export has no manifests" in done.stderr
    said = manifest(out, summary(done)["run_id"])
    assert (said["source"], said["export_arn"]) == ("export", None)
    status = ops("status", "--out", out).stdout
    assert re.search(r"export +files without manifests, as of \S+Z at the latest\n", status)
    assert "UTC</time>, at the latest." in (out / "report.html").read_text()
    check_out(out)


def test_an_attribute_that_only_later_items_have_is_read(tmp_path: Path) -> None:
    """The first items are looked at before a run. A name that no item has is refused if these are
    all."""
    without = [
        {name: value for name, value in trip(number).items() if name != "estimated_fare_amount"}
        for number in range(200)
    ]
    synced = leave_export(tmp_path / "copy", [[*without, *(trip(n) for n in range(200, 260))]])
    done = run(synced.folder, tmp_path / "out")
    said = succeeded(done)
    assert (said["incomplete"], said["counted"]) == (200, 60)
    assert "None of the 200 sampled items has estimated_fare_amount, which" in done.stderr
    assert "--parameter EstimatedFareAttribute" not in done.stderr
    few = leave_export(tmp_path / "few", [without[:9]])
    refused = run(few.folder, tmp_path / "refused")
    assert refused.returncode == 2
    assert "no trip has estimated_fare_amount, which EstimatedFareAttribute" in refused.stderr


def test_trips_read_as_an_export_have_the_figures_of_a_table(
    json_lines: Callable[[list[Item]], Path], tmp_path: Path
) -> None:
    """One run after the other in one directory: the second finds nothing to change."""
    out, trips = tmp_path / "out", json_lines(TRIPS)
    first = ops("run", "--trips", trips, "--out", out, *ONE_SEGMENT, "--json")
    assert succeeded(first)["source"] == "scan"
    of_table = kpis(out)
    second = ops(
        *("run", "--trips", trips, "--source", "export", "--out", out, *ONE_SEGMENT, "--json")
    )
    said = succeeded(second)
    assert (said["source"], said["days_unchanged"], said["segments"]) == ("export", 3, 1)
    assert kpis(out) == of_table == kpis_of_trips(9)
    assert "Loading the table" not in second.stderr
    assert "Writing an export: 9 of 9 trips" in second.stderr


@pytest.mark.slow
def test_an_older_export_does_not_replace_newer_days(tmp_path: Path) -> None:
    out = tmp_path / "out"
    newer = leave_export(tmp_path / "newer", [TRIPS])
    changed = [trip(0, fare_amount={"N": "77"}), *TRIPS[1:]]
    older = leave_export(tmp_path / "older", [changed], as_of=AS_OF - timedelta(days=1))
    first = succeeded(run(newer.folder, out))
    done = run(older.folder, out)
    second = succeeded(done)
    assert (second["days_published"], second["days_superseded"]) == (0, 3)
    assert kpis(out) == kpis_of_trips(9)
    assert "superseded" in done.stderr
    listed = json.loads(ops("runs", "--out", out, "--json").stdout)
    assert [one["run_id"] for one in listed] == [second["run_id"], first["run_id"]]
    assert ops("diff", first["run_id"], second["run_id"], "--out", out).returncode == 1

    latest = leave_export(tmp_path / "latest", [changed], as_of=AS_OF + timedelta(days=1))
    assert succeeded(run(latest.folder, out))["days_published"] == 1
    assert kpis(out) == published_of(changed)


LONG, MORE = ([trip(first + number) for number in range(500)] for first in (0, 500))
"""more than what is looked at before a run"""
BULKY = [one | {"note": {"S": os.urandom(2 * BLOCK_BYTES // len(MORE)).hex()}} for one in MORE]


def counts_moved(files: list[dict[str, Any]]) -> None:
    """From one file to the other."""
    files[0]["itemCount"] -= 1
    files[1]["itemCount"] += 1


def lines_of(items: list[Item]) -> bytes:
    return b"".join(json.dumps({"Item": item}).encode() + b"\n" for item in items)


BAD_EXPORTS: dict[str, tuple[Callable[[SyncedExport], object], str, str]] = {
    "wrong MD5": (
        lambda one: one.data[1].write_bytes(gzip.compress(lines_of(MORE))),
        "CorruptExportError",
        "is damaged: its MD5 is",
    ),
    "wrong count": (
        lambda one: one.list(counts_moved),
        "CorruptExportError",
        "has 500 items, and the export's manifest says 501",
    ),
    "no JSON": (
        lambda one: one.put_data(1, gzip.compress(lines_of(MORE[:499]) + b"nothing\n")),
        "CorruptExportError",
        "line 500, is not an item of an export in DynamoDB JSON",
    ),
    "cut": (
        lambda one: one.put_data(1, gzip.compress(lines_of(BULKY))[:-9]),
        "CorruptExportError",
        "is damaged: it is truncated",
    ),
    "wrong checksum": (
        lambda one: (one.folder / "manifest-files.md5").write_bytes(b"AAAA"),
        "CorruptExportError",
        "manifest-files.json is damaged: its MD5 is",
    ),
    "no checksum": (
        lambda one: (one.folder / "manifest-summary.md5").unlink(),
        "CorruptExportError",
        "manifest-summary.json has no checksum beside it",
    ),
}


@pytest.mark.parametrize(
    "name",
    [
        name if name == "wrong MD5" else pytest.param(name, marks=pytest.mark.slow)
        for name in BAD_EXPORTS
    ],
)
def test_a_bad_export_publishes_nothing_and_says_which_file_it_is(
    tmp_path: Path, name: str
) -> None:
    damage, error, says = BAD_EXPORTS[name]
    out = tmp_path / "out"
    synced = leave_export(tmp_path / "copy", [LONG, MORE])
    damage(synced)
    done = run(synced.folder, out)
    assert done.returncode == 1
    said = words(done.stderr)
    assert error in said
    assert says in said
    assert f"After {error}, resuming this run fails again" in said
    causes = json.dumps(summary(done))
    assert f"{synced.folder}/" in causes
    assert "s3://" not in causes + done.stderr
    assert "Nothing was published." in said
    assert "Traceback" not in said
    assert kpis(out) == {}
    assert not [*out.glob("runs/*")]
    assert error in ops("status", "--out", out).stdout


def test_a_bad_file_is_named_as_it_is_called_here(tmp_path: Path) -> None:
    folder = tmp_path / "Köln 1"
    folder.mkdir()
    for number, name in enumerate(("a.json.gz", "zürich.json.gz")):
        (folder / name).write_bytes(gzip.compress(lines_of([trip(900 + number)])))
    bad = folder / "my export, ü:1.json.gz"
    bad.write_bytes(gzip.compress(lines_of(LONG) + b"nothing\n"))
    done = run(folder, tmp_path / "out")
    assert done.returncode == 1
    (failed,) = summary(done)["failed_segments"]
    assert failed["cause"].startswith(f"{bad}, line 501, ")
    assert f"{bad}, line 501" in words(done.stderr)
    assert "s3://" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda one: one.say(outputFormat="ION"), "the format DYNAMODB_JSON"),
        (lambda one: one.say(exportType="INCREMENTAL_EXPORT"), "Make a full export"),
        (lambda one: one.data[0].unlink(), "fetch the whole export again"),
        (lambda one: one.data[0].write_bytes(b"no gzip"), "Copy the export again"),
        (lambda one: one.put_data(0, one.data[0].read_bytes()[:-9]), "it is truncated"),
    ],
)
def test_an_export_that_no_run_can_read_is_refused_before_anything_is_begun(
    tmp_path: Path, damage: Callable[[SyncedExport], object], says: str
) -> None:
    synced = leave_export(tmp_path / "copy", [TRIPS])
    damage(synced)
    done = run(synced.folder, tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert says in words(done.stderr)
    assert not [*(tmp_path / "out").iterdir()]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--trips", "{export}"), "--trips cannot be combined with --export"),
        (("--source", "scan"), "--export cannot be combined with --source scan"),
        (("--same-key", "last"), "--same-key cannot be combined with --export"),
        (("--encoding", "latin-1"), "--encoding cannot be combined with --export"),
        (
            ("--export-arn", f"{TABLE_ARN}/export/1"),
            "--export-arn cannot be combined with --export",
        ),
        (("--consistent-read",), "--consistent-read has no effect on an export"),
        (("--read-units-per-second", "9"), "--read-units-per-second has no effect on an export"),
        (
            ("--parameter", "ReadUnitsPerSecond=9"),
            "--parameter ReadUnitsPerSecond has no effect on an export",
        ),
        (
            ("--parameter", "ConsistentRead=true"),
            "--parameter ConsistentRead has no effect on an export",
        ),
        (
            ("--parameter", "Source=scan"),
            "--export cannot be combined with --parameter Source=scan",
        ),
        (("--stack", "trip-kpis"), "--export cannot be combined with --stack"),
        (("--key", "ride_id"), "has no attribute 'ride_id' for the table's key"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    synced = leave_export(tmp_path / "copy", [TRIPS])
    given = [one.format(export=synced.data[0]) for one in arguments]
    done = run(synced.folder, tmp_path / "out", *given)
    assert done.returncode == 2
    assert says in words(done.stderr)
    assert not [*(tmp_path / "out").iterdir()]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--export", "nowhere"), "nowhere does not exist"),
        (("--export", "", "--out", "x"), "it is empty: name a directory or a data file"),
        (("--export", "{not_utf8}", "--out", "x"), "is not UTF-8: rename it"),
        (
            ("--export", "s3://b/AWSDynamoDB/01-2/", "--out", "x"),
            "s3://b/AWSDynamoDB/01-2/ is in S3. Copy its folder, `aws s3 sync",
        ),
        (("--export", "."), "give --out DIR with --trips FILE or --export DIR"),
        (
            ("--trips", __file__, "--export-manifest", "s3://b/manifest-summary.json"),
            "--export-manifest cannot be combined with --trips",
        ),
        (
            ("--stack", "s", "--source", "scan", "--export-arn", f"{TABLE_ARN}/export/1"),
            "source is 'scan', and the input names an export: leave one out",
        ),
        (
            ("--stack", "s", "--source", "export", "--consistent-read"),
            "--consistent-read has no effect on an export",
        ),
        (
            ("--stack", "s", "--export-manifest", "s3://b/data/x.json.gz"),
            "it must be the URL of an export's summary",
        ),
    ],
)
def test_a_run_that_does_not_say_what_to_read_is_refused(
    tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    not_utf8 = tmp_path / os.fsdecode(b"\xff")
    not_utf8.mkdir()
    done = ops("run", *(one.format(not_utf8=not_utf8) for one in arguments))
    assert done.returncode == 2
    assert says in words(done.stderr)
