"""The directory of `ops run --out DIR`: decides whether a run may overwrite its content.

A run deletes and overwrites in DIR. So it takes only a directory that is empty or that a run made,
which has a marker, and none in which one of its own names is a symbolic link.
"""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ops.atomic_write import atomic_write
from trip_kpis.core.layout import is_known

MARKER = ".trip-kpis"
_SAYS = b"The runs of `ops run --out`. The next run with this --out overwrites files here.\n"
WRITTEN_BY_RUNS = ("kpis", "breakdowns", "runs", "quarantine", "state", "logs", "report.html")
"""names that a run writes into its directory"""
_SHOWN = 3


class StateError(Exception):
    """There is no state from which to resume, or it cannot be used. The message says where and
    why."""


def check_out(out: Path) -> None:
    """Raises StateError unless a run may replace the content of `out`. A directory that is not
    there may be made."""
    try:
        names = sorted(one.name for one in out.iterdir() if not _is_of_other_runs(one))
    except FileNotFoundError:
        return
    except OSError as error:
        raise StateError(
            f"{out} cannot be read ({error.strerror}): name another directory"
        ) from error
    if names and not _is_marked(out):
        raise StateError(_refusal(out, names))
    if link := next(_links(out), None):
        raise StateError(
            f"{link} is a symbolic link, and a run writes and deletes there: remove the link, or "
            "name another directory with --out"
        )


def claim_out(out: Path) -> None:
    """Makes the directory if need be, and marks it. Raises StateError as `check_out` does, and
    where it cannot be written to."""
    check_out(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not (out / MARKER).exists():
            atomic_write(out / MARKER, _SAYS)
    except OSError as error:
        raise cannot_write(out, error) from error


def cannot_write(path: Path, error: OSError, advice: str = "name another directory") -> StateError:
    """Returns the error for a failed write."""
    where = error.filename or path
    return StateError(f"{where} cannot be written to ({error.strerror or error}): {advice}")


def _is_of_other_runs(path: Path) -> bool:
    """Returns whether other runs have made this directory, such as the demo's out/demo: a run in
    the directory above writes nothing there."""
    is_elsewhere = path.name not in WRITTEN_BY_RUNS and not path.is_symlink()
    return is_elsewhere and path.is_dir() and _is_marked(path)


def _is_marked(out: Path) -> bool:
    """Returns whether the directory has a marker. Earlier versions wrote none, but left their
    state."""
    marker = out / MARKER
    if marker.is_file() and not marker.is_symlink():
        return True
    state = out / "state"
    return not state.is_symlink() and all(
        (state / name).is_file() for name in ("lock", "executions.json")
    )


def _refusal(out: Path, names: list[str]) -> str:
    some = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    says = f"{out} is not empty ({some}) and was not made by `ops run`, which replaces what is in "
    if _has_objects(out):
        says = f"{out} has objects of a run and no marker, as a copy of a bucket has. `ops run` "
        says += "would replace them in "
    return f"{says}its directory: name another one with --out, or a new one in it"


def _has_objects(out: Path) -> bool:
    below = {"kpis": "*/*", "breakdowns": "*/*/*", "runs": "*/*", "staging": "*/*"}
    files = (file for top, pattern in below.items() for file in (out / top).glob(pattern))
    return any(is_known(str(file.relative_to(out))) for file in islice(files, 100))


def _links(out: Path) -> Iterator[Path]:
    """Returns the symbolic links at places where a run would write."""
    for top in (out / name for name in WRITTEN_BY_RUNS):
        if top.is_symlink():
            yield top
        for path, directories, files in os.walk(top):
            for one in (Path(path) / name for name in (*directories, *files)):
                if one.is_symlink():
                    yield one
