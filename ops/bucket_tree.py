"""The bucket's objects as files of a directory."""

from pathlib import Path
from typing import Any

MIRRORED = {
    "kpis/": "date=*/kpi.json",
    "runs/": "run=*/manifest.json",
    "quarantine/": "run=*/segment=*/*.jsonl",
}
"""What is of use once a run is over: prefix, and the form of the keys below it."""


def mirror(client: Any, bucket_name: str, directory: Path) -> None:
    """Leaves in `directory` just what the bucket holds under MIRRORED.

    Removes what an earlier run has left there.
    """
    remove_mirrored(directory)
    for prefix in MIRRORED:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket_name, Prefix=prefix)
        for found in (found for page in pages for found in page.get("Contents", ())):
            file = directory / found["Key"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(client.get_object(Bucket=bucket_name, Key=found["Key"])["Body"].read())


def remove_mirrored(directory: Path) -> None:
    """Removes what a run has left there, by the form of its name, and nothing else."""
    for prefix, form in MIRRORED.items():
        for stale in (directory / prefix).glob(form):
            stale.unlink()
        for emptied in sorted((directory / prefix).glob("**/"), reverse=True):
            if emptied.is_dir() and not any(emptied.iterdir()):
                emptied.rmdir()
