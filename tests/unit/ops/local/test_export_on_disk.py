"""An export is found where `aws s3 sync` has left it, and what is no export is refused in words."""

import gzip
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ops.local.export_on_disk import ExportOnDisk, write_export
from ops.local.out_directory import claim_out
from ops.local.trip_files import TripFileError, Trips
from tests.exports_on_disk import AS_OF, TABLE_ARN, TABLE_ID, SyncedExport, leave_export
from tests.samples import trip

ITEMS = [trip(f"t-{number}") for number in range(7)]


@pytest.fixture
def synced(tmp_path: Path) -> SyncedExport:
    """Its second file is empty."""
    return leave_export(tmp_path / "copy", [ITEMS[:4], [], ITEMS[4:]])


def sample(path: Path, *, hash_key: str = "trip_id", sort_key: str | None = None) -> Trips:
    return ExportOnDisk.at(path).sample(hash_key=hash_key, sort_key=sort_key)


@pytest.mark.parametrize(
    "place",
    [
        lambda folder: folder.parents[1],
        lambda folder: folder.parent,
        lambda folder: folder,
        lambda folder: folder / "data",
    ],
    ids=["the synced directory", "AWSDynamoDB", "the export", "its data"],
)
def test_an_export_is_found_from_any_folder_of_it(
    synced: SyncedExport, place: Callable[[Path], Path]
) -> None:
    export = ExportOnDisk.at(place(synced.folder))
    assert export.manifests == synced.folder
    assert list(export.files) == synced.data
    assert (export.table_arn, export.table_id) == (TABLE_ARN, TABLE_ID)
    assert (export.items, datetime.fromisoformat(export.as_of)) == (len(ITEMS), AS_OF)
    assert not export.remarks
    assert export.described == (
        "Export of rides: 7 items in 3 files, as of 2026-05-25T02:15:00Z, exactly."
    )


def test_it_is_found_from_within_its_data_folder(
    synced: SyncedExport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(synced.folder / "data")
    assert ExportOnDisk.at(Path()).manifests == synced.folder


@pytest.mark.parametrize("number", [0, 1])
def test_a_data_file_alone_is_an_export_that_cannot_be_checked(
    synced: SyncedExport, number: int
) -> None:
    file = synced.data[number]
    os.utime(file, (AS_OF.timestamp(), AS_OF.timestamp()))
    export = ExportOnDisk.at(file)
    assert (export.manifests, export.files, export.items) == (None, (file,), None)
    assert export.described == "Export: 1 file, as of 2026-05-25T02:15:00Z, at the latest."
    (remark,) = export.remarks
    assert remark.startswith(f"{file} is one file, without manifests: ")
    assert "cannot be checked" in remark
    assert "as of 2026-05-25T02:15:00Z at the latest" in remark


def test_without_manifests_it_is_as_of_when_the_newest_file_was_written(
    synced: SyncedExport,
) -> None:
    synced.remove_manifests()
    for number, file in enumerate(synced.data_files_on_disk):
        os.utime(file, (AS_OF.timestamp() + number,) * 2)
    export = ExportOnDisk.at(synced.folder)
    assert datetime.fromisoformat(export.as_of) == AS_OF.replace(second=2)
    assert export.described == "Export: 3 files, as of 2026-05-25T02:15:02Z, at the latest."
    assert export.remarks[0].startswith(f"{synced.folder} has no manifest-summary.json: ")


def test_files_that_claim_to_be_of_the_future_are_as_of_now(synced: SyncedExport) -> None:
    """Otherwise no later run could replace their days."""
    synced.remove_manifests()
    os.utime(synced.data_files_on_disk[0], (4e9, 4e9))
    as_of = datetime.fromisoformat(ExportOnDisk.at(synced.folder).as_of)
    assert AS_OF < as_of <= datetime.now(UTC)


def emptied_without_manifests(synced: SyncedExport) -> None:
    synced.data[2].write_bytes(b"")
    synced.remove_manifests()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda one: one.say(outputFormat="ION"), "has the format ION: export the table with"),
        (lambda one: one.say(exportType="INCREMENTAL_EXPORT"), "Make a full export"),
        (
            lambda one: one.say(tableId=None),
            "manifest-summary.json is not the summary of an export",
        ),
        (lambda one: one.say(itemCount=8), "7 items in all, and the export's summary says 8"),
        (lambda one: one.list(lambda files: files.append(files[0])), "names a data file twice"),
        (
            lambda one: (one.folder / "manifest-summary.json").write_bytes(b"{"),
            "manifest-summary.json is not the summary of an export",
        ),
        (
            lambda one: (one.folder / "manifest-files.json").write_bytes(b"?"),
            "manifest-files.json is not a list of an export's files",
        ),
        (
            lambda one: (one.folder / "manifest-files.json").unlink(),
            "manifest-files.json cannot be read (No such file or directory): fetch the whole",
        ),
        (lambda one: one.data[2].unlink(), "lacks 1 of the export's 3 data files, such as "),
        (lambda one: one.data[2].write_bytes(b""), " has 0 bytes: fetch it again"),
        (lambda one: emptied_without_manifests(one), " has 0 bytes: fetch it again"),
    ],
)
def test_an_export_that_is_not_whole_is_refused(
    synced: SyncedExport, damage: Callable[[SyncedExport], object], says: str
) -> None:
    damage(synced)
    with pytest.raises(TripFileError) as raised:
        ExportOnDisk.at(synced.folder)
    assert says in str(raised.value)


def test_two_exports_are_refused_with_the_name_of_one(tmp_path: Path) -> None:
    folders = [leave_export(tmp_path, [ITEMS]).folder for _ in range(2)]
    with pytest.raises(TripFileError) as raised:
        ExportOnDisk.at(tmp_path)
    advice = f"has 2 exports: name one of them, such as {max(folders)}"
    assert advice in str(raised.value)
    assert ExportOnDisk.at(max(folders)).manifests == max(folders)


@pytest.mark.parametrize("name", ["second", "data"])
def test_the_named_export_is_read_also_where_it_is_in_another_one(
    synced: SyncedExport, tmp_path: Path, name: str
) -> None:
    """The advice about several exports names the inner one, and the outer one is not read for it,
    even if its folder has the name of a folder of data files."""
    other = leave_export(tmp_path / "other", [ITEMS[:1]], table_id="second").folder
    if name == "data":
        (synced.folder / "data").rename(synced.folder / "elsewhere")
    inner = other.rename(synced.folder / name)
    export = ExportOnDisk.at(inner)
    assert (export.manifests, export.table_id, export.items) == (inner, "second", 1)


def test_a_folder_with_manifests_is_that_export_whatever_is_in_it(
    synced: SyncedExport, tmp_path: Path
) -> None:
    leave_export(tmp_path / "other", [ITEMS[:1]]).folder.rename(synced.folder / "second")
    assert ExportOnDisk.at(synced.folder).manifests == synced.folder


def test_data_files_in_a_folder_below_manifests_are_not_taken_for_their_export(
    synced: SyncedExport,
) -> None:
    inner = synced.folder / "copy"
    inner.mkdir()
    (inner / "a.json.gz").write_bytes(synced.data[0].read_bytes())
    export = ExportOnDisk.at(inner)
    assert (export.manifests, export.files) == (None, (inner / "a.json.gz",))


def test_the_results_of_runs_are_no_exports(synced: SyncedExport) -> None:
    """A run writes manifests, or trips as an export, into the state of its --out, which may be a
    folder in the export's."""
    out = synced.folder / "out"
    claim_out(out)
    leave_export(out / "state/exports/3f2a", [ITEMS])
    assert ExportOnDisk.at(synced.folder.parent).manifests == synced.folder
    synced.remove_manifests()
    export = ExportOnDisk.at(synced.folder)
    assert (export.manifests, len(export.files)) == (None, 3)
    kept = out / "kept"
    leave_export(kept, [ITEMS])
    assert ExportOnDisk.at(out).items == len(ITEMS), "what no run has written"


def test_links_are_followed_and_lead_to_each_export_once(
    synced: SyncedExport, tmp_path: Path
) -> None:
    view = tmp_path / "view"
    view.mkdir()
    for name in ("one", "two"):
        (view / name).symlink_to(synced.folder)
    (view / "loop").symlink_to(view)
    assert ExportOnDisk.at(view).items == len(ITEMS)
    synced.remove_manifests()
    assert len(ExportOnDisk.at(view).files) == 3


@pytest.mark.parametrize("left", ["_started", "manifest-files.json", "manifest-files.md5"])
@pytest.mark.parametrize("named", [".", "data"])
def test_what_a_copy_that_was_interrupted_has_left_is_no_export_without_manifests(
    synced: SyncedExport, left: str, named: str
) -> None:
    """A data file may be missing, and its items would be missing in the figures."""
    synced.remove_manifests()
    (synced.folder / "_started").unlink(missing_ok=True)
    (synced.folder / left).touch()
    with pytest.raises(TripFileError, match=f"it has {left}, and no manifest-summary.json"):
        ExportOnDisk.at(synced.folder / named)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("data/a.ion.gz", "Amazon Ion"),
        ("_started", "is not complete"),
        ("manifest-summary.json", "is a manifest: give --export its folder"),
        ("manifest-files.json", "is a manifest: give --export its folder"),
    ],
)
def test_what_is_no_whole_export_is_said(tmp_path: Path, name: str, says: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.touch()
    with pytest.raises(TripFileError, match=says):
        ExportOnDisk.at(file if "manifest" in name else tmp_path)


@pytest.mark.parametrize("name", [b"\xff", b"\xff.json.gz"])
def test_a_name_that_no_document_can_have_is_refused(tmp_path: Path, name: bytes) -> None:
    place = tmp_path / os.fsdecode(name)
    if place.suffix:
        place.write_bytes(gzip.compress(b""))
    else:
        place.mkdir()
    for path in {place, tmp_path if place.suffix else place}:
        with pytest.raises(TripFileError, match="is not UTF-8: rename it") as raised:
            ExportOnDisk.at(path)
        str(raised.value).encode()


@pytest.mark.parametrize("name", ["README.md", "trips.csv", "data.ion"])
def test_a_place_without_an_export_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text("something else")
    for path in (tmp_path, file):
        with pytest.raises(TripFileError, match="--trips"):
            ExportOnDisk.at(path)


def test_a_data_file_that_cannot_be_looked_at_is_named(tmp_path: Path) -> None:
    dangling = tmp_path / "a.json.gz"
    dangling.symlink_to(tmp_path / "nothing")
    with pytest.raises(TripFileError) as raised:
        ExportOnDisk.at(tmp_path)
    assert str(raised.value).startswith(f"{dangling} cannot be read (No such file or directory)")


def test_other_files_are_another_export(synced: SyncedExport) -> None:
    before = ExportOnDisk.at(synced.folder)
    assert ExportOnDisk.at(synced.folder.parent).fingerprint == before.fingerprint
    assert before.saved.fingerprint == before.fingerprint
    body = synced.data[0].read_bytes()
    synced.data[0].write_bytes(body + gzip.compress(b""))
    after = ExportOnDisk.at(synced.folder)
    assert after.fingerprint != before.fingerprint
    assert after.prefix != before.prefix


def test_a_moved_export_has_the_same_fingerprint_and_another_place(
    synced: SyncedExport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may have another current directory."""
    monkeypatch.chdir(tmp_path)
    before = ExportOnDisk.at(synced.folder.relative_to(tmp_path)).saved
    assert before.path == str(synced.folder)
    moved = synced.folder.rename(tmp_path / "moved")
    after = ExportOnDisk.at(Path("moved")).saved
    assert (after.fingerprint, after.path) == (before.fingerprint, str(moved))


def test_the_objects_are_the_files_where_they_are(synced: SyncedExport, tmp_path: Path) -> None:
    export = ExportOnDisk.at(synced.folder)
    objects = export.objects(tmp_path / "manifest_directory")
    assert not (tmp_path / "manifest_directory").exists()
    assert export.manifest_url("b") == f"s3://b/{export.prefix}manifest-summary.json"
    assert {key.removeprefix(export.prefix): file for key, file in objects.items()} == {
        str(file.relative_to(synced.folder)): file
        for file in synced.folder.rglob("*")
        if file.is_file()
    }


def test_without_manifests_some_are_written_that_say_what_is_known(
    synced: SyncedExport, tmp_path: Path
) -> None:
    """Files of the same name in several folders are several objects. No file is a link: a run
    refuses a directory that has one."""
    synced.remove_manifests()
    file = synced.data_files_on_disk[0]
    other = synced.folder / "data/more"
    other.mkdir()
    (other / file.name).write_bytes(file.read_bytes())
    export, manifest_directory = ExportOnDisk.at(synced.folder), tmp_path / "manifest_directory"
    objects = export.objects(manifest_directory)
    data = {key: file for key, file in objects.items() if "/data/" in key}
    assert sorted(data.values()) == sorted(export.files)
    assert len(data) == 4
    lines = (manifest_directory / "manifest-files.json").read_bytes().splitlines()
    listed = {f"{export.prefix}{json.loads(line)['dataFileS3Key']}" for line in lines}
    assert listed == data.keys()
    assert objects.keys() - listed == {
        f"{export.prefix}manifest-{name}" for name in
        ("summary.json", "summary.md5", "files.json", "files.md5")
    }  # fmt: skip
    assert not [one for one in manifest_directory.rglob("*") if one.is_symlink()]


def test_a_sample_has_the_first_items_of_several_files(tmp_path: Path) -> None:
    many = [[trip(f"t-{file}-{number}") for number in range(300)] for file in range(20)]
    synced = leave_export(tmp_path, [[], *many])
    found = sample(synced.folder).items
    of_files = {key[0].rpartition("-")[0] for key in found}
    assert 5 <= len(of_files) <= 8
    assert len(found) == 200 * len(of_files)
    assert ("t-1-0",) in found


def test_a_sample_has_items_if_any_file_has(tmp_path: Path) -> None:
    """DynamoDB writes a file for each partition of the table, also for those without items."""
    synced = leave_export(tmp_path, [*([[]] * 20), ITEMS, []])
    assert len(sample(synced.folder).items) == len(ITEMS)
    with pytest.raises(TripFileError, match="has no attribute 'ride_id'"):
        sample(synced.folder, hash_key="ride_id")


@pytest.mark.parametrize(
    ("lines", "keys", "says"),
    [
        ([trip()], {"hash_key": "ride_id"}, "line 1 has no attribute 'ride_id'"),
        ([trip()], {"sort_key": "at"}, "line 1 has no attribute 'at'"),
        ([b"nothing"], {}, "line 1 is not JSON"),
        ([b'"\xff"'], {}, "is no UTF-8 text"),
    ],
)
def test_a_sample_is_refused_that_does_not_fit(
    tmp_path: Path, lines: list[dict | bytes], keys: dict[str, str], says: str
) -> None:
    synced = leave_export(tmp_path, [lines])
    with pytest.raises(TripFileError) as raised:
        sample(synced.folder, **keys)
    assert f"{synced.data[0]} {says}" in str(raised.value)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"no gzip at all", "it is not gzip"),
        (gzip.compress(b'{"Item":{}}\n')[:-9], "it is truncated"),
        (gzip.compress(b'{"Metadata":{},"Keys":{},"NewImage":{}}\n'), "an incremental export"),
        (gzip.compress(b'{"trip_id":"t-1"}\n'), "is not an item in DynamoDB JSON"),
    ],
    ids=["text", "cut", "incremental", "other"],
)
def test_a_file_without_manifests_is_refused_by_its_first_lines(
    tmp_path: Path, body: bytes, says: str
) -> None:
    file = tmp_path / "a.json.gz"
    file.write_bytes(body)
    with pytest.raises(TripFileError) as raised:
        sample(file)
    assert str(raised.value).startswith(str(file))
    assert says in str(raised.value)


def test_trips_that_are_written_as_an_export_are_all_in_it(tmp_path: Path) -> None:
    trips = Trips(hash_key="trip_id", sort_key=None)
    items = {"t-1": trip("t-1", raw={"B": b"\x00\xff"}), "t-2": trip("t-2", raw={"NULL": True})}
    trips.items.update({(key,): item for key, item in items.items()})
    said: list[int] = []
    began = datetime.now(UTC).replace(microsecond=0)
    export = write_export(
        trips, tmp_path, table_name="trips", table_id=TABLE_ID, on_written=said.append
    )
    assert (export.items, export.table_id, sum(said)) == (2, TABLE_ID, 2)
    assert began <= datetime.fromisoformat(export.as_of) <= datetime.now(UTC)
    lines = [
        one for file in export.files for one in gzip.decompress(file.read_bytes()).splitlines()
    ]
    assert len(lines) == 2
    again: dict[tuple[str, ...], Any] = {}
    for file in export.files:
        again |= sample(file).items
    assert again == trips.items
