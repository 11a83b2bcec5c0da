"""The arrows point one way: handlers -> aws -> core, and core only decides."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.house import cycle, package_graph

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "functions"
CORE = sorted((FUNCTIONS / "trip_kpis" / "core").rglob("*.py"))
AWS = sorted((FUNCTIONS / "trip_kpis" / "aws").glob("*.py"))
HANDLERS = sorted(FUNCTIONS.glob("*.py"))
ALL = [*HANDLERS, *sorted((FUNCTIONS / "trip_kpis").glob("*.py")), *AWS, *CORE]

HANDLER_NAMES = {"plan_run", "scan_segment", "merge_partials"}


def imports(path: Path) -> set[str]:
    """The dotted names of all that is imported, wherever in the module."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} has a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def names_within(path: Path, packages: set[str]) -> set[str]:
    return {name for name in imports(path) if any(within(name, package) for package in packages)}


def calls(tree: ast.AST) -> Iterator[str]:
    """What is called, as it is written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def every_call(path: Path) -> Iterator[str]:
    return calls(ast.parse(path.read_text()))


def by_name(path: Path) -> str:
    return str(path.relative_to(FUNCTIONS))


def test_there_is_something_to_look_at() -> None:
    assert {path.stem for path in HANDLERS} == HANDLER_NAMES
    assert len(CORE) > 10
    assert len(AWS) > 5


@pytest.mark.parametrize("path", CORE, ids=by_name)
def test_the_core_does_nothing(path: Path) -> None:
    doers = {
        "aws_lambda_powertools", "boto3", "botocore", "concurrent", "logging", "os", "pathlib",
        "socket", "subprocess", "threading", "time", "trip_kpis.aws", "urllib",
    }  # fmt: skip
    assert names_within(path, doers) == set()


@pytest.mark.parametrize("path", CORE, ids=by_name)
def test_the_core_has_no_clock_no_files_and_no_output(path: Path) -> None:
    clocks = ("now", "today", "utcnow", "time", "monotonic", "perf_counter", "sleep")
    for call in calls(ast.parse(path.read_text())):
        assert call.rpartition(".")[2] not in clocks, call
        assert call not in {"open", "print", "input"}, call


@pytest.mark.parametrize("path", [*AWS, *CORE], ids=by_name)
def test_nothing_below_the_handlers_knows_them(path: Path) -> None:
    assert names_within(path, HANDLER_NAMES) == set()


@pytest.mark.parametrize("path", HANDLERS, ids=by_name)
def test_a_handler_knows_no_other_and_no_sdk(path: Path) -> None:
    assert names_within(path, {*HANDLER_NAMES, "boto3", "botocore"}) == set()


@pytest.mark.parametrize("path", ALL, ids=by_name)
def test_what_runs_in_aws_knows_nothing_of_the_operators_machine(path: Path) -> None:
    assert names_within(path, {"ops", "bench", "tests", "moto", "pytest"}) == set()


@pytest.mark.parametrize(
    ("folder", "root"), [(FUNCTIONS, FUNCTIONS), (ROOT / "ops", ROOT), (ROOT / "bench", ROOT)]
)
def test_no_package_imports_itself_by_way_of_others(folder: Path, root: Path) -> None:
    packages = package_graph(folder, root)
    assert any(packages.values())
    assert cycle(packages) == []


def test_a_cycle_of_packages_is_found(tmp_path: Path) -> None:
    for name, text in {
        "top/__init__.py": "",
        "top/a/__init__.py": "",
        "top/a/one.py": "def later():\n    from top.b import two\n",
        "top/b/__init__.py": "",
        "top/b/two.py": "import top.a.one\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
    assert set(cycle(package_graph(tmp_path / "top", tmp_path))) == {"top.a", "top.b"}


CORE_LAYERS = (
    "core",
    "core.items",
    "core.definition",
    "core.reading",
    "core.log",
    "core.run",
    "core.estimate",
    "aws",
)


def test_the_packages_of_the_functions_import_downwards_only() -> None:
    packages = package_graph(FUNCTIONS, FUNCTIONS)
    for height, layer in enumerate(CORE_LAYERS):
        above = {f"trip_kpis.{one}" for one in CORE_LAYERS[height + 1 :]}
        assert not packages[f"trip_kpis.{layer}"] & above, layer


LAYOUT = FUNCTIONS / "trip_kpis" / "core" / "layout.py"
TOPS_OF_KEYS = ("kpis/", "breakdowns/", "staging/", "quarantine/", "runs/", "lease/")


def docstrings(tree: ast.AST) -> set[ast.expr]:
    """Strings that are statements of their own: of modules, classes, functions and attributes."""
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def keys_written_out(path: Path) -> set[str]:
    """The string literals that begin as an S3 key does, but for docstrings."""
    tree = ast.parse(path.read_text())
    written = docstrings(tree)
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in written
        if node.value.startswith(TOPS_OF_KEYS)
    }


def test_keys_are_put_together_in_one_place() -> None:
    assert keys_written_out(LAYOUT)
    packages = (FUNCTIONS, ROOT / "ops", ROOT / "bench")
    for path in (path for package in packages for path in package.rglob("*.py")):
        assert path == LAYOUT or not keys_written_out(path), path


def test_the_environment_is_read_in_one_place() -> None:
    readers = {by_name(path) for path in ALL if names_within(path, {"os", "dotenv"})}
    assert readers == {"trip_kpis/aws/settings.py"}


def test_time_zones_come_from_the_pinned_data_alone() -> None:
    """Also in tests and tools: the machine's own zones may differ from those of the functions."""
    pinned = FUNCTIONS / "trip_kpis" / "core" / "items" / "zones.py"
    of_machine = Path(__file__).parent / "core" / "items" / "test_zones.py"
    packages = (FUNCTIONS, *(ROOT / name for name in ("ops", "bench", "checks", "tests")))
    for path in (path for package in packages for path in package.rglob("*.py")):
        zoned = {call for call in every_call(path) if call.partition(".")[0] == "ZoneInfo"}
        zoned |= {call for call in every_call(path) if call.startswith("zoneinfo.")}
        assert not zoned or path in {pinned, of_machine}, path


def test_clients_are_made_in_one_place_and_on_first_use() -> None:
    makers = {path for path in ALL if any("create_client" in call for call in every_call(path))}
    assert {by_name(path) for path in makers} == {"trip_kpis/aws/clients.py"}
    for path in ALL:
        assert not names_within(path, {"boto3"}), "its transfer manager is slow to import"
        called = set(calls(ast.Module(body=run_at_import(path), type_ignores=[])))
        assert not {call for call in called if "Session" in call or "create_client" in call}, path
        assert not called & {"calls.s3", "calls.dynamodb", "s3", "dynamodb"}, path
        assert not called & {"read_settings", "read_run_defaults", "read_merge_settings"}, path


def run_at_import(path: Path) -> list[ast.stmt]:
    """The module's statements without the bodies of its functions and methods."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [ast.Pass()]
    return tree.body


@pytest.mark.parametrize("path", HANDLERS, ids=by_name)
def test_a_handler_reads_as_one_paragraph(path: Path) -> None:
    functions = [
        node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)
    ]
    assert [function.name for function in functions] == ["handler"]
    body = functions[0].body
    assert ast.get_docstring(functions[0])
    statements = sum(isinstance(node, ast.stmt) for one in body[1:] for node in ast.walk(one))
    assert statements <= 20


@pytest.mark.parametrize("path", ALL, ids=by_name)
def test_a_module_has_one_idea_and_says_which(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


# What is really imported, in a process of its own


def outcome_of(program: str, *, blocked: tuple[str, ...] = ()) -> dict[str, object]:
    """What `program` prints as JSON, where importing what is `blocked` fails."""
    blocker = f"""
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if any(name == one or name.startswith(one + ".") for one in {blocked!r}):
            raise ModuleNotFoundError(name + " is blocked here", name=name)
sys.meta_path.insert(0, Blocker())
sys.path[:0] = [{str(FUNCTIONS)!r}, {str(ROOT)!r}]
"""
    done = subprocess.run(
        [sys.executable, "-c", blocker + program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


HEAVY = ("numpy", "pandas", "pyarrow.dataset", "pyarrow.pandas_compat")

SCAN_A_PAGE = """
import json, scan_segment
from tests.samples import RULES, header, page, trip
from trip_kpis.core.log.parts import decode, encode
from trip_kpis.core.log.part_builder import Position, PartBuilder

builder = PartBuilder(position=Position(), rules=RULES)
items = [trip("a"), trip("b", fare_amount={"S": "7.25"}), trip("c", fare_amount={"S": "free"})]
builder.add(page(items, filtered=1))
body = encode(header(counts=builder.counts), builder.partials.table())
read, table = decode(body, key="k", columns=builder.partials.columns)
assert read.counts == builder.counts
print(json.dumps({"counted": read.counts.counted, "total": str(table["total_fare"][0].as_py())}))
"""


def test_scanning_needs_neither_pandas_nor_numpy() -> None:
    found = outcome_of(SCAN_A_PAGE, blocked=HEAVY)
    assert found == {"counted": 2, "total": "19.750000000000000000"}


def test_scanning_imports_neither_pandas_nor_datasets_even_where_they_are_installed() -> None:
    imported = outcome_of(
        "import json, scan_segment\nprint(json.dumps({name: True for name in sys.modules}))"
    )
    assert not {"pandas", "pyarrow.dataset"} & imported.keys()


def test_planning_imports_neither_arrow_nor_pandas() -> None:
    imported = outcome_of(
        "import json, plan_run\nprint(json.dumps({name: True for name in sys.modules}))",
        blocked=("pyarrow", *HEAVY),
    )
    assert not {"pyarrow", "pandas", "numpy"} & imported.keys()


def test_the_modules_import_without_any_environment() -> None:
    program = """
import json, os
os.environ.clear()
import merge_partials, plan_run, scan_segment
print(json.dumps({"imported": True}))
"""
    assert outcome_of(program) == {"imported": True}


# ops

OPS = ROOT / "ops"
OPS_ROOT = ("atomic_write", "interruption", "object_on_disk")
"""modules that all of ops may use, and that use nothing of it"""
OPS_ARROWS = {
    "cli": {"cli", "report", "stack", "local", "runs"},
    "report": {"report", "runs"},
    "stack": {"stack", "runs"},
    "local": {"local", "embedded", "runs"},
    "embedded": {"embedded"},
    "runs": {"runs"},
}
OPS_LIBRARIES = {
    "click": {"cli"},
    "rich": {"cli"},
    "boto3": {"stack", "embedded"},
    "botocore": {"stack", "local", "embedded"},
    "moto": {"embedded"},
    "samtranslator": {"embedded"},
    "pandas": set(),
}
"""which packages of ops may import them"""


def ops_modules() -> Iterator[tuple[str, Path]]:
    """Every module of a package of ops, with the package."""
    for package in OPS_ARROWS:
        for path in sorted((OPS / package).rglob("*.py")):
            yield package, path


def test_ops_layers() -> None:
    """Each package imports only those that its arrows lead to, and the root modules."""
    for package, path in ops_modules():
        used = {name.split(".")[1] for name in names_within(path, {"ops"}) if "." in name}
        assert used <= OPS_ARROWS[package] | {*OPS_ROOT}, path
    for name in OPS_ROOT:
        assert names_within(OPS / f"{name}.py", {"ops"}) == set()
    for name in ("__init__", "__main__"):
        used = names_within(OPS / f"{name}.py", {"ops"})
        assert all(within(one, "ops.cli") for one in used), name
    there = {path.name for path in OPS.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert there == OPS_ARROWS.keys()


@pytest.mark.parametrize("library", OPS_LIBRARIES)
def test_a_library_is_used_where_it_belongs(library: str) -> None:
    users = {package for package, path in ops_modules() if names_within(path, {library})}
    assert users <= OPS_LIBRARIES[library]
