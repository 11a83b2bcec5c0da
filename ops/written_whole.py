"""Files that are there whole, or as they were."""

import os
import tempfile
from pathlib import Path


def write_whole(file: Path, content: bytes) -> None:
    """Writes the file beside itself first, so that a process that dies leaves no half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(prefix=".", suffix=".part", dir=file.parent)
    with os.fdopen(descriptor, "wb") as unfinished:
        unfinished.write(content)
    Path(beside).replace(file)
