"""A run's plan: frozen when the run begins, and all that its workers and its merge go by."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Self, TypeVar

import msgspec

from trip_kpis.core.errors import InputError, PlanMismatchError, SettingError
from trip_kpis.core.estimate.forecast import EstimateTerms
from trip_kpis.core.estimate.forecast import page_units as page_units
from trip_kpis.core.estimate.plan_notes import warnings
from trip_kpis.core.estimate.plan_parts import forecast, with_parts_for_one_merge
from trip_kpis.core.estimate.workers import WorkerLimits
from trip_kpis.core.items.attributes import parse_path
from trip_kpis.core.items.time_formats import check_format
from trip_kpis.core.items.trips import ReadingRules
from trip_kpis.core.items.zones import time_zone
from trip_kpis.core.prices import Estimate, estimate
from trip_kpis.core.run.read_budget import ReadBudget
from trip_kpis.core.run.requests import MOST_SEGMENTS, RunRequest, check_run_id
from trip_kpis.core.run.segments import segments_for
from trip_kpis.core.run.table_description import TableDescription as TableDescription

_Setting = TypeVar("_Setting")

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Positive = Annotated[int, msgspec.Meta(ge=1)]
_KeyAttributes = Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=2)]

SCHEMA_VERSION = 1
AS_OF = "as-of"
"""the metadata of days and manifests: when their run was planned"""
"""Of the plan and the parts. A run is finished by the version that began it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDefaults:
    """The stack's parameters that a run begins with."""

    fare_attribute: str
    estimated_fare_attribute: str
    day_attribute: str
    time_zone: str
    time_formats: tuple[str, ...]
    earliest_day: str
    """ISO 8601; a time before it is rejected"""
    total_segments: int
    """0: by the table's size"""
    max_concurrency: int
    read_units_per_second: int
    """of the whole run; 0: unlimited"""
    consistent_read: bool
    checkpoint_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``staging/run=<run_id>/plan.json``.

    What a field must be by itself is in its type, and is checked when a plan is read.
    """

    schema_version: int
    run_id: str
    planned_at: str
    """UTC, ISO 8601: the run's as-of time; a later plan's figures win over an earlier one's"""
    table_name: str
    table_arn: str
    table_id: str
    key_attributes: _KeyAttributes
    fare_attribute: str
    estimated_fare_attribute: str
    day_attribute: str
    time_zone: str
    time_formats: tuple[str, ...]
    earliest_day: str
    """ISO 8601; a time before it is rejected"""
    total_segments: Annotated[int, msgspec.Meta(ge=1, le=MOST_SEGMENTS)]
    max_concurrency: _Positive
    read_units_per_second: _Count
    consistent_read: bool
    checkpoint_seconds: _Positive
    """the stack's, or longer where one merge would not have time for so many parts"""
    limited_by: str
    """what decided `max_concurrency`: one of `workers.LimitedBy`"""
    lambda_limit: int | None
    """the account's unreserved Lambda executions when the run was planned; None: unknown"""
    ttl_attribute: str | None
    """by which DynamoDB deletes the table's items; None: it does not, or that is not known"""
    ttl_is_known: bool
    estimate: Estimate
    warnings: tuple[str, ...]
    """sentences for the run's summary"""
    stored_sha256: str = field(default="", compare=False)
    """of the object that the plan was read from; no part of it"""

    @property
    def rules(self) -> ReadingRules:
        return ReadingRules(
            fare=parse_path(self.fare_attribute, setting="fare_attribute"),
            estimated_fare=parse_path(
                self.estimated_fare_attribute, setting="estimated_fare_attribute"
            ),
            day=parse_path(self.day_attribute, setting="day_attribute"),
            key_attributes=self.key_attributes,
            time_zone=time_zone(self.time_zone),
            earliest_day=date.fromisoformat(self.earliest_day),
            time_formats=self.time_formats,
        )

    @property
    def read_budget(self) -> ReadBudget:
        """That the run begins with."""
        return ReadBudget(
            read_units_per_second=self.read_units_per_second, max_concurrency=self.max_concurrency
        )

    def to_bytes(self) -> bytes:
        """One JSON object, fields in their order: the same plan gives the same bytes."""
        document = asdict(self)
        del document["stored_sha256"]
        return (json.dumps(document, indent=1) + "\n").encode()

    @property
    def sha256(self) -> str:
        """Of the object's bytes: what ties the run's parts and invocations to its plan."""
        return self.stored_sha256 or hashlib.sha256(self.to_bytes()).hexdigest()

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Inverts `to_bytes`. Raises PlanMismatchError, which names field and value, for a plan
        that this version did not write."""
        try:
            document = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise _unreadable(f"it is no JSON object: {error}") from error
        if (version := document.get("schema_version")) != SCHEMA_VERSION:
            raise PlanMismatchError(
                f"the plan has schema version {version!r}, this code writes {SCHEMA_VERSION}: a "
                "run is finished by the version that began it; deploy that one again, or start a "
                "new run"
            )
        known = {one.name for one in fields(cls)} - {"stored_sha256"}
        if unknown := sorted(document.keys() - known):
            raise _unreadable(f"it has {', '.join(unknown)}, which this version does not know")
        document["stored_sha256"] = hashlib.sha256(body).hexdigest()
        try:
            plan = msgspec.convert(document, cls)
        except msgspec.ValidationError as error:
            raise _unreadable(f"{error}{_value_at(str(error), document)}") from error
        plan._check()
        return plan

    def _check(self) -> None:
        """What no type can say. Raises PlanMismatchError."""
        try:
            is_utc = datetime.fromisoformat(self.planned_at).utcoffset() == timedelta(0)
        except ValueError:
            is_utc = False
        if not is_utc:
            raise _unreadable(f"planned_at is {self.planned_at!r}: it must be a time in UTC")
        try:
            check_run_id(self.run_id)
            _ = self.rules
            for time_format in self.time_formats:
                check_format(time_format, setting="time_formats")
        except ValueError as error:
            raise _unreadable(f"earliest_day is {self.earliest_day!r}: {error}") from error
        except (InputError, SettingError) as error:
            raise _unreadable(str(error)) from error


def _unreadable(what: str) -> PlanMismatchError:
    return PlanMismatchError(
        f"the plan cannot be used: {what}. Another version of the program has written it, or "
        "something has changed it: finish the run with the version that began it, or start a new "
        "run, and look at who may write to staging/"
    )


def _value_at(error: str, document: dict[str, Any]) -> str:
    """The top-level value that an error of msgspec's is about, for the message."""
    place = re.search(r"`\$\.(\w+)", error)
    return f", which is {document.get(place[1])!r}" if place else ""


def make_plan(
    request: RunRequest,
    defaults: RunDefaults,
    table: TableDescription,
    *,
    now: datetime,
    terms: EstimateTerms = EstimateTerms(),  # noqa: B008 - frozen
    lambda_limit: int | None = None,
) -> Plan:
    """The plan of a new run: the request's own settings, the defaults for the rest.

    `lambda_limit` is the number of the account's Lambda executions that no function has reserved,
    None where it is not known. Raises SettingError for an attribute path into a key.
    """
    budget = _chosen(request.read_units_per_second, defaults.read_units_per_second)
    consistent_read = _chosen(request.consistent_read, defaults.consistent_read)
    estimated = estimate(
        table_bytes=table.size_bytes,
        item_count=table.item_count,
        consistent_read=consistent_read,
        read_units_per_second=budget,
        capacity=table.capacity,
    )
    size_is_known = table.size_is_known(now)
    asked = request.max_concurrency or defaults.max_concurrency
    limits = WorkerLimits(
        capacity=table.capacity,
        read_units=estimated.read_units if size_is_known else None,
        consistent_read=consistent_read,
        scan_memory_mb=terms.scan_memory_mb,
        lambda_limit=lambda_limit,
    )
    max_concurrency, limited_by = limits.workers(asked, budget=budget)
    _check_paths(defaults, table)
    plan = Plan(
        schema_version=SCHEMA_VERSION,
        run_id=request.run_id,
        planned_at=now.astimezone(UTC).isoformat(timespec="microseconds"),
        table_name=table.name,
        table_arn=table.arn,
        table_id=table.table_id,
        key_attributes=table.key_attributes,
        fare_attribute=defaults.fare_attribute,
        estimated_fare_attribute=defaults.estimated_fare_attribute,
        day_attribute=defaults.day_attribute,
        time_zone=defaults.time_zone,
        time_formats=defaults.time_formats,
        earliest_day=defaults.earliest_day,
        total_segments=request.total_segments
        or defaults.total_segments
        or segments_for(
            table.size_bytes,
            max_concurrency=max_concurrency,
            at_least=1 if size_is_known else asked,
        ),
        max_concurrency=max_concurrency,
        read_units_per_second=budget,
        consistent_read=consistent_read,
        checkpoint_seconds=defaults.checkpoint_seconds,
        limited_by=limited_by,
        lambda_limit=lambda_limit,
        ttl_attribute=table.ttl_attribute,
        ttl_is_known=table.ttl_is_known,
        estimate=estimated,
        warnings=(),
    )
    plan = with_parts_for_one_merge(plan, terms)
    return replace(plan, warnings=warnings(plan, forecast(plan, terms), terms))


def _check_paths(defaults: RunDefaults, table: TableDescription) -> None:
    for dotted in (
        defaults.fare_attribute,
        defaults.estimated_fare_attribute,
        defaults.day_attribute,
    ):
        first, *rest = parse_path(dotted, setting="an attribute path")
        if rest and first in table.key_attributes:
            raise SettingError(
                f"the attribute path '{dotted}' leads into {first!r}, which is a key of the table "
                f"{table.name} and no map: name another attribute"
            )


def _chosen(asked: _Setting | None, default: _Setting) -> _Setting:
    return default if asked is None else asked
