"""`sam validate` and `sam build`, for both architectures, without Docker."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

pytestmark = [pytest.mark.sam_build, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]

Sam = Callable[..., subprocess.CompletedProcess[str]]

ELF_MACHINES = {"x86_64": 62, "arm64": 183}
FUNCTIONS = {
    "PlanRunFunction": "plan_run.py",
    "ScanSegmentFunction": "scan_segment.py",
    "MergePartialsFunction": "merge_partials.py",
}
LIMIT_BYTES = 262_144_000


def overrides(architecture: str, runtime: str = "python3.13") -> list[str]:
    return [
        "--parameter-overrides",
        f"Architecture={architecture}",
        f"PythonRuntime={runtime}",
    ]


def machines(artifact: Path) -> set[int]:
    """The processors that the native libraries in a built function are for."""
    headers = [path.read_bytes()[:20] for path in artifact.rglob("*.so*") if path.is_file()]
    return {int.from_bytes(header[18:20], "little") for header in headers}


def tops(artifact: Path) -> set[str]:
    return {path.name for path in artifact.iterdir()}


def test_the_template_is_valid_and_lints_clean(sam: Sam) -> None:
    done = sam("validate", "--lint")
    assert done.returncode == 0, done.stderr
    assert "is a valid SAM Template" in done.stdout + done.stderr


@pytest.mark.parametrize("architecture", ELF_MACHINES)
def test_all_functions_are_built_for_the_architecture_that_is_asked_for(
    sam: Sam, tmp_path: Path, architecture: str
) -> None:
    build = tmp_path / "build"
    done = sam("build", "--build-dir", build, *overrides(architecture))
    assert done.returncode == 0, done.stderr
    sizes = re.findall(
        rf"^(\w+): ([\d,]+) of {LIMIT_BYTES:,} bytes unzipped, {architecture}, Python 3\.13$",
        done.stderr,
        re.MULTILINE,
    )
    assert {name for name, _ in sizes} == FUNCTIONS.keys()
    for name, handler in FUNCTIONS.items():
        built = build / name
        size = sum(path.stat().st_size for path in built.rglob("*") if path.is_file())
        assert (name, f"{size:,}") in sizes
        assert {handler, "trip_kpis", "aws_lambda_powertools", "botocore"} <= tops(built)
        assert json.loads((built / "trip_kpis" / "package_stamp.json").read_text()) == {
            "architecture": architecture,
            "python_version": "3.13",
        }
        assert machines(built) == {ELF_MACHINES[architecture]}
        assert not tops(built) & {"packaging", "Makefile", "boto3", "bin"}
        assert not tops(built) & set(FUNCTIONS.values()) - {handler}
        assert (built / "trip_kpis" / "__init__.py").read_bytes() == (
            ROOT / "functions" / "trip_kpis" / "__init__.py"
        ).read_bytes()
    assert not tops(build / "ScanSegmentFunction") & {"pandas", "numpy"}
    assert {"pandas", "numpy", "pyarrow"} <= tops(build / "MergePartialsFunction")


def test_one_function_alone_is_built_for_what_is_asked_even_after_another_target(
    sam: Sam, tmp_path: Path
) -> None:
    build = tmp_path / "build"
    for architecture, runtime in (("arm64", "python3.13"), ("x86_64", "python3.12")):
        done = sam(
            "build", "ScanSegmentFunction", "--build-dir", build, *overrides(architecture, runtime)
        )
        assert done.returncode == 0, done.stderr
        version = runtime.removeprefix("python")
        assert f"unzipped, {architecture}, Python {version}\n" in done.stderr
        assert machines(build / "ScanSegmentFunction") == {ELF_MACHINES[architecture]}
        tags = {
            tag
            for path in (build / "ScanSegmentFunction").rglob("*.so")
            for tag in re.findall(r"cpython-(\d+)", path.name)
        }
        assert tags == {version.replace(".", "")}


def test_the_local_environment_builds_what_sam_local_then_runs(sam: Sam, tmp_path: Path) -> None:
    build = tmp_path / "build"
    done = sam("build", "PlanRunFunction", "--config-env", "local", "--build-dir", build)
    assert done.returncode == 0, done.stderr
    assert "PlanRunFunction: " in done.stderr
    assert "unzipped, x86_64, Python 3.13" in done.stderr


def test_a_build_that_is_deployed_for_another_processor_fails_with_what_to_do(
    sam: Sam, tmp_path: Path
) -> None:
    """As after another answer in `sam deploy --guided`."""
    config = tmp_path / "samconfig.toml"
    answers = 'parameter_overrides = "TableName=\\"trips\\" Architecture=\\"x86_64\\""'
    config.write_text(
        (ROOT / "samconfig.toml")
        .read_text()
        .replace("\n[default.deploy.parameters]\n", f"\n[default.deploy.parameters]\n{answers}\n")
    )
    build = tmp_path / ".aws-sam" / "build"
    asked = ("build", "PlanRunFunction", "--build-dir", build, "--config-file", config)
    done = sam(*asked)
    assert done.returncode != 0
    assert "This build has Architecture=arm64, but sam deploy would set Architecture=x86_64" in (
        done.stderr
    )
    config.write_text(
        config.read_text().replace('["Architecture=arm64", ', '["Architecture=x86_64", ')
    )
    done = sam(*asked)
    assert done.returncode == 0, done.stderr
    assert machines(build / "PlanRunFunction") == {ELF_MACHINES["x86_64"]}


def test_a_function_over_the_limit_fails_the_build_with_what_to_do(
    sam: Sam, tmp_path: Path
) -> None:
    done = sam(
        "build",
        "PlanRunFunction",
        "--build-dir",
        tmp_path / "build",
        *overrides("arm64"),
        LIMIT_BYTES="1000000",
    )
    assert done.returncode != 0
    assert "Build Failed" in done.stdout + done.stderr
    assert "over Lambda's limit of 1,000,000" in done.stderr
    assert "aws_lambda_powertools" in done.stderr


def test_the_built_template_still_names_the_definition_and_its_substitutions(
    sam: Sam, tmp_path: Path
) -> None:
    build = tmp_path / "build"
    assert (
        sam("build", "PlanRunFunction", "--build-dir", build, *overrides("arm64")).returncode == 0
    )
    template = yaml_parse((build / "template.yaml").read_text())
    machine = template["Resources"]["TripKpisStateMachine"]["Properties"]
    definition = (build / machine["DefinitionUri"]).read_text()
    assert json.loads(definition)["StartAt"] == "PlanRun"
    assert all(f"${{{name}}}" in definition for name in machine["DefinitionSubstitutions"])
