"""Replaces one thing of moto, and restores it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ops.embedded.errors import MotoMismatchError


@contextmanager
def replaced(owner: Any, name: str, new: Any) -> Iterator[None]:
    """Replaces the attribute `name` of `owner`, a class or a module, by `new` during the block.

    Raises MotoMismatchError if it has no such thing of its own to be replaced.
    """
    try:
        old = vars(owner)[name]
    except KeyError:
        where = getattr(owner, "__qualname__", owner.__name__)
        raise MotoMismatchError(f"moto has no {where}.{name}; was it changed?") from None
    setattr(owner, name, new)
    try:
        yield
    finally:
        setattr(owner, name, old)
