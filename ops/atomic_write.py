"""Files that are there whole, or as they were."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def atomic_write(file: Path, content: bytes) -> None:
    """Writes the file as `atomic_file` does, and makes its directory if need be."""
    with _named(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(file) as unfinished:
        unfinished.write(content)


@contextmanager
def atomic_file(file: Path) -> Iterator[BinaryIO]:
    """The file to write to, beside its place, and moved there in the end: a process that dies
    leaves no half of it. After any exception, nothing of it is left; an OSError names the file."""
    beside = file.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with _named(file):
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            with os.fdopen(descriptor, "wb") as unfinished:
                yield unfinished
            beside.replace(file)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """Gives an OSError the name of the file that was to be written."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(file), None
        raise
