"""Remove from a built function what no Lambda function runs.

    trim.py ARTIFACT

Tests, C headers and sources, type stubs, command-line scripts; of Arrow its network protocol
(Flight), its datasets, which grouping rows would load for nothing, and its file systems in clouds,
which reading Parquet would. What stays, stays importable:
`libarrow_substrait` looks as idle as Flight, but other parts of pyarrow link to it.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

DIRECTORIES = (
    "bin",
    "numpy/f2py",
    "numpy/**/tests",
    "pandas/tests",
    "pyarrow/include",
    "pyarrow/src",
    "pyarrow/tests",
)
FILES = (
    "**/*.pyi",
    "**/*.pyx",
    "**/*.pxd",
    "**/*.pxi",
    "**/*.a",
    "**/*.h",
    "**/*.hpp",
    "pyarrow/dataset.py",
    "pyarrow/_dataset*",
    "pyarrow/flight.py",
    "pyarrow/_flight*",
    "pyarrow/libarrow_flight*",
    "pyarrow/_azurefs*",
    "pyarrow/_gcsfs*",
    "pyarrow/_hdfs*",
    "pyarrow/_s3fs*",
    "pyarrow/libarrow_python_flight*",
)


def trim(artifact: Path) -> None:
    """Delete everything under `artifact` that the patterns above name."""
    for pattern in DIRECTORIES:
        for directory in [path for path in artifact.glob(pattern) if path.is_dir()]:
            shutil.rmtree(directory, ignore_errors=False)
    for pattern in FILES:
        for file in [path for path in artifact.glob(pattern) if path.is_file()]:
            file.unlink()


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
