"""The environment, read once: the stack's parameters as the functions know them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from trip_kpis.core.errors import SettingError
from trip_kpis.core.estimate.forecast import EstimateTerms
from trip_kpis.core.items.attributes import dotted_path, overlapping, parse_path
from trip_kpis.core.items.epochs import LATEST_DAY
from trip_kpis.core.items.time_formats import check_format
from trip_kpis.core.items.zones import closest_time_zone, is_time_zone
from trip_kpis.core.run.plan import RunDefaults
from trip_kpis.core.run.publication import PublishingTerms
from trip_kpis.core.run.requests import MOST_CONCURRENCY, MOST_READ_UNITS, MOST_SEGMENTS

Environment = Mapping[str, str]

_FIRST_EARLIEST_DAY = date(1900, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What every function knows: its table, its bucket, and of which stack it is."""

    table_name: str
    bucket_name: str
    bucket_kms_key_arn: str = ""
    """of what is written; empty: SSE-S3"""
    stack_name: str = "local"
    """distinguished by in CloudWatch's metrics"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSettings:
    """What the merge alone knows; a change applies to a run that is redriven after it."""

    max_rejected_share: Decimal
    """as it is written: 0.29 as a float is a little less, and would refuse 29 of 100"""
    publishing: PublishingTerms


def read_settings(environment: Environment = os.environ) -> Settings:
    """Raises SettingError, which names the variable, its value and what it should look like."""
    return Settings(
        table_name=_text(environment, "DYNAMODB_TABLE_NAME", "the trips table's name"),
        bucket_name=_text(environment, "ATHENA_BUCKET_NAME", "the name of the bucket for results"),
        bucket_kms_key_arn=environment.get("BUCKET_KMS_KEY_ARN", ""),
        stack_name=environment.get("STACK_NAME") or "local",
    )


def read_run_defaults(environment: Environment = os.environ) -> RunDefaults:
    """What PlanRun freezes into a plan. Raises SettingError."""
    names = ("FARE_ATTRIBUTE", "ESTIMATED_FARE_ATTRIBUTE", "DAY_ATTRIBUTE")
    fare, estimated_fare, day = (
        _text(environment, name, "an attribute path, such as trip_end.fare_amount")
        for name in names
    )
    paths = [
        parse_path(path, setting=_with_parameter(name))
        for name, path in zip(names, (fare, estimated_fare, day), strict=True)
    ]
    if clash := overlapping(paths):
        outer, inner = map(dotted_path, clash)
        raise SettingError(
            f"the attribute path '{outer}' is a map that contains '{inner}': {', '.join(names)} "
            "must each name a value of its own"
        )
    formats = tuple(filter(None, environment.get("TIME_FORMATS", "").split("|")))
    return RunDefaults(
        fare_attribute=fare,
        estimated_fare_attribute=estimated_fare,
        day_attribute=day,
        time_zone=_time_zone(environment),
        time_formats=tuple(
            check_format(one, setting=_with_parameter("TIME_FORMATS")) for one in formats
        ),
        earliest_day=_day(environment, "EARLIEST_DAY"),
        total_segments=_whole(environment, "TOTAL_SEGMENTS", 0, MOST_SEGMENTS),
        max_concurrency=_whole(environment, "MAX_CONCURRENCY", 1, MOST_CONCURRENCY),
        read_units_per_second=_whole(environment, "READ_UNITS_PER_SECOND", 0, MOST_READ_UNITS),
        consistent_read=_choice(environment, "CONSISTENT_READ", ("false", "true")) == "true",
        checkpoint_seconds=_whole(environment, "CHECKPOINT_SECONDS", 1, 600),
    )


def read_estimate_terms(environment: Environment = os.environ) -> EstimateTerms:
    """What a forecast goes by, and a plan does not keep. Raises SettingError."""
    return EstimateTerms(
        max_rejected_share=_share(environment, "MAX_REJECTED_SHARE"),
        scan_memory_mb=_whole(environment, "SCAN_MEMORY", 128, 10_240),
        merge_memory_mb=_whole(environment, "MERGE_MEMORY", 128, 10_240),
        days_may_shrink=_choice(environment, "SHRUNK_DAYS", ("publish", "keep")) == "publish",
    )


def read_merge_settings(environment: Environment = os.environ) -> MergeSettings:
    """What MergePartials alone needs. Raises SettingError."""
    return MergeSettings(
        max_rejected_share=_share(environment, "MAX_REJECTED_SHARE"),
        publishing=PublishingTerms(
            remove_vanished_days=_choice(environment, "VANISHED_DAYS", ("keep", "remove"))
            == "remove",
            keep_shrunk_days=_choice(environment, "SHRUNK_DAYS", ("publish", "keep")) == "keep",
            skip_open_days=_choice(environment, "OPEN_DAYS", ("publish", "skip")) == "skip",
        ),
    )


def _text(environment: Environment, name: str, what: str) -> str:
    value = environment.get(name, "")
    if not value.strip():
        raise _wrong(environment, name, what)
    return value


def _whole(environment: Environment, name: str, least: int, most: int) -> int:
    what = f"a whole number, {least:,} to {most:,}"
    text = _text(environment, name, what)
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise _wrong(environment, name, what)
    return int(text)


def _share(environment: Environment, name: str) -> Decimal:
    what = "a share from 0 to 1, such as 0.01"
    text = _text(environment, name, what)
    try:
        fits = 0 <= Decimal(text) <= 1
    except InvalidOperation:  # no number, or NaN
        fits = False
    if not fits:
        raise _wrong(environment, name, what)
    return Decimal(text)


def _choice(environment: Environment, name: str, choices: tuple[str, ...]) -> str:
    what = " or ".join(choices)
    text = _text(environment, name, what)
    if text not in choices:
        raise _wrong(environment, name, what)
    return text


def _time_zone(environment: Environment) -> str:
    what = "an IANA time zone's name, such as UTC or Europe/Berlin"
    name = _text(environment, "TIME_ZONE", what)
    if not is_time_zone(name):
        closest = closest_time_zone(name)
        raise _wrong(
            environment, "TIME_ZONE", f"{what}; the closest is {closest}" if closest else what
        )
    return name


def _day(environment: Environment, name: str) -> str:
    what = f"a day from {_FIRST_EARLIEST_DAY} to {LATEST_DAY}, such as 2000-01-01"
    text = _text(environment, name, what)
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise _wrong(environment, name, what) from error
    if day.isoformat() != text or not _FIRST_EARLIEST_DAY <= day <= LATEST_DAY:
        raise _wrong(
            environment, name, what
        )  # isoformat: Python reads 20000101 and 2000-W01-1, too
    return text


def _wrong(environment: Environment, name: str, what: str) -> SettingError:
    value = environment.get(name)
    is_now = "is not set" if value is None else f"is {value!r}"
    parameter = _parameter(name)
    return SettingError(
        f"the environment variable {name} {is_now}: it must be {what}. It comes from the stack's "
        f"parameter {parameter}; deploy the stack with another value, or run it on your own "
        f"machine with --parameter {parameter}=VALUE"
    )


def _parameter(name: str) -> str:
    return _PARAMETERS.get(name, name.title().replace("_", ""))


def _with_parameter(name: str) -> str:
    return f"{_parameter(name)} ({name})"


_PARAMETERS = {"DYNAMODB_TABLE_NAME": "TableName", "ATHENA_BUCKET_NAME": "BucketName"}
"""The others' names follow: FARE_ATTRIBUTE comes from FareAttribute."""
