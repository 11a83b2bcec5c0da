"""Compile a built function's modules, so that a cold start does not.

    precompile.py ARTIFACT --name FUNCTION --python-version 3.13

A .pyc serves only the Python version that wrote it. Without an interpreter of the runtime's version
on this machine nothing is compiled, and the screen says so: the function runs just the same, and
starts slower. The files are marked unchecked-hash, because /var/task never changes, and unpacking
does not keep the times that Python would compare.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

VERSION_OF = "import sys; print('%d.%d' % sys.version_info[:2])"


def interpreter_of(version: str) -> str | None:
    """Finds a command on this machine that runs Python `version`; None if there is none.

    Each is asked for its version: a pyenv shim is there whether or not it can run.
    """
    for command in (sys.executable, f"python{version}", "python3", "python"):
        try:
            answer = subprocess.run(
                [command, "-c", VERSION_OF], capture_output=True, text=True, check=False
            )
        except OSError:
            continue
        if answer.returncode == 0 and answer.stdout.strip() == version:
            return command
    return None


def precompile(artifact: Path, name: str, version: str) -> int:
    """Write the .pyc files, and return the exit status."""
    interpreter = interpreter_of(version)
    if interpreter is None:
        print(f"{name}: not precompiled, there is no python{version} here (cold starts are slower)")
        return 0
    # With -s and -p tracebacks name the files as they are in Lambda, not as they were here.
    compileall = [interpreter, "-m", "compileall", "-q", "-f"]
    compileall += ["--invalidation-mode", "unchecked-hash"]
    compileall += ["-s", str(artifact), "-p", "/var/task", str(artifact)]
    done = subprocess.run(
        compileall,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        print(f"{name}: a module does not compile:\n{done.stdout}{done.stderr}", file=sys.stderr)
    return done.returncode


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compile a built function's modules.")
    parser.add_argument("artifact", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--python-version", required=True)
    asked = parser.parse_args()
    sys.exit(precompile(asked.artifact, asked.name, asked.python_version))
