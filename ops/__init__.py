"""What runs on the operator's machine: `python -m ops --help`."""

import sys
from pathlib import Path

# The functions' package is not installed anywhere: it lies where SAM packages it from.
sys.path.insert(0, str(Path(__file__).parent.parent / "functions"))
