"""Reads the environment once: the stack's parameters as the functions know them."""

import os
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from trip_kpis.core import settings
from trip_kpis.core.definition.parsing import DefinitionFile
from trip_kpis.core.errors import SettingError
from trip_kpis.core.estimate.forecast import EstimateTerms
from trip_kpis.core.items.attributes import dotted_path, overlapping, parse_path
from trip_kpis.core.items.epochs import LATEST_DAY
from trip_kpis.core.items.time_formats import check_format
from trip_kpis.core.items.zones import closest_time_zone, is_time_zone
from trip_kpis.core.run.plan import FrozenDefinition, RunDefaults
from trip_kpis.core.run.publication import PublishingTerms
from trip_kpis.core.settings import Environment

DEFINITIONS = Path(__file__).parents[2] / "definitions"
_FIRST_EARLIEST_DAY = date(1900, 1, 1)
_PATHS = (settings.FARE_ATTRIBUTE, settings.ESTIMATED_FARE_ATTRIBUTE, settings.DAY_ATTRIBUTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of every function: its table, its bucket, and its stack."""

    table_name: str
    bucket_name: str
    bucket_kms_key_arn: str = ""
    """the key that encrypts what is written; empty: SSE-S3"""
    stack_name: str = "local"
    """the dimension of CloudWatch's metrics"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSettings:
    """The settings that only the merge has; a change applies to a run that is redriven after it."""

    max_rejected_share: Decimal
    """exactly as written: 0.29 as a float is a little less, and would refuse 29 of 100"""
    publishing: PublishingTerms


def read_settings(environment: Environment = os.environ) -> Settings:
    """Reads the settings of every function."""
    return Settings(
        table_name=settings.TABLE_NAME.text(environment),
        bucket_name=settings.BUCKET_NAME.text(environment),
        bucket_kms_key_arn=environment.get(settings.BUCKET_KMS_KEY_ARN.variable, ""),
        stack_name=environment.get("STACK_NAME") or "local",
    )


def read_run_defaults(environment: Environment = os.environ) -> RunDefaults:
    """Reads the settings that PlanRun writes into a plan. Raises SettingError."""
    fare, estimated_fare, day = _paths(environment)
    formats = filter(None, environment.get(settings.TIME_FORMATS.variable, "").split("|"))
    return RunDefaults(
        kpi_definition=FrozenDefinition.of(read_definition(environment)),
        source=settings.SOURCE.read(environment),
        fare_attribute=fare,
        estimated_fare_attribute=estimated_fare,
        day_attribute=day,
        time_zone=_time_zone(environment),
        time_formats=tuple(
            check_format(one, setting=settings.TIME_FORMATS.parameter) for one in formats
        ),
        earliest_day=_earliest_day(environment),
        total_segments=settings.TOTAL_SEGMENTS.read(environment),
        max_concurrency=settings.MAX_CONCURRENCY.read(environment),
        read_units_per_second=settings.READ_UNITS_PER_SECOND.read(environment),
        consistent_read=settings.CONSISTENT_READ.read(environment) == "true",
        checkpoint_seconds=settings.CHECKPOINT_SECONDS.read(environment),
    )


def read_definition(environment: Environment = os.environ) -> DefinitionFile:
    """Reads the file of the KPI definition: one that is deployed with the functions, or, on a
    laptop, any file whose absolute path is given. Raises SettingError where there is none."""
    named = settings.KPI_DEFINITION.text(environment)
    path = Path(named) if Path(named).is_absolute() else DEFINITIONS / f"{named}.toml"
    try:
        return DefinitionFile(name=path.stem, text=path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and path == Path(named):
            raise SettingError(
                f"the KPI definition {path} cannot be read ({error.strerror}): put the file back; "
                "to resume a run, it must be as it was"
            ) from error
        there = sorted(one.stem for one in DEFINITIONS.glob("*.toml"))
        hint = f". There {'is' if len(there) == 1 else 'are'} {', '.join(there)} ({error})"
        raise settings.KPI_DEFINITION.wrong(environment, hint=hint) from error


def read_estimate_terms(environment: Environment = os.environ) -> EstimateTerms:
    """Reads the settings that a forecast needs and a plan does not keep. Raises SettingError."""
    return EstimateTerms(
        max_rejected_share=settings.MAX_REJECTED_SHARE.read(environment),
        scan_memory_mb=settings.SCAN_MEMORY.read(environment),
        merge_memory_mb=settings.MERGE_MEMORY.read(environment),
        days_may_shrink=settings.SHRUNK_DAYS.read(environment) == "publish",
    )


def read_merge_settings(environment: Environment = os.environ) -> MergeSettings:
    """Reads the settings that MergePartials alone needs. Raises SettingError."""
    return MergeSettings(
        max_rejected_share=settings.MAX_REJECTED_SHARE.read(environment),
        publishing=PublishingTerms(
            remove_vanished_days=settings.VANISHED_DAYS.read(environment) == "remove",
            keep_shrunk_days=settings.SHRUNK_DAYS.read(environment) == "keep",
            skip_open_days=settings.OPEN_DAYS.read(environment) == "skip",
        ),
    )


def _paths(environment: Environment) -> list[str]:
    """Returns the paths of the fare, the estimated fare and the day; raises SettingError if one
    contains another."""
    paths = [setting.text(environment) for setting in _PATHS]
    parsed = [
        parse_path(path, setting=setting.parameter)
        for setting, path in zip(_PATHS, paths, strict=True)
    ]
    if clash := overlapping(parsed):
        outer, inner = map(dotted_path, clash)
        names = ", ".join(setting.parameter for setting in _PATHS)
        raise SettingError(
            f"the attribute path '{outer}' is a map that contains '{inner}': {names} must each "
            "name a value of its own"
        )
    return paths


def _time_zone(environment: Environment) -> str:
    name = settings.TIME_ZONE.text(environment)
    if not is_time_zone(name):
        closest = closest_time_zone(name)
        hint = f". Did you mean {closest}?" if closest else ""
        raise settings.TIME_ZONE.wrong(environment, hint=hint)
    return name


def _earliest_day(environment: Environment) -> str:
    text = settings.EARLIEST_DAY.text(environment)
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise settings.EARLIEST_DAY.wrong(environment) from error
    # isoformat: Python reads 20000101 and 2000-W01-1, too
    if day.isoformat() != text or not _FIRST_EARLIEST_DAY <= day <= LATEST_DAY:
        raise settings.EARLIEST_DAY.wrong(environment)
    return text
