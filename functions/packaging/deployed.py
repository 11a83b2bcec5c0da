"""Refuse a build that `sam deploy` would deploy for another processor or another Python.

    deployed.py ARTIFACT --architecture arm64 --python-version 3.13

`sam deploy --guided` writes every parameter into its own section of samconfig.toml, which
`sam build` does not read. So a value that is chosen there reaches the stack, and not the packages.
Exits with 1 and a message on stderr if samconfig.toml has an environment that builds what is being
built now and deploys something else.

SAM builds in a copy of the sources, so the file is looked for in the directories above the
artifact, which is .aws-sam/build/<function> unless `--build-dir` says otherwise. Where there is
none, there is nothing to compare.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10 and before; pip, which builds the functions, has it
    from pip._vendor import tomli as tomllib  # type: ignore[no-redef]

DEFAULTS = {"Architecture": "arm64", "PythonRuntime": "python3.13"}
"""of the template"""


def parameters(environment: dict[str, Any], command: str) -> dict[str, str]:
    """Returns the template's parameters for `command` in an environment of samconfig.toml.

    A command's own `parameter_overrides` replace those of `global` as a whole.
    https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html
    """
    for section in (command, "global"):
        overrides = environment.get(section, {}).get("parameters", {}).get("parameter_overrides")
        if overrides is not None:
            break
    text = " ".join(map(str, overrides)) if isinstance(overrides, list) else str(overrides or "")
    text = text.replace("ParameterKey=", "").replace(",ParameterValue=", "=")
    given = dict(re.findall(r"(\w+)=[\"']?([\w.]+)", text))
    return {name: given.get(name, default) for name, default in DEFAULTS.items()}


def faults(config: dict[str, Any], building: dict[str, str]) -> list[str]:
    """Describes each environment that builds what is being built, and deploys something else."""
    found = []
    for name, environment in config.items():
        if not isinstance(environment, dict) or parameters(environment, "build") != building:
            continue
        deployed = parameters(environment, "deploy")
        found += [
            f"This build has {parameter}={value}, but sam deploy would set "
            f"{parameter}={deployed[parameter]} ([{name}.deploy.parameters] in samconfig.toml, "
            "which sam deploy --guided writes): the function could not run. Write "
            f"{parameter}={deployed[parameter]} into parameter_overrides of "
            f"[{name}.global.parameters] too, then build again."
            for parameter, value in building.items()
            if deployed[parameter] != value
        ]
    return found


def samconfig_above(artifact: Path) -> Path | None:
    """Finds the samconfig.toml of the project that the artifact is built in."""
    candidates = (directory / "samconfig.toml" for directory in artifact.resolve().parents)
    return next((file for file in candidates if file.is_file()), None)


def main() -> int:
    parser = argparse.ArgumentParser(description="Refuse a build that is deployed as another.")
    parser.add_argument("artifact", type=Path)
    parser.add_argument("--architecture", required=True)
    parser.add_argument("--python-version", required=True)
    asked = parser.parse_args()
    samconfig = samconfig_above(asked.artifact)
    if samconfig is None:
        return 0
    found = faults(
        tomllib.loads(samconfig.read_text(encoding="utf-8")),
        {"Architecture": asked.architecture, "PythonRuntime": f"python{asked.python_version}"},
    )
    if found:
        print(*found, sep="\n", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
