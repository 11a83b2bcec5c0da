"""Measures cold starts: each function's package is imported, and the scan with pandas.

The artifacts are built as `sam build` does it, for this machine's processor, and imported by a
Python of the runtime's version, with nothing but its standard library beside them.
"""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import packages

RUNS = 9
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStart:
    """Medians of imports of one handler in a new interpreter. The interpreter's own start, which is
    the same for all, is not in the times; it is in the peak."""

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
    """Builds the packages, then imports all of them in turn. Raises CannotBuildError."""
    python = packages.interpreter()
    with tempfile.TemporaryDirectory() as directory:
        built = {stem: packages.build(stem, Path(directory), python) for stem in packages.FUNCTIONS}
        candidates = [
            _Candidate(imported=stem, modules=stem, paths=(path,), artifact=path)
            for stem, path in built.items()
        ]
        candidates.append(
            _Candidate(
                imported="scan_segment with pandas",
                modules="scan_segment,pandas",
                paths=(built["scan_segment"], built["merge_partials"]),
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
    """Formats the figures as Markdown."""
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


def _import(python: str, candidate: _Candidate) -> Mapping[str, float]:
    command = [python, "-I", "-S", "-c", _IMPORT, candidate.modules, *map(str, candidate.paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={})
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def _bytes(artifact: Path) -> int:
    return sum(path.stat().st_size for path in artifact.rglob("*") if path.is_file())


def _median(results: Sequence[Mapping[str, float]], name: str) -> float:
    return median(one[name] for one in results)
