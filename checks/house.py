"""`python -m checks.house`: reports the size and the structure of the code, and the cost of the
tool's help.

Lines and files by folder, cycles between packages, the processor seconds of `ops --help` and which
heavy libraries it imports.
"""

import ast
import resource
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("functions", "ops", "bench", "checks", "tests")
HEAVY = ("moto", "samtranslator", "pandas", "pyarrow", "boto3")
_HELP = """
import runpy, sys
sys.argv = ["ops", "--help"]
try:
    runpy.run_module("ops", run_name="__main__")
finally:
    print(*(name for name in {heavy} if name in sys.modules), file=sys.stderr)
"""


def package_graph(folder: Path, root: Path) -> dict[str, set[str]]:
    """Returns which packages (folders with modules) of `folder` import which; dotted names below
    `root`."""
    modules = {
        ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): file
        for file in folder.rglob("*.py")
    }
    graph: dict[str, set[str]] = {}
    for name, file in modules.items():
        package = _package(name, file)
        known = graph.setdefault(package, set())
        for target in _imported(file):
            found = target if target in modules else target.rpartition(".")[0]
            if found in modules:
                known.add(_package(found, modules[found]))
        known.discard(package)
    return graph


def _package(name: str, file: Path) -> str:
    """A command's `__main__` is one of its own: nothing imports it."""
    if file.name in {"__init__.py", "__main__.py"}:
        return name
    return name.rpartition(".")[0] or name


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """Returns one cycle of the graph; empty if it has none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def main() -> None:
    print(f"{'':<12}{'files':>8}{'lines':>10}")
    for name in FOLDERS:
        files = list((ROOT / name).rglob("*.py"))
        lines = sum(len(file.read_text().splitlines()) for file in files)
        print(f"{name:<12}{len(files):>8,}{lines:>10,}")
    for name in ("functions", "ops", "bench"):
        folder = ROOT / name
        found = cycle(package_graph(folder, folder if name == "functions" else ROOT))
        print(f"cycle between packages of {name}: {' -> '.join(found) or 'none'}")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    helped = subprocess.run(
        [sys.executable, "-c", _HELP.format(heavy=HEAVY)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"ops --help: {seconds:.2f} CPU seconds; of {', '.join(HEAVY)} it imports")
    print(f"  {helped.stderr.strip() or 'none'}")


if __name__ == "__main__":
    main()
