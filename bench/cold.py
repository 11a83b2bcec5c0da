"""What a cold start takes: each function's packaged artifact imported, and the scan with pandas.

The artifacts are built as `sam build` does it, for this machine's processor, and imported by a
Python of the runtime's version, with nothing else but boto3 beside them, as in Lambda.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
RUNS = 9
PYTHON_VERSION = "3.13"
"""of the template's PythonRuntime"""
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_FUNCTIONS = {
    "plan_run": "PlanRunFunction",
    "scan_segment": "ScanSegmentFunction",
    "merge_partials": "MergePartialsFunction",
}
_OF_THE_RUNTIME = (
    "boto3",
    "botocore",
    "s3transfer",
    "jmespath",
    "urllib3",
    "python-dateutil",
    "six",
)
"""boto3 and what it needs: all of it Python alone, so that any version's files serve every other"""

_IMPORT = """
import json, sys, time
sys.path[:0] = sys.argv[2:]
wall, cpu = time.perf_counter(), time.process_time()
for name in sys.argv[1].split(","):
    __import__(name)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
rows = dict(row.split(":", 1) for row in open("/proc/self/status"))
peak_kb = int(rows["VmHWM"].split()[0])
print(json.dumps({"wall": wall, "cpu": cpu, "peak_kb": peak_kb, "modules": len(sys.modules)}))
"""


class CannotMeasureError(RuntimeError):
    """Something is missing on this machine; the message says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStart:
    """Medians of importing one handler in a fresh interpreter. The interpreter's own start, which
    is the same for all, is not in the times; it is in the peak."""

    imported: str
    unzipped_mb: float
    """of the artifact, compiled modules included; 0 where there is none of this kind"""
    runs: int
    import_ms: float
    import_cpu_ms: float
    peak_mb: float
    modules: int
    ratio: float
    """of CPU, to the scan function's with pandas"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    imported: str
    modules: str
    paths: tuple[Path, ...]
    artifact: Path | None


def run(*, runs: int = RUNS) -> list[ColdStart]:
    """Builds, then imports all of them in turn. Raises CannotMeasureError."""
    python = _interpreter()
    with tempfile.TemporaryDirectory() as directory:
        built = {stem: _build(stem, Path(directory), python) for stem in _FUNCTIONS}
        runtime = _runtime(Path(directory) / "runtime", python)
        candidates = [
            _Candidate(imported=stem, modules=stem, paths=(path, runtime), artifact=path)
            for stem, path in built.items()
        ]
        candidates.append(
            _Candidate(
                imported="scan_segment with pandas",
                modules="scan_segment,pandas",
                paths=(built["scan_segment"], runtime, built["merge_partials"]),
                artifact=None,
            )
        )
        for one in candidates:
            _import(python, one)  # so that no file has to be read from the disk later
        results: dict[str, list[Mapping[str, float]]] = {one.imported: [] for one in candidates}
        for _ in range(runs):
            for one in candidates:
                results[one.imported].append(_import(python, one))
        with_pandas = _median(results["scan_segment with pandas"], "cpu")
        return [
            ColdStart(
                imported=one.imported,
                unzipped_mb=_bytes(one.artifact) / 10**6 if one.artifact else 0,
                runs=runs,
                import_ms=_median(results[one.imported], "wall") * 1000,
                import_cpu_ms=_median(results[one.imported], "cpu") * 1000,
                peak_mb=_median(results[one.imported], "peak_kb") / 1024,
                modules=int(_median(results[one.imported], "modules")),
                ratio=_median(results[one.imported], "cpu") / with_pandas,
            )
            for one in candidates
        ]


def table(starts: Sequence[ColdStart]) -> str:
    """As Markdown."""
    rows = [
        "| Imported | Unzipped | Import | Import, CPU | ÷ with pandas | Peak | Modules |",
        "| --- | --: | --: | --: | --: | --: | --: |",
    ]
    rows += [
        f"| `{one.imported}` | {f'{one.unzipped_mb:.0f} MB' if one.unzipped_mb else ''} "
        f"| {one.import_ms:.0f} ms | {one.import_cpu_ms:.0f} ms | {one.ratio:.2f} "
        f"| {one.peak_mb:.0f} MB | {one.modules:,} |"
        for one in starts
    ]
    return "\n".join(rows)


def _interpreter() -> str:
    """The first on PATH that runs (a shim of pyenv may not), else one that pyenv keeps."""
    command = f"python{PYTHON_VERSION}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    places = [Path(place) for place in os.environ.get("PATH", os.defpath).split(os.pathsep)]
    places += sorted(pyenv.glob(f"{PYTHON_VERSION}*/bin"))
    for python in (place / command for place in places if (place / command).is_file()):
        told = subprocess.run(
            [python, "-c", "import sys; print(sys.executable)"],
            capture_output=True,
            text=True,
            check=False,
        )
        if told.returncode == 0:
            return told.stdout.strip()
    raise CannotMeasureError(
        f"there is no {command} on PATH, which the functions are built for (PythonRuntime in "
        "template.yaml): install one, or put the one you have on PATH"
    )


def _build(stem: str, directory: Path, python: str) -> Path:
    """The function as `sam build` packages it, its modules compiled."""
    architecture = _ARCHITECTURES.get(platform.machine().lower())
    target = ROOT / "functions/packaging/targets" / f"{architecture}-python{PYTHON_VERSION}"
    if sys.platform != "linux" or not target.is_dir():
        raise CannotMeasureError(
            "the functions are built for Linux on arm64 or x86_64, this is "
            f"{sys.platform} on {platform.machine()}: measure on such a machine"
        )
    artifact = directory / stem
    path = os.pathsep.join([str(Path(python).parent), os.environ.get("PATH", os.defpath)])
    done = subprocess.run(
        [
            "make",
            "-f",
            "../../../Makefile",
            f"build-{_FUNCTIONS[stem]}",
            f"PYTHON={sys.executable}",
        ],
        cwd=target,
        env={**os.environ, "PATH": path, "ARTIFACTS_DIR": str(artifact)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or "not precompiled" in done.stdout:
        raise CannotMeasureError(
            f"{stem} was not built as it should be:\n{done.stdout}{done.stderr}"
        )
    return artifact


def _runtime(directory: Path, python: str) -> Path:
    """boto3 as the Lambda runtime brings it, compiled."""
    for name in _OF_THE_RUNTIME:
        for file in distribution(name).files or ():
            if file.suffix in {".py", ".json", ".gz", ".pem"} and ".." not in file.parts:
                copy = directory / file
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), copy)
    subprocess.run(
        [python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(directory)],
        check=True,
    )
    return directory


def _import(python: str, candidate: _Candidate) -> Mapping[str, float]:
    command = [python, "-I", "-S", "-c", _IMPORT, candidate.modules, *map(str, candidate.paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={})
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _bytes(artifact: Path) -> int:
    return sum(path.stat().st_size for path in artifact.rglob("*") if path.is_file())


def _median(results: Sequence[Mapping[str, float]], name: str) -> float:
    return median(one[name] for one in results)
