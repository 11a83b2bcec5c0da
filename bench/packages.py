"""The functions' packages, built as `sam build` builds them, for this machine's processor."""

import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FUNCTIONS = {
    "plan_run": "PlanRunFunction",
    "scan_segment": "ScanSegmentFunction",
    "merge_partials": "MergePartialsFunction",
}
"""the logical id of each handler's function"""
PYTHON_VERSION = "3.13"
"""of the template's PythonRuntime"""
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class CannotBuildError(RuntimeError):
    """Something is missing on this machine; the message says what."""


def interpreter() -> str:
    """Returns a Python of the runtime's version: the first on PATH that runs (a shim of pyenv may
    not), else one that pyenv has installed. Raises CannotBuildError."""
    command = f"python{PYTHON_VERSION}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    places = [Path(place) for place in os.environ.get("PATH", os.defpath).split(os.pathsep)]
    places += sorted(pyenv.glob(f"{PYTHON_VERSION}*/bin"))
    for python in (place / command for place in places if (place / command).is_file()):
        answer = subprocess.run(
            [python, "-c", "import sys; print(sys.executable)"],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode == 0:
            return answer.stdout.strip()
    raise CannotBuildError(
        f"there is no {command} on PATH, which the functions are built for (PythonRuntime in "
        "template.yaml): install one, or put the one you have on PATH"
    )


def architecture() -> str:
    """Returns this machine's architecture, as Lambda names it. Raises CannotBuildError where Lambda
    has none like it."""
    found = _ARCHITECTURES.get(platform.machine().lower())
    if sys.platform != "linux" or found is None:
        raise CannotBuildError(
            "the functions are built for Linux on arm64 or x86_64, this is "
            f"{sys.platform} on {platform.machine()}: use such a machine"
        )
    return found


def build(stem: str, directory: Path, python: str) -> Path:
    """Packages one function in `directory`, with modules compiled by `python`; returns the
    package's path.

    Raises CannotBuildError with what the build printed.
    """
    target = ROOT / "functions/packaging/targets" / f"{architecture()}-python{PYTHON_VERSION}"
    artifact = directory / stem
    path = os.pathsep.join([str(Path(python).parent), os.environ.get("PATH", os.defpath)])
    done = subprocess.run(
        [
            "make",
            "-f",
            "../../../Makefile",
            f"build-{FUNCTIONS[stem]}",
            f"PYTHON={sys.executable}",
        ],
        cwd=target,
        env={**os.environ, "PATH": path, "ARTIFACTS_DIR": str(artifact)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or "not precompiled" in done.stdout:
        raise CannotBuildError(f"{stem} was not built as it should be:\n{done.stdout}{done.stderr}")
    return artifact
