"""Writes files that are either complete or unchanged."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def atomic_write(file: Path, content: bytes) -> None:
    """Writes the file as `atomic_file` does; makes its directory if it does not exist."""
    with _named(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(file) as unfinished:
        unfinished.write(content)


@contextmanager
def atomic_file(file: Path) -> Iterator[BinaryIO]:
    """Opens a temporary file beside the file, and moves it to its place at the end: a process
    that dies leaves no half file. After any exception, nothing of it is left; an OSError names
    the file."""
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
    """Adds the name of the file that was to be written to an OSError."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(file), None
        raise
