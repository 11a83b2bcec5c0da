"""The environment is read once, and each thing wrong with it is named with the next step."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trip_kpis.aws.settings import (
    MergeSettings,
    Settings,
    read_definition,
    read_estimate_terms,
    read_merge_settings,
    read_run_defaults,
    read_settings,
)
from trip_kpis.core.errors import DefinitionError, SettingError
from trip_kpis.core.estimate.forecast import EstimateTerms
from trip_kpis.core.run.publication import PublishingTerms

EVERY = {"DYNAMODB_TABLE_NAME": "trips", "ATHENA_BUCKET_NAME": "results"}
PLAN = {
    "KPI_DEFINITION": "trips",
    "SOURCE": "scan",
    "FARE_ATTRIBUTE": "fare_amount",
    "ESTIMATED_FARE_ATTRIBUTE": "estimated_fare_amount",
    "DAY_ATTRIBUTE": "pickup_datetime",
    "TIME_ZONE": "UTC",
    "TIME_FORMATS": "",
    "EARLIEST_DAY": "2000-01-01",
    "TOTAL_SEGMENTS": "0",
    "MAX_CONCURRENCY": "32",
    "READ_UNITS_PER_SECOND": "0",
    "CONSISTENT_READ": "false",
    "CHECKPOINT_SECONDS": "60",
}
MERGE = {
    "MAX_REJECTED_SHARE": "0.01",
    "VANISHED_DAYS": "keep",
    "SHRUNK_DAYS": "publish",
    "OPEN_DAYS": "publish",
}
TERMS = {
    "MAX_REJECTED_SHARE": "0.01",
    "SHRUNK_DAYS": "publish",
    "SCAN_MEMORY": "512",
    "MERGE_MEMORY": "1769",
}


def test_the_defaults_of_the_stack_are_read() -> None:
    assert read_settings(EVERY) == Settings(table_name="trips", bucket_name="results")
    assert read_merge_settings(MERGE) == MergeSettings(
        max_rejected_share=Decimal("0.01"), publishing=PublishingTerms()
    )
    defaults = read_run_defaults(PLAN)
    assert (defaults.time_zone, defaults.time_formats) == ("UTC", ())
    assert (defaults.total_segments, defaults.max_concurrency) == (0, 32)
    assert (defaults.consistent_read, defaults.checkpoint_seconds) == (False, 60)


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("FARE_ATTRIBUTE", "trip_end.fare", "fare_attribute", "trip_end.fare"),
        ("TIME_ZONE", "America/Sao_Paulo", "time_zone", "America/Sao_Paulo"),
        ("TIME_FORMATS", "%d/%m/%Y|%Y%m%d", "time_formats", ("%d/%m/%Y", "%Y%m%d")),
        ("TIME_FORMATS", "|%d/%m/%Y|", "time_formats", ("%d/%m/%Y",)),
        ("TIME_FORMATS", "epoch_seconds|%Y%m%d", "time_formats", ("epoch_seconds", "%Y%m%d")),
        ("FARE_ATTRIBUTE", r"trip\.end.fare", "fare_attribute", r"trip\.end.fare"),
        ("EARLIEST_DAY", "1900-01-01", "earliest_day", "1900-01-01"),
        ("EARLIEST_DAY", "2100-12-31", "earliest_day", "2100-12-31"),
        ("TOTAL_SEGMENTS", "10000", "total_segments", 10_000),
        ("MAX_CONCURRENCY", "1", "max_concurrency", 1),
        ("READ_UNITS_PER_SECOND", "1000000000", "read_units_per_second", 10**9),
        ("CONSISTENT_READ", "true", "consistent_read", True),
        ("CHECKPOINT_SECONDS", "1", "checkpoint_seconds", 1),
    ],
)
def test_every_default_can_be_set(name: str, text: str, field: str, value: object) -> None:
    assert getattr(read_run_defaults({**PLAN, name: text}), field) == value


@pytest.mark.parametrize(
    ("text", "share"), [("0", "0"), ("1", "1"), ("1.0", "1"), ("1e-3", "0.001"), ("0.29", "0.29")]
)
def test_a_share_is_exactly_what_is_written(text: str, share: str) -> None:
    terms = read_merge_settings({**MERGE, "MAX_REJECTED_SHARE": text})
    assert terms.max_rejected_share == Decimal(share)


@pytest.mark.parametrize(
    ("name", "text", "terms"),
    [
        ("VANISHED_DAYS", "remove", PublishingTerms(remove_vanished_days=True)),
        ("SHRUNK_DAYS", "keep", PublishingTerms(keep_shrunk_days=True)),
        ("OPEN_DAYS", "skip", PublishingTerms(skip_open_days=True)),
    ],
)
def test_days_can_be_left_as_they_are(name: str, text: str, terms: PublishingTerms) -> None:
    assert read_merge_settings({**MERGE, name: text}).publishing == terms


@pytest.mark.parametrize(("text", "may_shrink"), [("publish", True), ("keep", False)])
def test_whether_days_may_shrink(text: str, *, may_shrink: bool) -> None:
    assert read_estimate_terms(TERMS) == EstimateTerms()
    terms = read_estimate_terms({**TERMS, "SHRUNK_DAYS": text})
    assert terms.days_may_shrink == may_shrink


READERS = [
    (read_settings, EVERY),
    (read_run_defaults, PLAN),
    (read_estimate_terms, TERMS),
    (read_merge_settings, MERGE),
]
REQUIRED = [
    (read, whole, name) for read, whole in READERS for name in whole if name != "TIME_FORMATS"
]


@pytest.mark.parametrize(("read", "whole", "name"), REQUIRED, ids=[name for *_, name in REQUIRED])
@pytest.mark.parametrize("value", [None, "", " "])
def test_a_missing_variable_and_a_blank_parameter_are_named(
    read: Any, whole: dict[str, str], name: str, value: str | None
) -> None:
    environment = {key: text for key, text in whole.items() if key != name}
    if value is not None:
        environment[name] = value
    with pytest.raises(SettingError) as caught:
        read(environment)
    said = str(caught.value)
    is_now = f"variable {name} is not set: " if value is None else f"is {value!r}: "
    assert is_now in said
    assert PARAMETERS[name] in said


PARAMETERS = {
    "DYNAMODB_TABLE_NAME": "TableName",
    "ATHENA_BUCKET_NAME": "BucketName",
    "KPI_DEFINITION": "KpiDefinition",
    "SOURCE": "Source",
    "FARE_ATTRIBUTE": "FareAttribute",
    "ESTIMATED_FARE_ATTRIBUTE": "EstimatedFareAttribute",
    "DAY_ATTRIBUTE": "DayAttribute",
    "TIME_ZONE": "TimeZone",
    "EARLIEST_DAY": "EarliestDay",
    "TOTAL_SEGMENTS": "TotalSegments",
    "MAX_CONCURRENCY": "MaxConcurrency",
    "READ_UNITS_PER_SECOND": "ReadUnitsPerSecond",
    "CONSISTENT_READ": "ConsistentRead",
    "CHECKPOINT_SECONDS": "CheckpointSeconds",
    "MAX_REJECTED_SHARE": "MaxRejectedShare",
    "VANISHED_DAYS": "VanishedDays",
    "SHRUNK_DAYS": "ShrunkDays",
    "OPEN_DAYS": "OpenDays",
    "SCAN_MEMORY": "ScanMemory",
    "MERGE_MEMORY": "MergeMemory",
}


WRONG = [
    ("TIME_ZONE", "Mars/Olympus", "IANA"),
    ("TIME_ZONE", "Europe", "IANA"),
    ("TIME_ZONE", "../../etc/passwd", "IANA"),
    ("TIME_ZONE", "/etc/localtime", "IANA"),
    ("TIME_ZONE", "UTC\x00", "IANA"),
    ("TIME_ZONE", "localtime", "IANA"),
    ("TIME_ZONE", "posixrules", "IANA"),
    ("TIME_ZONE", "Factory", "IANA"),
    ("TIME_ZONE", "right/UTC", "Did you mean UTC?"),
    ("TIME_ZONE", "posix/Europe/Berlin", "Did you mean Europe/Berlin?"),
    ("TIME_ZONE", "Berlin", "Did you mean Europe/Berlin?"),
    ("EARLIEST_DAY", "1899-12-31", "1900-01-01 to 2100-12-31"),
    ("EARLIEST_DAY", "2101-01-01", "1900-01-01 to 2100-12-31"),
    ("EARLIEST_DAY", "2000-02-30", "1900-01-01 to 2100-12-31"),
    ("EARLIEST_DAY", "20000101", "1900-01-01 to 2100-12-31"),
    ("EARLIEST_DAY", "2000-W01-1", "1900-01-01 to 2100-12-31"),
    ("EARLIEST_DAY", "1/1/2000", "1900-01-01 to 2100-12-31"),
    ("TOTAL_SEGMENTS", "-1", "0 to 10,000"),
    ("TOTAL_SEGMENTS", "10001", "0 to 10,000"),
    ("TOTAL_SEGMENTS", "1000001", "0 to 10,000"),
    ("TOTAL_SEGMENTS", "1.5", "0 to 10,000"),
    ("TOTAL_SEGMENTS", "ten", "0 to 10,000"),
    ("TOTAL_SEGMENTS", "\u0661", "0 to 10,000"),
    ("TOTAL_SEGMENTS", "1_0", "0 to 10,000"),
    ("MAX_CONCURRENCY", "0", "1 to 10,000"),
    ("MAX_CONCURRENCY", "10001", "1 to 10,000"),
    ("READ_UNITS_PER_SECOND", "1000000001", "0 to 1,000,000,000"),
    ("CONSISTENT_READ", "True", "false or true"),
    ("CONSISTENT_READ", "1", "false or true"),
    ("SOURCE", "Scan", "scan or export"),
    ("CHECKPOINT_SECONDS", "0", "1 to 600"),
    ("CHECKPOINT_SECONDS", "601", "1 to 600"),
    ("OPEN_DAYS", "keep", "publish or skip"),
    ("MAX_REJECTED_SHARE", "1.01", "0 to 1"),
    ("MAX_REJECTED_SHARE", "-0.1", "0 to 1"),
    ("MAX_REJECTED_SHARE", "1%", "0 to 1"),
    ("MAX_REJECTED_SHARE", "nan", "0 to 1"),
    ("MAX_REJECTED_SHARE", "inf", "0 to 1"),
    ("VANISHED_DAYS", "delete", "keep or remove"),
    ("VANISHED_DAYS", "Keep", "keep or remove"),
    ("SHRUNK_DAYS", "remove", "publish or keep"),
    ("SCAN_MEMORY", "255", "256 to 10,240"),
    ("MERGE_MEMORY", "10241", "512 to 10,240"),
]
REFUSED = [(read, whole, *wrong) for wrong in WRONG for read, whole in READERS if wrong[0] in whole]


@pytest.mark.parametrize(
    ("read", "whole", "name", "value", "next_steps"),
    REFUSED,
    ids=[f"{read.__name__}-{name}-{value!r}" for read, _, name, value, _ in REFUSED],
)
def test_a_wrong_value_is_named_with_what_it_must_be(
    read: Any, whole: dict[str, str], name: str, value: str, next_steps: str
) -> None:
    with pytest.raises(SettingError) as caught:
        read({**whole, name: value})
    said = str(caught.value)
    assert said.startswith(f"{PARAMETERS[name]} is {value!r}: it must be ")
    assert next_steps in said
    assert name not in said


@pytest.mark.parametrize("name", ["FARE_ATTRIBUTE", "ESTIMATED_FARE_ATTRIBUTE", "DAY_ATTRIBUTE"])
def test_a_path_with_an_empty_name_is_refused_by_name(name: str) -> None:
    with pytest.raises(SettingError, match=rf"{PARAMETERS[name]} is 'a..b'"):
        read_run_defaults({**PLAN, name: "a..b"})


def test_a_format_that_tells_no_day_is_refused() -> None:
    with pytest.raises(SettingError, match=r"TimeFormats.*'%H:%M'"):
        read_run_defaults({**PLAN, "TIME_FORMATS": "%d/%m/%Y|%H:%M"})


def test_a_path_inside_another_is_refused_because_dynamodb_would_refuse_it() -> None:
    with pytest.raises(SettingError, match=r"'trip' is a map that contains 'trip.fare'"):
        read_run_defaults({**PLAN, "FARE_ATTRIBUTE": "trip.fare", "DAY_ATTRIBUTE": "trip"})
    with pytest.raises(SettingError, match=r"'a\\.b' is a map that contains 'a\\.b\.c'"):
        read_run_defaults({**PLAN, "FARE_ATTRIBUTE": r"a\.b.c", "DAY_ATTRIBUTE": r"a\.b"})


def test_a_name_with_a_dot_is_not_inside_another() -> None:
    defaults = read_run_defaults({**PLAN, "FARE_ATTRIBUTE": r"trip\.fare", "DAY_ATTRIBUTE": "trip"})
    assert defaults.fare_attribute == r"trip\.fare"


def test_one_attribute_may_serve_twice() -> None:
    defaults = read_run_defaults({**PLAN, "ESTIMATED_FARE_ATTRIBUTE": "fare_amount"})
    assert defaults.estimated_fare_attribute == "fare_amount"


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in EVERY.items():
        monkeypatch.setenv(name, value)
    assert read_settings() == read_settings(EVERY)


# The KPI definition

COUNTING = '[item]\nday = "at"\n[kpis]\nn = { count = true }\n'


def test_a_definition_is_one_that_is_deployed_with_the_functions() -> None:
    found = read_definition({"KPI_DEFINITION": "trips"})
    assert found.name == "trips"
    assert "trip_count" in found.text
    assert read_run_defaults(PLAN).kpi_definition.sha256 == found.sha256


def test_or_on_a_laptop_any_file(tmp_path: Path) -> None:
    file = tmp_path / "my orders.toml"
    file.write_text(COUNTING)
    found = read_definition({"KPI_DEFINITION": str(file)})
    assert (found.name, found.text) == ("my orders", COUNTING)


@pytest.mark.parametrize("name", ["tripz", "../definitions/nothing", "trips.toml"])
def test_a_definition_that_is_not_there_is_an_error_with_those_that_are(name: str) -> None:
    with pytest.raises(SettingError) as caught:
        read_definition({"KPI_DEFINITION": name})
    said = str(caught.value)
    assert f"KpiDefinition is {name!r}" in said
    assert "There is trips (" in said


def test_a_file_that_is_not_there_any_more_is_to_be_put_back(tmp_path: Path) -> None:
    file = tmp_path / "d.toml"
    with pytest.raises(SettingError) as caught:
        read_definition({"KPI_DEFINITION": str(file)})
    assert str(caught.value) == (
        f"the KPI definition {file} cannot be read (No such file or directory): put the file back; "
        "to resume a run, it must be as it was"
    )


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "d.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingError, match="utf-8"):
        read_definition({"KPI_DEFINITION": str(file)})


def test_a_definition_that_is_no_toml_is_an_error_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "d.toml"
    file.write_text("[item]\nday = \n")
    with pytest.raises(DefinitionError, match=r"d\.toml is not TOML.*line 2"):
        read_run_defaults({**PLAN, "KPI_DEFINITION": str(file)})
