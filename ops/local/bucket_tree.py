"""Writes the bucket's objects as files of a directory."""

import os
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path

from ops.runs.copied_files import file_of
from ops.runs.storage import Storage
from trip_kpis.core import layout
from trip_kpis.core.layout import is_known

MIRRORED = (layout.KPIS, layout.BREAKDOWNS, layout.QUARANTINE, layout.RUNS)
"""Prefixes of the keys that are useful after a run. A manifest under runs/ says that its run is
finished, so it is exported last."""
_UNFINISHED = ".trip-kpis-export-"


def mirror(bucket: Storage, directory: Path) -> tuple[str, ...]:
    """Makes `directory` contain exactly the bucket's objects under MIRRORED; returns the keys that
    were ignored because no run writes such keys.

    Writes all files into a directory beside, then moves them to their places: where they cannot
    all be written (OSError), what an earlier export has left there stays as it was. A process that
    dies between two moves has not moved the new manifests yet.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for left in directory.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=directory) as beside:
        exported, ignored = [], []
        for key in (one.key for prefix in MIRRORED for one in bucket.objects(prefix)):
            if not is_known(key):
                ignored.append(key)
            elif (body := bucket.read(key)) is not None:
                file = file_of(Path(beside), key)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(body)
                exported.append(key)
        remove_mirrored(directory, but=exported)
        for key in exported:
            file = file_of(directory, key)
            file.parent.mkdir(parents=True, exist_ok=True)
            file_of(Path(beside), key).replace(file)
    return tuple(ignored)


def remove_mirrored(directory: Path, *, but: Collection[str] = ()) -> None:
    """Removes the files that runs have written there, by the form of their names, except for these
    keys; follows no symbolic link."""
    kept = {*but}
    for prefix in MIRRORED:
        top = directory / prefix
        if top.is_symlink():
            continue
        for path, _, names in os.walk(top, topdown=False):
            for file in (Path(path) / name for name in names):
                key = file.relative_to(directory).as_posix()
                if is_known(key) and key not in kept and not file.is_symlink():
                    file.unlink()
            if not any(Path(path).iterdir()):
                Path(path).rmdir()
