"""What runs on the operator's machine: `python -m ops --help`."""

import sys
from importlib.util import find_spec

if find_spec("rich") is None:
    sys.exit(
        f"{sys.executable} has not what the commands need: `make setup` makes .venv with all of "
        "it, then it is .venv/bin/python -m ops"
    )
