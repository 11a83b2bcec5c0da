"""The `sam` command, where there is one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ACCESS_KEY = "TheKeyOfTheTests0"
"""of the embedded AWS; `sam local` hands it to the containers"""

Sam = Callable[..., subprocess.CompletedProcess[str]]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "sam_build: builds the functions with `sam build`; over a minute, needs sam"
    )


@pytest.fixture(scope="session")
def sam_command() -> str:
    """The path of `sam`, from PATH or beside the Python that runs the tests; else skips."""
    places = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
    found = shutil.which("sam", path=places)
    if found is None:
        pytest.skip("needs the AWS SAM CLI: pip install aws-sam-cli (in an environment of its own)")
    return found


@pytest.fixture(scope="session")
def sam_environment() -> dict[str, str]:
    """This process's environment, with a region and the credentials of the embedded AWS."""
    return {
        **os.environ,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": "test",
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_CHECK_FOR_UPDATES": "0",
    }


@pytest.fixture(scope="session")
def sam(sam_command: str, sam_environment: dict[str, str]) -> Sam:
    """Runs `sam` at the project's root, with its samconfig.toml."""

    def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sam_command, *map(str, arguments)],
            cwd=ROOT,
            env={**sam_environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run
