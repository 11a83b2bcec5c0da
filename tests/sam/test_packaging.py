"""What `sam build` puts in a function, and what it refuses; on made-up trees, without sam."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "functions"
PACKAGING = FUNCTIONS / "packaging"
STEMS = ("plan_run", "scan_segment", "merge_partials")
LIMIT_BYTES = 262_144_000

# trip_kpis.core.items.zones reads its files by the package's name, so no module imports it.
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
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
        "botocore/data/dynamodb/2011-12-05/endpoint-rule-set-1.json.gz",
        "botocore/data/dynamodb/2012-08-10/examples-1.json",
    ]
    needed = [
        "botocore/data/_retry.json",
        "botocore/data/endpoints.json",
        "botocore/data/partitions.json",
        "botocore/data/sdk-default-configuration.json",
        "botocore/data/dynamodb/2012-08-10/service-2.json.gz",
        "botocore/data/lambda/2015-03-31/service-2.json.gz",
        "botocore/data/s3/2006-03-01/paginators-1.json",
        "botocore/data/sts/2011-06-15/endpoint-rule-set-1.json.gz",
        "botocore/docs/docstring.py",
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


# -- what a package is built for ------------------------------------------------------------------


def samconfig_of(directory: Path, deploy: str, build: str = "") -> Path:
    """A project's samconfig.toml; the path of an artifact in its build directory."""
    (directory / "samconfig.toml").write_text(
        f"""version = 0.1
[default.global.parameters]
parameter_overrides = ["Architecture=arm64", "PythonRuntime=python3.13"]
[default.build.parameters]
{build}
[default.deploy.parameters]
{deploy}
[local.global.parameters]
parameter_overrides = ["Architecture=x86_64"]
"""
    )
    return directory / ".aws-sam" / "build" / "PlanRunFunction"


def as_deployed(
    artifact: Path, architecture: str = "arm64", python_version: str = "3.13"
) -> subprocess.CompletedProcess[str]:
    asked = ["--architecture", architecture, "--python-version", python_version]
    return run("deployed.py", artifact, *asked)


def guided(**parameters: str) -> str:
    """As `sam deploy --guided` writes its answers."""
    answers = " ".join(f'{name}=\\"{value}\\"' for name, value in parameters.items())
    return f'parameter_overrides = "{answers}"'


@pytest.mark.parametrize(
    "deploy",
    [
        "",
        guided(TableName="trips", Architecture="arm64", PythonRuntime="python3.13"),
        guided(TableName="trips"),
        'parameter_overrides = "ParameterKey=Architecture,ParameterValue=arm64"',
    ],
)
def test_a_build_of_what_is_deployed_passes(tmp_path: Path, deploy: str) -> None:
    done = as_deployed(samconfig_of(tmp_path, deploy))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("deploy", "parameter", "value"),
    [
        (guided(TableName="trips", Architecture="x86_64"), "Architecture", "x86_64"),
        (guided(Architecture="arm64", PythonRuntime="python3.12"), "PythonRuntime", "python3.12"),
        ('parameter_overrides = ["Architecture=x86_64"]', "Architecture", "x86_64"),
        (
            'parameter_overrides = "ParameterKey=Architecture,ParameterValue=x86_64"',
            "Architecture",
            "x86_64",
        ),
    ],
)
def test_what_is_chosen_for_deploying_alone_fails_the_next_build(
    tmp_path: Path, deploy: str, parameter: str, value: str
) -> None:
    done = as_deployed(samconfig_of(tmp_path, deploy))
    assert done.returncode == 1
    assert f"sam deploy would set {parameter}={value}" in done.stderr
    assert f"Write {parameter}={value} into parameter_overrides of [default.global" in done.stderr


def test_the_builds_own_section_comes_before_the_global_one(tmp_path: Path) -> None:
    x86_64 = 'parameter_overrides = ["Architecture=x86_64"]'
    artifact = samconfig_of(tmp_path, "", build=x86_64)
    assert as_deployed(artifact).returncode == 0
    assert "would set Architecture=arm64" in as_deployed(artifact, "x86_64").stderr
    both = samconfig_of(tmp_path, x86_64, build=x86_64)
    assert as_deployed(both, "x86_64").returncode == 0


def test_another_environments_build_is_not_compared_with_what_this_one_deploys(
    tmp_path: Path,
) -> None:
    artifact = samconfig_of(tmp_path, guided(Architecture="arm64"))
    assert as_deployed(artifact, "x86_64").returncode == 0


def test_without_a_samconfig_there_is_nothing_to_compare(tmp_path: Path) -> None:
    assert as_deployed(tmp_path / "PlanRunFunction", "x86_64").returncode == 0


def test_a_value_that_samconfig_does_not_name_is_the_templates(tmp_path: Path) -> None:
    parameters = yaml_parse((ROOT / "template.yaml").read_text())["Parameters"]
    defaults = {name: parameters[name]["Default"] for name in ("Architecture", "PythonRuntime")}
    assert f"DEFAULTS = {json.dumps(defaults)}" in (PACKAGING / "deployed.py").read_text()


def test_the_projects_own_samconfig_has_both_in_one_place() -> None:
    text = (ROOT / "samconfig.toml").read_text()
    assert re.findall(r'"?(?:Architecture|PythonRuntime)=[\w.]+', text) == [
        '"Architecture=arm64',
        '"PythonRuntime=python3.13',
        '"Architecture=x86_64',  # of the environment `local`, for `sam local`
    ]


def test_a_package_is_stamped_with_what_it_is_built_for(tmp_path: Path) -> None:
    (tmp_path / "trip_kpis").mkdir()
    asked = ["--architecture", "arm64", "--python-version", "3.13"]
    assert run("stamp.py", tmp_path, *asked).returncode == 0
    assert json.loads((tmp_path / "trip_kpis" / "package_stamp.json").read_text()) == {
        "architecture": "arm64",
        "python_version": "3.13",
    }


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
    """But for those that only a type checker imports."""
    tree = ast.parse(file.read_text())
    of_checkers = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for one in block.body
        for node in ast.walk(one)
    }
    for node in ast.walk(tree):
        if node in of_checkers:
            continue
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


def pins(lock: Path) -> dict[str, set[str]]:
    """The versions of each package in a lock file: several where they have conditions."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def function_pins(stem: str) -> dict[str, str]:
    locked = pins(PACKAGING / "requirements" / f"{stem}.txt")
    return {name: version for name, (version,) in locked.items()}


@pytest.mark.parametrize("stem", STEMS)
def test_a_functions_requirements_are_what_it_imports(stem: str) -> None:
    assert packages_behind(stem) == named_requirements(stem) - ONLY_DATA


@pytest.mark.parametrize("stem", STEMS)
def test_a_function_has_the_versions_that_the_tests_run_with(stem: str) -> None:
    tested = pins(ROOT / "requirements" / "dev.txt")
    for name, version in function_pins(stem).items():
        assert version in tested[name], name


@pytest.mark.parametrize("stem", STEMS)
def test_what_one_package_of_a_function_needs_of_another_is_pinned(stem: str) -> None:
    """botocore among them: the runtime's own would come with other versions of its dependencies."""
    pinned = function_pins(stem)
    assert "botocore" in pinned
    for name, version in pinned.items():
        installed = distribution(name)
        if installed.version != version:
            continue  # one with conditions: another one is installed for this Python
        for text in installed.requires or ():
            needed = Requirement(text)
            if needed.marker and not needed.marker.evaluate({"extra": ""}):
                continue
            assert needed.name.lower() in pinned, f"{name} needs {text}"
            assert needed.specifier.contains(pinned[needed.name.lower()]), f"{name} needs {text}"


@pytest.mark.parametrize("stem", STEMS)
def test_the_lock_pins_everything_by_hash_and_names_no_place(stem: str) -> None:
    text = (PACKAGING / "requirements" / f"{stem}.txt").read_text()
    pins = re.findall(
        r"^([a-z0-9-]+)==\S+ \\\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)+)", text, re.M
    )
    lines = [line for line in text.splitlines() if not line.startswith("    --hash=")]
    assert len(lines) == len(pins)
    assert named_requirements(stem) <= {name.replace("-", "_") for name, _ in pins}
    assert "://" not in text
    assert "file:" not in text


def test_the_scanning_function_carries_neither_pandas_nor_numpy() -> None:
    text = (PACKAGING / "requirements" / "scan_segment.txt").read_text()
    assert re.findall(r"^(pandas|numpy|boto3|s3transfer)==", text, re.M) == []
