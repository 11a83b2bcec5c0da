"""What `sam build` puts in a function, and what it refuses; on made-up trees, without sam."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "functions"
PACKAGING = FUNCTIONS / "packaging"
STEMS = ("plan_run", "scan_segment", "merge_partials")
LIMIT_BYTES = 262_144_000

# The Lambda runtime brings these.
OF_THE_RUNTIME = {"boto3", "botocore"}
# trip_kpis.core.zones reads its files by the package's name, so no module imports it.
ONLY_DATA = {"tzdata"}


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PACKAGING / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def gate(artifact: Path, architecture: str = "arm64") -> subprocess.CompletedProcess[str]:
    asked = ["--architecture", architecture, "--python-version", "3.13"]
    return run("gate.py", artifact, "--name", "TheFunction", *asked, "--limit-bytes", LIMIT_BYTES)


def file_of(path: Path, size: int) -> None:
    """A file that says it has so many bytes, and takes up none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as opened:
        opened.truncate(size)


def library(path: Path, machine: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x7fELF" + bytes(14) + machine.to_bytes(2, "little") + bytes(44))


# -- the gate -------------------------------------------------------------------------------------


def test_a_function_of_just_the_limit_passes(tmp_path: Path) -> None:
    file_of(tmp_path / "pandas" / "big.bin", LIMIT_BYTES)
    done = gate(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "TheFunction: 262,144,000 of 262,144,000 bytes unzipped" in done.stdout


def test_a_byte_more_is_refused_with_the_biggest_directories_and_what_to_do(
    tmp_path: Path,
) -> None:
    file_of(tmp_path / "pandas" / "core" / "big.bin", 62_144_000)
    file_of(tmp_path / "pyarrow" / "libarrow.bin", 200_000_000)
    file_of(tmp_path / "handler.py", 1)
    done = gate(tmp_path)
    assert done.returncode == 1
    assert "TheFunction is 262,144,001 bytes unzipped" in done.stderr
    assert "1 over Lambda's limit of 262,144,000" in done.stderr
    biggest = re.findall(r"^ +([\d,]+)  (\S+)$", done.stderr, re.MULTILINE)
    assert biggest == [
        ("200,000,000", "pyarrow"),
        ("62,144,000", "pandas"),
        ("1", "handler.py"),
    ]
    assert "functions/packaging/requirements/" in done.stderr


@pytest.mark.parametrize(
    ("architecture", "machine", "status"),
    [("arm64", 183, 0), ("arm64", 62, 1), ("x86_64", 62, 0), ("x86_64", 183, 1)],
)
def test_a_library_for_another_processor_is_refused(
    tmp_path: Path, architecture: str, machine: int, status: int
) -> None:
    library(tmp_path / "pyarrow" / "libarrow.so.2600", machine)
    done = gate(tmp_path, architecture)
    assert done.returncode == status
    assert (f"libarrow.so.2600 is not for {architecture}" in done.stderr) == bool(status)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("lib.cpython-313-aarch64-linux-gnu.so", 0),
        ("lib.abi3.so", 0),
        ("lib.cpython-312-aarch64-linux-gnu.so", 1),
    ],
)
def test_a_library_for_another_python_is_refused(tmp_path: Path, name: str, status: int) -> None:
    library(tmp_path / "pyarrow" / name, 183)
    done = gate(tmp_path)
    assert done.returncode == status
    assert ("is for Python 3.12, not 3.13" in done.stderr) == bool(status)


# -- trimming and compiling -----------------------------------------------------------------------


def test_trimming_takes_what_no_function_runs_and_leaves_the_rest(tmp_path: Path) -> None:
    idle = [
        "bin/f2py",
        "numpy/f2py/crackfortran.py",
        "numpy/_core/tests/test_dtype.py",
        "pandas/tests/frame/test_api.py",
        "pandas/_libs/lib.pyi",
        "pyarrow/include/arrow/api.h",
        "pyarrow/src/arrow/python/api.h",
        "pyarrow/tests/test_table.py",
        "pyarrow/libarrow_flight.so.2600",
        "pyarrow/_flight.cpython-313-aarch64-linux-gnu.so",
        "pyarrow/flight.py",
        "pyarrow/dataset.py",
        "pyarrow/_dataset.cpython-313-aarch64-linux-gnu.so",
        "pyarrow/_s3fs.cpython-313-aarch64-linux-gnu.so",
    ]
    needed = [
        "numpy/testing/__init__.py",
        "pandas/testing.py",
        "pyarrow/libarrow.so.2600",
        "pyarrow/libarrow_substrait.so.2600",
        "pyarrow-26.0.1.dist-info/METADATA",
    ]
    for name in idle + needed:
        file_of(tmp_path / name, 1)
    assert run("trim.py", tmp_path).returncode == 0
    left = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert left == set(needed)


def test_modules_are_compiled_for_var_task_and_never_checked_again(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("x = 1\n")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    done = run("precompile.py", tmp_path, "--name", "F", "--python-version", version)
    assert (done.returncode, done.stdout) == (0, "")
    (compiled,) = tmp_path.rglob("*.pyc")
    content = compiled.read_bytes()
    # PEP 552: hash-based, and not to be checked against the source.
    assert int.from_bytes(content[4:8], "little") == 0b01
    assert b"/var/task/module.py" in content
    assert str(tmp_path).encode() not in content


def test_nothing_is_compiled_by_another_python_and_the_screen_says_so(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("x = 1\n")
    done = run("precompile.py", tmp_path, "--name", "F", "--python-version", "3.99")
    assert done.returncode == 0
    assert "F: not precompiled, there is no python3.99 here" in done.stdout
    assert list(tmp_path.rglob("*.pyc")) == []


def test_a_module_that_does_not_compile_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("x = = 1\n")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    done = run("precompile.py", tmp_path, "--name", "F", "--python-version", version)
    assert done.returncode == 1
    assert "module.py" in done.stderr


# -- the requirements -----------------------------------------------------------------------------


def named_requirements(stem: str) -> set[str]:
    """The packages that a function's requirements name, or the file does that they include."""
    names: set[str] = set()
    for line in (PACKAGING / "requirements" / f"{stem}.in").read_text().splitlines():
        if line.startswith("-r "):
            names |= named_requirements(line.removeprefix("-r ").removesuffix(".in"))
        elif line and not line.startswith("#"):
            names.add(line.replace("-", "_"))
    return names


def imported_modules(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def packages_behind(stem: str) -> set[str]:
    """The top-level packages that a handler imports, itself or by the modules that it imports."""
    open_ends, seen, packages = [FUNCTIONS / f"{stem}.py"], set[Path](), set[str]()
    while open_ends:
        file = open_ends.pop()
        if file in seen:
            continue
        seen.add(file)
        for module in imported_modules(file):
            top, _, _ = module.partition(".")
            if top == "trip_kpis":
                path = FUNCTIONS.joinpath(*module.split("."))
                ours = [path.with_suffix(".py"), path / "__init__.py"]
                open_ends += [one for one in ours if one.is_file()]
            elif top not in sys.stdlib_module_names:
                packages.add(top)
    return packages


@pytest.mark.parametrize("stem", STEMS)
def test_a_functions_requirements_are_what_it_imports(stem: str) -> None:
    assert packages_behind(stem) - OF_THE_RUNTIME == named_requirements(stem) - ONLY_DATA


@pytest.mark.parametrize("stem", STEMS)
def test_the_lock_pins_everything_by_hash_and_names_no_place(stem: str) -> None:
    text = (PACKAGING / "requirements" / f"{stem}.txt").read_text()
    pins = re.findall(
        r"^([a-z0-9-]+)==[0-9.]+ \\\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)+)", text, re.M
    )
    lines = [line for line in text.splitlines() if not line.startswith("    --hash=")]
    assert len(lines) == len(pins)
    assert named_requirements(stem) <= {name.replace("-", "_") for name, _ in pins}
    assert "://" not in text
    assert "file:" not in text


def test_the_scanning_function_carries_neither_pandas_nor_numpy() -> None:
    text = (PACKAGING / "requirements" / "scan_segment.txt").read_text()
    assert re.findall(r"^(pandas|numpy|boto3|botocore)==", text, re.M) == []
