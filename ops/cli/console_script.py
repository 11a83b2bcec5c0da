"""Writes the command `ops` into the environment of this interpreter: `make setup` calls it.

The script finds the project by its path, so that nothing has to be built or installed.
"""

import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def write_script(directory: Path) -> Path:
    """Writes the script `ops` to the directory; any shell can run it from anywhere."""
    script = directory / "ops"
    # As pip does: /bin/sh reads the second line as a command, Python as a string. A path with
    # blanks, or a long one, is none that "#!" can call.
    python = shlex.quote(sys.executable)
    script.write_text(
        f"#!/bin/sh\n'''exec' {python} \"$0\" \"$@\"\n' '''\n"
        f"import sys\n\nsys.path.insert(0, {str(ROOT)!r})\n\n"
        "from ops.cli.main import run_to_the_end\n\nrun_to_the_end()\n"
    )
    script.chmod(0o755)
    return script


if __name__ == "__main__":
    write_script(Path(sys.executable).parent)
