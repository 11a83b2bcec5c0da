"""Finds how this command was called, for the commands that messages suggest."""

import shutil
import sys
from pathlib import Path


def this_command() -> tuple[str, ...]:
    """Returns the words that call it from the current directory: `ops` if the shell finds it under
    that name, else the path of the script, or of the interpreter with `-m ops`."""
    script = Path(sys.argv[0])
    if script.name == "ops":
        found = shutil.which("ops")
        return ("ops",) if found and Path(found).samefile(script) else (_path(script),)
    executable = Path(sys.executable)
    name = "python" if shutil.which("python") == str(executable) else _path(executable)
    return (name, "-m", "ops")


def _path(file: Path) -> str:
    """Returns the path relative to the current directory, if it is in it."""
    absolute, here = Path.cwd() / file, Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)
