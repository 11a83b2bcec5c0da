"""A run's plan: frozen when the run begins, and all that its workers and its merge go by."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Self, TypeVar
from zoneinfo import ZoneInfo

from trip_kpis.core.attributes import parse_path
from trip_kpis.core.costs import Estimate, estimate
from trip_kpis.core.described import TableDescription as TableDescription
from trip_kpis.core.errors import PlanMismatchError, SettingError
from trip_kpis.core.forecast import EstimateTerms
from trip_kpis.core.forecast import page_units as page_units
from trip_kpis.core.plan_notes import warnings
from trip_kpis.core.plan_parts import forecast, with_parts_for_one_merge
from trip_kpis.core.read_budget import ReadBudget
from trip_kpis.core.requests import RunRequest
from trip_kpis.core.segments import segments_for
from trip_kpis.core.trips import ReadingRules
from trip_kpis.core.workers import WorkerLimits

_Setting = TypeVar("_Setting")

SCHEMA_VERSION = 1
"""Of the plan and the parts. A run is finished by the version that began it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDefaults:
    """The stack's parameters that a run begins with."""

    fare_attribute: str
    estimated_fare_attribute: str
    day_attribute: str
    time_zone: str
    time_formats: tuple[str, ...]
    total_segments: int
    """0: by the table's size"""
    max_concurrency: int
    read_units_per_second: int
    """of the whole run; 0: unlimited"""
    consistent_read: bool
    checkpoint_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``staging/run=<run_id>/plan.json``."""

    schema_version: int
    run_id: str
    planned_at: str
    """UTC, ISO 8601: the run's as-of time; a later plan's figures win over an earlier one's"""
    table_name: str
    table_arn: str
    table_id: str
    key_attributes: tuple[str, ...]
    fare_attribute: str
    estimated_fare_attribute: str
    day_attribute: str
    time_zone: str
    time_formats: tuple[str, ...]
    total_segments: int
    max_concurrency: int
    read_units_per_second: int
    consistent_read: bool
    checkpoint_seconds: int
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

    @property
    def rules(self) -> ReadingRules:
        return ReadingRules(
            fare=parse_path(self.fare_attribute, setting="fare_attribute"),
            estimated_fare=parse_path(
                self.estimated_fare_attribute, setting="estimated_fare_attribute"
            ),
            day=parse_path(self.day_attribute, setting="day_attribute"),
            key_attributes=self.key_attributes,
            time_zone=ZoneInfo(self.time_zone),
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
        return (json.dumps(asdict(self), indent=1) + "\n").encode()

    @property
    def sha256(self) -> str:
        """Of `to_bytes`: what ties a part to its plan."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Inverts `to_bytes`. Raises PlanMismatchError for what another version has written."""
        try:
            document = json.loads(body)
            if document["schema_version"] != SCHEMA_VERSION:
                raise PlanMismatchError(
                    f"the plan has schema version {document['schema_version']}, this code writes "
                    f"{SCHEMA_VERSION}: a run is finished by the version that began it; deploy "
                    "that one again, or start a new run"
                )
            document["estimate"] = Estimate(**document["estimate"])
            document["key_attributes"] = tuple(document["key_attributes"])
            document["time_formats"] = tuple(document["time_formats"])
            document["warnings"] = tuple(document["warnings"])
            return cls(**document)
        except (KeyError, TypeError, ValueError) as error:
            raise PlanMismatchError(
                f"the plan cannot be read ({error!r}): something else has touched it; start a new "
                "run, and look at who may write to staging/"
            ) from error


def planned_at(body: bytes) -> str:
    """The as-of time in a plan's bytes, whichever version wrote them; empty where there is none."""
    try:
        return str(json.loads(body)["planned_at"])
    except (KeyError, TypeError, ValueError):
        return ""


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
        first, _, rest = dotted.partition(".")
        if rest and first in table.key_attributes:
            raise SettingError(
                f"the attribute path {dotted!r} leads into {first!r}, which is a key of the table "
                f"{table.name} and no map: name another attribute"
            )


def _chosen(asked: _Setting | None, default: _Setting) -> _Setting:
    return default if asked is None else asked
