"""`ops estimate --export`: the size is that of the manifest, all else that of a sample."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ops.cli.main import main
from tests.exports_on_disk import SyncedExport, leave_export
from tests.json_fields import check_fields
from tests.samples import trip

TERABYTE = 10**12


def estimate(place: Path, *arguments: str) -> Result:
    runner = CliRunner(mix_stderr=False, env={"COLUMNS": "100"})
    return runner.invoke(main, ["estimate", "--export", str(place), *arguments])


def document(place: Path, *arguments: str) -> dict[str, Any]:
    done = estimate(place, *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def codes(of: Mapping[str, Any]) -> list[str]:
    return [one["code"] for one in of["advice"]]


@pytest.fixture
def synced(tmp_path: Path) -> SyncedExport:
    """A thousand trips of a table of a terabyte. A tenth is incomplete, a twentieth is rejected."""

    def item(number: int) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if number % 10 == 1:
            changes["fare_amount"] = {"NULL": True}
        if number % 20 == 2:
            changes["pickup_datetime"] = {"S": "25.05.2024"}
        return trip(f"t-{number}", **changes)

    made = leave_export(
        tmp_path / "copy",
        [[item(number) for number in range(start, 1_000, 2)] for start in (0, 1)],
    )
    made.say(billedSizeBytes=TERABYTE)
    return made


def test_the_shares_of_the_sample_are_those_of_the_table_of_the_manifest(
    synced: SyncedExport,
) -> None:
    of = document(synced.folder)
    assert (of["table"], of["table_bytes"], of["item_count"]) == ("rides", TERABYTE, 1_000)
    census = of["census"]
    assert (census["items"], census["share_of_table"], census["is_whole_table"]) == (
        400,
        0.4,
        False,
    )
    assert {name: one["in_table"] for name, one in census["trips"].items()} == {
        "counted": 850, "excluded": 0, "incomplete": 100, "rejected": 50,
    }  # fmt: skip
    assert census["attributes"]["fare"]["forms"]["NULL"] == 40
    assert census["rejected_by_reason"]["time_unreadable"]["looks_like"] == {"99.99.9999": 20}
    assert "too_many_rejected" in codes(of)


def test_the_cost_is_that_of_a_run_over_the_table(synced: SyncedExport) -> None:
    of = document(synced.folder)
    assert of["read_units"] == 122_070_313
    assert of["cost_usd"]["total"] == pytest.approx(15.7, abs=0.05)
    assert of["sources"]["export"]["usd"] == pytest.approx(93.83, abs=0.5)
    of = document(synced.folder, "--source", "export")
    assert (of["source"], of["read_units"]) == ("export", 0)


def test_what_an_export_does_not_know_is_not_said_to_be_refused_by_aws(
    synced: SyncedExport,
) -> None:
    of = document(synced.folder)
    assert not {"lambda_limit_unknown", "ttl_unknown", "stale_size", "no_sample"} & {*codes(of)}
    assert "refused" not in json.dumps(of)
    assert (of["lambda_limit"], of["census"]["segments"]) == (None, [])


def test_a_person_reads_what_is_from_the_manifest_and_what_from_the_sample(
    synced: SyncedExport,
) -> None:
    done = estimate(synced.folder)
    assert "Export of rides: 1,000 items in 2 files, as of 2026-05-25T02:15:00Z" in done.stderr
    said = " ".join(done.stdout.split())
    assert "size 1,000 items, 1.0 TB" in said
    assert "A sample of 400 items (40.00% of the table)" in said
    assert "The size and the number of items are those of the export's manifest." in said
    assert "an on-demand table of the class Standard" in said
    assert "ops estimate --table rides" in said
    assert "Skew" not in said


def test_a_small_export_is_read_whole(tmp_path: Path) -> None:
    synced = leave_export(tmp_path / "copy", [[trip("a"), trip("b")], []])
    census = document(synced.folder)["census"]
    assert (census["is_whole_table"], census["trips"]["counted"]["in_table"]) == (True, 2)


def test_an_empty_export_is_an_empty_table(tmp_path: Path) -> None:
    synced = leave_export(tmp_path / "copy", [[]])
    of = document(synced.folder)
    assert codes(of) == ["empty_table"]
    assert "rides is empty" in " ".join(estimate(synced.folder).stdout.split())


def test_an_attribute_that_no_item_has_is_advice(synced: SyncedExport) -> None:
    done = estimate(synced.folder, "--parameter", "FareAttribute=price", "--json")
    assert "attribute_absent" in codes(json.loads(done.stdout))
    assert "None of the 400 sampled items has price, which FareAttribute names" in done.stderr


def test_its_fields_are_those_of_every_estimate(synced: SyncedExport) -> None:
    check_fields(
        "`ops estimate --json`",
        [document(synced.folder)],
        unseen=frozenset(
            f"census.segments[].{name}"
            for name in ("segment", "pages", "items", "ended", "largest_collection_share")
        ),
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--same-key", "last"), "--same-key cannot be combined with --export"),
        (("--encoding", "latin-1"), "--encoding cannot be combined with --export"),
        (("--profile", "p"), "--profile cannot be combined with --export"),
        (("--table", "rides"), "say what to estimate, one of the four"),
        (("--key", "ride"), "has no attribute 'ride' for the table's key"),
        (("--parameter", "TableName=x"), "leave --parameter TableName out"),
        (("--source", "export", "--read-units-per-second", "9"), "leave read_units_per_second out"),
    ],
)
def test_what_does_not_fit_is_refused(
    synced: SyncedExport, arguments: tuple[str, ...], says: str
) -> None:
    done = estimate(synced.folder, *arguments)
    assert (done.exit_code, says in done.stderr) == (2, True), done.stderr


def test_without_manifests_nobody_knows_the_size_of_the_table(synced: SyncedExport) -> None:
    synced.remove_manifests()
    for place in (synced.folder, synced.data_files_on_disk[0]):
        done = estimate(place)
        assert done.exit_code == 2
        assert done.stderr.startswith(f"Error: {place} has no manifest-summary.json")
