"""Write into a built function what it is built for, for `trip_kpis.package_stamp` to compare.

stamp.py ARTIFACT --architecture arm64 --python-version 3.13
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write what a function is built for.")
    parser.add_argument("artifact", type=Path)
    parser.add_argument("--architecture", required=True)
    parser.add_argument("--python-version", required=True)
    asked = parser.parse_args()
    stamp = {"architecture": asked.architecture, "python_version": asked.python_version}
    (asked.artifact / "trip_kpis" / "package_stamp.json").write_text(json.dumps(stamp) + "\n")
