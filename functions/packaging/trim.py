"""Remove from a built function what no Lambda function runs.

    trim.py ARTIFACT

Tests, C headers and sources, type stubs, command-line scripts; of Arrow its network protocol
(Flight), its datasets, which grouping rows would load for nothing, and its file systems in clouds,
which reading Parquet would; of botocore the descriptions of services that no function calls.
What stays, stays importable: `libarrow_substrait` looks as idle as Flight, but other parts of
pyarrow link to it.
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
    "botocore/data/*/*/examples-1.json",
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
SERVICES = ("dynamodb", "lambda", "s3", "sts")
"""The services that the functions call (sts if a profile assumes a role, outside of Lambda). The
newest version of each is kept, and so are the files that serve all of them: regions, partitions,
defaults, retries."""


def trim(artifact: Path) -> None:
    """Deletes everything under `artifact` that the patterns above match."""
    for pattern in DIRECTORIES:
        for directory in [path for path in artifact.glob(pattern) if path.is_dir()]:
            shutil.rmtree(directory)
    for pattern in FILES:
        for file in [path for path in artifact.glob(pattern) if path.is_file()]:
            file.unlink()
    for service in [path for path in artifact.glob("botocore/data/*") if path.is_dir()]:
        versions = sorted(path for path in service.iterdir() if path.is_dir())
        for unused in versions[:-1] if service.name in SERVICES else [service]:
            shutil.rmtree(unused)


if __name__ == "__main__":
    trim(Path(sys.argv[1]))
