"""The stamp of a built package, compared with the machine before any wheel is imported.

A package for another processor fails at its first native library, and Lambda reports that as
`Runtime.ImportModuleError` with the name of a file of that library. The cause is that `sam build`
and `sam deploy` were given different parameters.
"""

import json
import platform
import sys
from pathlib import Path

from trip_kpis.core.errors import WrongPackageError

STAMP = Path(__file__).with_name("package_stamp.json")
"""written by functions/packaging/stamp.py; there is none beside the sources"""

_ARCHITECTURES = {"aarch64": "arm64", "amd64": "x86_64"}
"""Lambda's names of processors that Linux calls otherwise"""


def check_package(
    stamp: Path = STAMP,
    *,
    machine: str = platform.machine(),
    python_version: tuple[int, int] = sys.version_info[:2],
) -> None:
    """Raises WrongPackageError if the package is built for another processor or another Python."""
    if not stamp.exists():
        return
    built = json.loads(stamp.read_text(encoding="utf-8"))
    built_for = (built["architecture"], built["python_version"])
    runs_on = (
        _ARCHITECTURES.get(machine.lower(), machine.lower()),
        ".".join(map(str, python_version)),
    )
    if built_for != runs_on:
        raise WrongPackageError(
            f"the function's package is built for {built_for[0]} and Python {built_for[1]}, but "
            f"it runs on {runs_on[0]} with Python {runs_on[1]}: sam build and sam deploy had "
            "different values of Architecture or PythonRuntime. Set both in samconfig.toml "
            "(parameter_overrides), and nowhere else; then run sam build and sam deploy again"
        )
