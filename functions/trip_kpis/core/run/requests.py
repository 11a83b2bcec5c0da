"""The events of the handlers, parsed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from trip_kpis.core import settings
from trip_kpis.core.errors import InputError
from trip_kpis.core.export.manifests import Address
from trip_kpis.core.layout import is_run_id
from trip_kpis.core.settings import flag, whole_number

_OF_EXPORT = ("source", "export_arn", "export_manifest")
_EXPORT_ARN = re.compile(r"arn:[a-z-]+:dynamodb:[^:]+:[0-9]{12}:table/[^/]+/export/[^/]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """PlanRun's event: ``{"execution_name": name, "input": {...}}``.

    `input` is the execution's own input: ``{}``, or any of the fields below but `execution_name`.
    """

    run_id: str
    continues: bool
    """whether the input names an earlier run, which is resumed"""
    total_segments: int | None = None
    max_concurrency: int | None = None
    read_units_per_second: int | None = None
    consistent_read: bool | None = None
    source: str | None = None
    """`plan.SCAN` or `plan.EXPORT`; also set if an export is named"""
    export_arn: str | None = None
    """ARN of an export that is complete or in progress"""
    export_manifest: str | None = None
    """the URL of an export's manifest-summary.json"""
    estimate_only: bool = False
    confirm_empty_table: bool = False
    """whether an empty table may remove every published day"""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Self:
        """Parses the event; raises InputError, which names the field, the value and what is
        possible."""
        event = _mapping(event, "the event")
        given = _mapping(event.get("input", {}), "the execution's input")
        known = {
            "run_id",
            *(setting.field for setting in settings.ASKED_BY_RUN),
            *_OF_EXPORT,
            "estimate_only",
            "confirm_empty_table",
        }
        if unknown := sorted(given.keys() - known):
            raise InputError(
                f"the execution's input has {', '.join(map(repr, unknown))}, which no run "
                f"reads: it may be {{}} or have any of {', '.join(sorted(known))}"
            )
        named = given.get("run_id")
        of_export = {name: settings.text(given, name) for name in _OF_EXPORT}
        return cls(
            run_id=check_run_id(event.get("execution_name") if named is None else named),
            continues=named is not None,
            total_segments=settings.TOTAL_SEGMENTS.asked(given),
            max_concurrency=settings.MAX_CONCURRENCY.asked(given),
            read_units_per_second=settings.READ_UNITS_PER_SECOND.asked(given),
            consistent_read=settings.CONSISTENT_READ.asked(given),
            **(of_export | {"source": _source(**of_export)}),
            estimate_only=flag(given, "estimate_only") or False,
            confirm_empty_table=flag(given, "confirm_empty_table") or False,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """PlanRun's event when the run's export is complete: ``{"run_id", "plan_sha256", "export_arn",
    "max_concurrency", "empty_table_confirmed"}``."""

    run_id: str
    plan_sha256: str | None
    """digest of plan.json; None in an invocation by hand"""
    export_arn: str | None
    """None: the plan names the manifest, or the run has recorded its export already"""
    max_concurrency: int | None
    """None: the plan's"""
    empty_table_confirmed: bool

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Self:
        """Parses the event; raises InputError."""
        return cls(
            run_id=check_run_id(event.get("run_id")),
            plan_sha256=_plan_sha256(event),
            export_arn=settings.text(event, "export_arn"),
            max_concurrency=settings.MAX_CONCURRENCY.asked(event),
            empty_table_confirmed=flag(event, "empty_table_confirmed") or False,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRequest:
    """ScanSegment's event: ``{"run_id": run id, "plan_sha256": digest, "segment": number}``."""

    run_id: str
    plan_sha256: str | None
    """digest of plan.json; None in an invocation by hand, which uses the run's plan as it is"""
    segment: int

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Self:
        """Parses the event; raises InputError."""
        segment = whole_number(
            _mapping(event, "the event"), "segment", 0, settings.MOST_SEGMENTS - 1
        )
        if segment is None:
            raise InputError("the event has no 'segment': pass {'run_id': …, 'segment': 0}")
        return cls(
            run_id=check_run_id(event.get("run_id")),
            plan_sha256=_plan_sha256(event),
            segment=segment,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRequest:
    """MergePartials' event: ``{"run_id", "plan_sha256", "empty_table_confirmed": false}``."""

    run_id: str
    plan_sha256: str | None
    """digest of plan.json; None in an invocation by hand, which uses the run's plan as it is"""
    empty_table_confirmed: bool = False

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Self:
        """Parses the event; raises InputError."""
        event = _mapping(event, "the event")
        return cls(
            run_id=check_run_id(event.get("run_id")),
            plan_sha256=_plan_sha256(event),
            empty_table_confirmed=flag(event, "empty_table_confirmed") or False,
        )


def _source(source: str | None, export_arn: str | None, export_manifest: str | None) -> str | None:
    """Returns the source that the input asks for; None: the stack's source. Raises InputError."""
    if source not in (None, *settings.SOURCE.choices):
        raise InputError(f"source is {source!r}: it must be {settings.SOURCE.must_be}")
    if export_arn and export_manifest:
        raise InputError("the input names an export twice: give export_arn or export_manifest")
    if export_arn and not _EXPORT_ARN.fullmatch(export_arn):
        raise InputError(
            f"export_arn is {export_arn!r}: it must be the ARN of an export, "
            "arn:aws:dynamodb:region:account:table/name/export/id"
        )
    if export_manifest:
        Address.of_url(export_manifest)
    if not (export_arn or export_manifest):
        return source
    if source not in (None, "export"):
        raise InputError(f"source is {source!r}, and the input names an export: leave one out")
    return "export"


def check_run_id(value: object) -> str:
    """Returns `value` if it can be a run's id. Raises InputError."""
    if value is None:
        raise InputError(
            "the event names no run: it must have 'run_id' (PlanRun's 'execution_name')"
        )
    if not (isinstance(value, str) and is_run_id(value)):
        raise InputError(
            f"run_id is {value!r}: it becomes part of S3 keys, so it has 1 to 80 letters, digits, "
            "'.', '_' and '-' and begins with a letter or digit; without one, the execution's "
            "name is the run id and the same holds for it"
        )
    return value


def _plan_sha256(event: Mapping[str, Any]) -> str | None:
    value = event.get("plan_sha256")
    if value is not None and not (isinstance(value, str) and _SHA256.fullmatch(value)):
        raise InputError(
            f"plan_sha256 is {value!r}: it must be the SHA-256 of the run's plan.json, as PlanRun "
            "returns it, 64 hexadecimal digits"
        )
    return value


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"{what} is {value!r}: it must be a JSON object, such as {{}}")
    return value
