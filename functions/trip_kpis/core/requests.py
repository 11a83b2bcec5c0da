"""What the three handlers are called with, parsed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from trip_kpis.core.errors import InputError

MOST_SEGMENTS = 10_000
"""The list of segments travels in one state, of at most 256 KiB."""
MOST_CONCURRENCY = 10_000
"""https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html"""

MOST_READ_UNITS = 10**9

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """PlanRun's event: ``{"execution_name": name, "input": {...}}``.

    `input` is the execution's own input: ``{}``, or any of the fields below but `execution_name`.
    """

    run_id: str
    continues: bool
    """the input names an earlier run, which is continued"""
    total_segments: int | None = None
    max_concurrency: int | None = None
    read_units_per_second: int | None = None
    consistent_read: bool | None = None
    estimate_only: bool = False

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Self:
        """Raises InputError, which names the field, the value and what is possible."""
        event = _mapping(event, "the event")
        given = _mapping(event.get("input", {}), "the execution's input")
        known = {
            "run_id",
            "total_segments",
            "max_concurrency",
            "read_units_per_second",
            "consistent_read",
            "estimate_only",
        }
        if unknown := sorted(given.keys() - known):
            raise InputError(
                f"the execution's input has {', '.join(map(repr, unknown))}, which means nothing "
                f"here: it may be {{}} or have any of {', '.join(sorted(known))}"
            )
        named = given.get("run_id")
        return cls(
            run_id=_run_id(event.get("execution_name") if named is None else named),
            continues=named is not None,
            total_segments=_count(given, "total_segments", 1, MOST_SEGMENTS),
            max_concurrency=_count(given, "max_concurrency", 1, MOST_CONCURRENCY),
            read_units_per_second=_count(given, "read_units_per_second", 0, MOST_READ_UNITS),
            consistent_read=_flag(given, "consistent_read"),
            estimate_only=_flag(given, "estimate_only") or False,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRequest:
    """ScanSegment's event: ``{"run_id": run id, "segment": number}``."""

    run_id: str
    segment: int

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Self:
        """Raises InputError."""
        segment = _count(_mapping(event, "the event"), "segment", 0, MOST_SEGMENTS - 1)
        if segment is None:
            raise InputError("the event has no 'segment': pass {'run_id': …, 'segment': 0}")
        return cls(run_id=_run_id(event.get("run_id")), segment=segment)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRequest:
    """MergePartials' event: ``{"run_id": run id}``."""

    run_id: str

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Self:
        """Raises InputError."""
        return cls(run_id=_run_id(_mapping(event, "the event").get("run_id")))


def _run_id(value: object) -> str:
    if value is None:
        raise InputError(
            "the event names no run: it must have 'run_id' (PlanRun's 'execution_name')"
        )
    if not (isinstance(value, str) and _RUN_ID.fullmatch(value)):
        raise InputError(
            f"run_id is {value!r}: it becomes part of S3 keys, so it has 1 to 80 letters, digits, "
            "'.', '_' and '-' and begins with a letter or digit; without one, the execution's "
            "name is the run id and the same holds for it"
        )
    return value


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"{what} is {value!r}: it must be a JSON object, such as {{}}")
    return value


def _count(given: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InputError(f"{name} is {value!r}: it must be a whole number, {least:,} to {most:,}")
    return value


def _flag(given: Mapping[str, Any], name: str) -> bool | None:
    value = given.get(name)
    if value is not None and not isinstance(value, bool):
        raise InputError(f"{name} is {value!r}: it must be true or false")
    return value
