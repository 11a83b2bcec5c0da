"""Plans a run: its segments, its workers, and a checkpoint interval that one merge has time for."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import TypeVar

from trip_kpis.core.definition.model import Definition
from trip_kpis.core.errors import InputError, SettingError, TooManyPartsError
from trip_kpis.core.estimate.forecast import LONGEST_CHECKPOINT_SECONDS, EstimateTerms, Forecast
from trip_kpis.core.estimate.plan_notes import too_many_parts, warnings
from trip_kpis.core.estimate.workers import WorkerLimits
from trip_kpis.core.items.attributes import dotted_path
from trip_kpis.core.items.numbers import MOST_TRIPS
from trip_kpis.core.prices import estimate, of_export
from trip_kpis.core.run.plan import (
    EXPORT,
    SCAN,
    SCHEMA_VERSION,
    Plan,
    RunDefaults,
    segments_for,
)
from trip_kpis.core.run.read_budget import ReadBudget
from trip_kpis.core.run.requests import RunRequest
from trip_kpis.core.run.table_description import TableDescription

_Setting = TypeVar("_Setting")


def make_plan(
    request: RunRequest,
    defaults: RunDefaults,
    table: TableDescription,
    *,
    now: datetime,
    terms: EstimateTerms = EstimateTerms(),  # noqa: B008 - frozen
    lambda_limit: int | None = None,
) -> Plan:
    """Plans a new run with the settings of the request, and the defaults for the rest.

    `lambda_limit` is the number of the account's Lambda executions that no function has reserved,
    None where it is not known. Raises SettingError for an attribute path into a key.
    """
    source = _chosen(request.source, defaults.source)
    _check_source(source, request)
    is_scan = source == SCAN
    budget = _chosen(request.read_units_per_second, defaults.read_units_per_second) * is_scan
    consistent_read = _chosen(request.consistent_read, defaults.consistent_read) and is_scan
    estimated = estimate(
        table_bytes=table.size_bytes,
        item_count=table.item_count,
        consistent_read=consistent_read,
        read_units_per_second=budget,
        capacity=table.capacity,
    )
    if not is_scan:
        is_named = bool(request.export_arn or request.export_manifest)
        estimated = of_export(estimated, is_made=not is_named)
    size_is_known = table.size_is_known(now)
    asked = request.max_concurrency or defaults.max_concurrency
    limits = WorkerLimits(
        capacity=table.capacity if is_scan else None,
        read_units=estimated.read_units if size_is_known else None,
        consistent_read=consistent_read,
        scan_memory_mb=terms.scan_memory_mb,
        lambda_limit=lambda_limit,
    )
    max_concurrency, limited_by = limits.workers(asked, budget=budget)
    settings = {one.name: getattr(defaults, one.name) for one in fields(defaults)} | {
        "total_segments": request.total_segments
        or defaults.total_segments
        or segments_for(
            table.size_bytes,
            max_concurrency=max_concurrency,
            at_least=1 if size_is_known else asked,
        ),
        "max_concurrency": max_concurrency,
        "read_units_per_second": budget,
        "consistent_read": consistent_read,
        "source": source,
    }
    plan = Plan(
        schema_version=SCHEMA_VERSION,
        run_id=request.run_id,
        planned_at=now.astimezone(UTC).isoformat(timespec="microseconds"),
        table_name=table.name,
        table_arn=table.arn,
        table_id=table.table_id,
        key_attributes=table.key_attributes,
        **settings,
        export_arn=request.export_arn,
        export_manifest=request.export_manifest,
        limited_by=limited_by,
        lambda_limit=lambda_limit,
        ttl_attribute=table.ttl_attribute,
        ttl_is_known=table.ttl_is_known,
        estimate=estimated,
        warnings=(),
    )
    _check_paths(plan.definition, table)
    plan = with_parts_for_one_merge(plan, terms)
    return replace(plan, warnings=warnings(plan, forecast(plan, terms), terms))


def _check_source(source: str, request: RunRequest) -> None:
    """Raises InputError for a setting that only a scan can have."""
    asked = {
        "read_units_per_second": request.read_units_per_second,
        "consistent_read": request.consistent_read,
    }
    for name, value in asked.items():
        if source == EXPORT and value:
            raise InputError(
                f"{name} is {value!r}, and the source is an export, which takes no read units: "
                f"leave {name} out, or give source scan"
            )


def resumed_budget(
    frozen: Plan,
    current: ReadBudget,
    wanted: Plan,
    request: RunRequest,
    defaults: RunDefaults,
    table: TableDescription,
    terms: EstimateTerms,
) -> ReadBudget:
    """Returns the budget of a resumed run: what is asked for now, or else the run's current budget.

    Where a budget is asked for, but no number of workers, that is the stack's: the run's own may
    have been limited by the earlier budget. Workers are limited as those of a new run, by what
    table and account, which `wanted` knows, have room for now.
    """
    budget = request.read_units_per_second
    asked = request.max_concurrency
    if asked is None:
        asked = current.max_concurrency if budget is None else defaults.max_concurrency
    if budget is None:
        budget = current.read_units_per_second
    limits = WorkerLimits(
        capacity=table.capacity if frozen.source == SCAN else None,
        read_units=None,  # how many are left to read is not known
        consistent_read=frozen.consistent_read,
        scan_memory_mb=terms.scan_memory_mb,
        lambda_limit=wanted.lambda_limit,
    )
    workers, _ = limits.workers(asked, budget=budget)
    return ReadBudget(read_units_per_second=budget, max_concurrency=workers)


def forecast(plan: Plan, terms: EstimateTerms, *, rejected_trips: float = 0) -> Forecast:
    """Forecasts the plan's run, if its segments have the same length and so many trips are
    rejected."""
    return Forecast.of(
        table_bytes=plan.estimate.table_bytes,
        read_units=plan.estimate.read_units,
        seconds_at_least=plan.estimate.seconds_at_least,
        segments=plan.total_segments,
        max_concurrency=plan.max_concurrency,
        checkpoint_seconds=plan.checkpoint_seconds,
        scan_memory_mb=terms.scan_memory_mb,
        merge_memory_mb=terms.merge_memory_mb,
        consistent_read=plan.consistent_read,
        rejected_trips=rejected_trips,
        reads_export=plan.source == EXPORT,
        exported_bytes=plan.estimate.table_bytes if plan.makes_export else 0,
    )


def check_parts(plan: Plan, terms: EstimateTerms) -> None:
    """Raises TooManyPartsError if one merge would not have time for the run's parts, even with the
    longest checkpoint interval."""
    expected = forecast(plan, terms)
    if not expected.fits(merge_memory_mb=terms.merge_memory_mb):
        raise TooManyPartsError(too_many_parts(plan, expected, terms))


def with_parts_for_one_merge(plan: Plan, terms: EstimateTerms) -> Plan:
    """Returns the plan with the shortest checkpoint interval, from its own on, at which one merge
    has time for the run's parts; if there is none, with the longest.

    Parts for as many rejected trips as are tolerated are counted, unless that is too many by
    itself: how many there will be is not known.
    """
    completed = min(plan.estimate.item_count, MOST_TRIPS)
    tolerated = float(completed * terms.max_rejected_share)
    intervals = range(plan.checkpoint_seconds, LONGEST_CHECKPOINT_SECONDS + 1)
    for rejected_trips in (tolerated, 0):
        for seconds in intervals:
            longer = replace(plan, checkpoint_seconds=seconds)
            if forecast(longer, terms, rejected_trips=rejected_trips).fits(
                merge_memory_mb=terms.merge_memory_mb
            ):
                return _with_parts(longer, terms, tolerated)
    longest = replace(plan, checkpoint_seconds=LONGEST_CHECKPOINT_SECONDS)
    return _with_parts(longest, terms, tolerated)


def _with_parts(plan: Plan, terms: EstimateTerms, rejected_trips: float) -> Plan:
    expected = forecast(plan, terms, rejected_trips=rejected_trips)
    return replace(
        plan,
        estimate=replace(plan.estimate, parts=expected.parts, merge_seconds=expected.merge_seconds),
    )


def _check_paths(definition: Definition, table: TableDescription) -> None:
    for path in definition.paths:
        if len(path) > 1 and path[0] in table.key_attributes:
            raise SettingError(
                f"the attribute path '{dotted_path(path)}' leads into {path[0]!r}, which is a key "
                f"of the table {table.name} and no map: name another attribute"
            )


def _chosen(asked: _Setting | None, default: _Setting) -> _Setting:
    return default if asked is None else asked
