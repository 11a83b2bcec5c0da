"""What runs on the operator's machine: `ops --help`."""

import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("rich") is None:
    sys.exit(
        f"{sys.executable} does not have the packages that the commands need: `make setup` makes "
        ".venv with all of them, and the command .venv/bin/ops"
    )

# The functions' package is not installed anywhere: it is where SAM packages it from.
sys.path.insert(0, str(Path(__file__).parent.parent / "functions"))
