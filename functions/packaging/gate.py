"""Refuse a built function that Lambda would refuse, or that could not run there.

    gate.py ARTIFACT --name FUNCTION --architecture arm64 --python-version 3.13 --limit-bytes N

Lambda takes at most 262,144,000 bytes unzipped, and `sam build` does not look. Prints the size, and
exits with 1 and a message on stderr if it is over, or if a native library is for another processor
or another Python than was asked for.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from pathlib import Path

# e_machine of an ELF header, by the name that Lambda gives the architecture.
ELF_MACHINES = {"x86_64": 62, "arm64": 183}
CPYTHON_TAG = re.compile(r"\.cpython-(\d)(\d+)-")


def files_in(artifact: Path) -> list[Path]:
    return sorted(path for path in artifact.rglob("*") if path.is_file())


def biggest_directories(artifact: Path, count: int = 8) -> list[tuple[str, int]]:
    """Returns the top-level names with the most bytes under them, the largest first."""
    sizes: Counter[str] = Counter()
    for file in files_in(artifact):
        sizes[file.relative_to(artifact).parts[0]] += file.stat().st_size
    return sizes.most_common(count)


def size_fault(artifact: Path, name: str, limit_bytes: int) -> str | None:
    """Returns what is wrong with the size and what to do; None if nothing is wrong."""
    size = sum(file.stat().st_size for file in files_in(artifact))
    if size <= limit_bytes:
        return None
    return "\n".join(
        [
            f"{name} is {size:,} bytes unzipped.",
            f"That is {size - limit_bytes:,} over Lambda's limit of {limit_bytes:,}.",
            "The biggest in it:",
            *(f"  {held:>13,}  {top}" for top, held in biggest_directories(artifact)),
            "Take a requirement out of functions/packaging/requirements/ (then `make lock`),",
            "or have functions/packaging/trim.py remove more of one.",
        ]
    )


def library_faults(artifact: Path, architecture: str, python_version: str) -> list[str]:
    """Lists the native libraries that this platform cannot load, each with the reason."""
    faults = []
    for file in files_in(artifact):
        if ".so" not in file.suffixes:
            continue
        with file.open("rb") as opened:
            header = opened.read(20)
        where = file.relative_to(artifact)
        machine = int.from_bytes(header[18:20], "little")
        if header[:4] != b"\x7fELF" or machine != ELF_MACHINES[architecture]:
            faults.append(f"  {where} is not for {architecture} (ELF machine {machine})")
        tag = CPYTHON_TAG.search(file.name)
        if tag and ".".join(tag.groups()) != python_version:
            faults.append(f"  {where} is for Python {'.'.join(tag.groups())}, not {python_version}")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description="Refuse what Lambda would refuse.")
    parser.add_argument("artifact", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--architecture", required=True, choices=sorted(ELF_MACHINES))
    parser.add_argument("--python-version", required=True)
    parser.add_argument("--limit-bytes", required=True, type=int)
    asked = parser.parse_args()

    size = sum(file.stat().st_size for file in files_in(asked.artifact))
    print(
        f"{asked.name}: {size:,} of {asked.limit_bytes:,} bytes unzipped,"
        f" {asked.architecture}, Python {asked.python_version}"
    )
    faults = library_faults(asked.artifact, asked.architecture, asked.python_version)
    if faults:
        print(
            f"{asked.name} has libraries that cannot run in Lambda:",
            *faults,
            sep="\n",
            file=sys.stderr,
        )
    too_big = size_fault(asked.artifact, asked.name, asked.limit_bytes)
    if too_big:
        print(too_big, file=sys.stderr)
    return 1 if faults or too_big else 0


if __name__ == "__main__":
    sys.exit(main())
