"""The bucket's objects as files of a directory."""

import os
from pathlib import Path

from ops.runs.layout import file_of
from ops.runs.storage import Storage
from trip_kpis.core import layout
from trip_kpis.core.layout import is_known

MIRRORED = (layout.KPIS, layout.RUNS, layout.QUARANTINE)
"""What is of use once a run is over: the prefixes of the keys."""


def mirror(bucket: Storage, directory: Path) -> tuple[str, ...]:
    """Leaves in `directory` just what the bucket holds under MIRRORED; gives the keys that were
    ignored, because no run writes such keys.

    Removes what an earlier run has left there, and, where it cannot write all of it (OSError), what
    it has written: a part of a run's figures could be taken for all of them.
    """
    remove_mirrored(directory)
    ignored = []
    try:
        for key in (one.key for prefix in MIRRORED for one in bucket.objects(prefix)):
            if not is_known(key):
                ignored.append(key)
            elif (body := bucket.read(key)) is not None:
                file = file_of(directory, key)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(body)
    except BaseException:
        remove_mirrored(directory)
        raise
    return tuple(ignored)


def remove_mirrored(directory: Path) -> None:
    """Removes what a run has left there, by the form of its name, and nothing else; follows no
    symbolic link."""
    for prefix in MIRRORED:
        top = directory / prefix
        if top.is_symlink():
            continue
        for path, _, names in os.walk(top, topdown=False):
            for file in (Path(path) / name for name in names):
                if is_known(str(file.relative_to(directory))) and not file.is_symlink():
                    file.unlink()
            if not any(Path(path).iterdir()):
                Path(path).rmdir()
