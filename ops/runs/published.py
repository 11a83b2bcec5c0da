"""Finds what a failed execution has published."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self

from ops.runs.storage import Bucket
from trip_kpis.core import layout
from trip_kpis.core.layout import is_known

_PUBLISHED = (layout.KPIS, layout.BREAKDOWNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a run has published, at the end of an execution of it."""

    days: int = 0
    """days that are published and that the run wrote, in this execution or an earlier one"""
    removed: int = 0
    """vanished days that this execution removed"""
    has_manifest: bool = False
    had_manifest: bool = False
    """whether the manifest existed before the execution began"""

    def __str__(self) -> str:
        if self.had_manifest:
            return "the figures of an earlier, finished execution of this run stand"
        if self.has_manifest:
            return "its figures were published, and its manifest written, before it failed"
        if not (self.days or self.removed):
            return "nothing was published"
        removed = f" and {self.removed:,} vanished ones removed" if self.removed else ""
        return (
            f"{self.days:,} of its days had been published{removed} before it failed; "
            "the manifest was not written"
        )


@dataclass(frozen=True, slots=True)
class PublishedBefore:
    """The published objects at the time when an execution began."""

    keys: frozenset[str]
    has_manifest: bool

    @classmethod
    def of(cls, bucket: Bucket, run_id: str) -> Self:
        return cls(frozenset(_published(bucket)), any(_keys(bucket, layout.manifest_key(run_id))))

    def now(self, bucket: Bucket, run_id: str) -> Published:
        """Returns what the run has published since. Each object's metadata names the run that wrote
        it. A day counts as published even if it has only an object of a breakdown."""
        keys = set(_published(bucket))
        own = (key for key in keys if bucket.metadata(key).get("run-id") == run_id)
        return Published(
            days=len(_days(own)),
            removed=len(_days(self.keys) - _days(keys)),
            has_manifest=any(_keys(bucket, layout.manifest_key(run_id))),
            had_manifest=self.has_manifest,
        )


def _published(bucket: Bucket) -> Iterator[str]:
    for prefix in _PUBLISHED:
        yield from _keys(bucket, prefix)


def _days(keys: Iterable[str]) -> set[str]:
    return {PurePosixPath(key).parent.name for key in keys}


def _keys(bucket: Bucket, prefix: str) -> Iterator[str]:
    """Returns the keys of this program's layout."""
    return filter(is_known, (listed.key for listed in bucket.objects(prefix)))
