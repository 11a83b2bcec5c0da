"""The file format of an object of the embedded S3: ops.embedded writes it, ops.runs reads it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

import msgspec

_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectOnDisk:
    """An object in its file: a line of JSON with everything except the body, then the body."""

    key: str
    metadata: dict[str, str]
    """the user's metadata (x-amz-meta-…) and Content-Type, as moto keeps them"""
    last_modified: datetime
    body: bytes

    def to_bytes(self) -> bytes:
        head = {
            "key": self.key,
            "metadata": self.metadata,
            "last_modified": self.last_modified.isoformat(),
        }
        return json.dumps(head).encode() + b"\n" + self.body

    @classmethod
    def from_bytes(cls, content: bytes) -> ObjectOnDisk:
        """Inverts `to_bytes`. Raises ValueError for anything else."""
        line, _, body = content.partition(b"\n")
        head = msgspec.json.decode(line, type=_Head)
        return cls(
            key=head.key, metadata=head.metadata, last_modified=head.last_modified, body=body
        )


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    """The line before the body."""

    key: str
    metadata: dict[str, str]
    last_modified: datetime


def file_name(key: str) -> str:
    """Returns the name of the object's file: readable, unless it is too long for a file system."""
    name = quote(key, safe="=")
    if len(name) > _LONGEST_NAME:
        name = hashlib.sha256(key.encode()).hexdigest()
    return f"{name}.object"
