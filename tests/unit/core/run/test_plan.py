"""A plan is frozen, read back as it was, and continued only under the terms it began with."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.samples import DEFAULTS, PLANNED_AT, TABLE, frozen_export, plan, request
from trip_kpis.core.definition.parsing import DefinitionFile
from trip_kpis.core.errors import InputError, PlanMismatchError, SettingError
from trip_kpis.core.estimate.planning import make_plan
from trip_kpis.core.run.plan import (
    FrozenDefinition,
    Plan,
    check_agreement,
    check_segment,
    check_table,
    check_table_id,
)


def test_reading_inverts_writing() -> None:
    whole = plan(
        key_attributes=("city", "at"),
        time_formats=("%d/%m/%Y", "%Y%m%d"),
        time_zone="America/Sao_Paulo",
        consistent_read=True,
        table_name="tr\u00efps",
    )
    assert Plan.from_bytes(whole.to_bytes()) == whole
    assert Plan.from_bytes(whole.to_bytes()).sha256 == whole.sha256


def test_a_plan_with_an_odd_price_keeps_its_digest() -> None:
    table = replace(TABLE, size_bytes=123_456_789_012_345, item_count=7)
    odd = make_plan(request(), DEFAULTS, table, now=PLANNED_AT)
    assert Plan.from_bytes(odd.to_bytes()).sha256 == odd.sha256


def test_every_difference_shows_in_the_digest() -> None:
    changes: dict[str, Any] = {
        "run_id": "run-2",
        "planned_at": "2024-06-01T02:15:00.000001+00:00",
        "table_id": "another",
        "fare_attribute": "fare",
        "time_zone": "Asia/Kolkata",
        "time_formats": ("%d/%m/%Y",),
        "earliest_day": "1990-01-01",
        "total_segments": 2,
        "consistent_read": True,
    }
    digests = {replace(plan(), **{name: value}).sha256 for name, value in changes.items()}
    assert len(digests | {plan().sha256}) == len(changes) + 1


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff", b"{}", b'{"schema_version": 2}',
     b'{"schema_version": 2, "estimate": []}'],
)  # fmt: skip
def test_what_is_no_plan_is_refused(body: bytes) -> None:
    with pytest.raises(PlanMismatchError):
        Plan.from_bytes(body)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("surplus", 1),
        ("estimate", {}),
        ("run_id", "../run-2"),
        ("run_id", 5),
        ("planned_at", "yesterday"),
        ("planned_at", "2024-06-01T02:15:00"),
        ("planned_at", "2024-06-01T02:15:00+02:00"),
        ("planned_at", None),
        ("table_name", ["trips"]),
        ("key_attributes", None),
        ("key_attributes", []),
        ("key_attributes", ["a", "b", "c"]),
        ("key_attributes", "trip_id"),
        ("fare_attribute", "fare..amount"),
        ("day_attribute", 7),
        ("earliest_day", "soon"),
        ("earliest_day", 2000),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../UTC"),
        ("time_formats", ["%H:%M"]),
        ("time_formats", "%Y%m%d"),
        ("total_segments", 0),
        ("source", "backup"),
        ("source", None),
        ("export_arn", 7),
        ("export_manifest", ["s3://exports/manifest-summary.json"]),
        ("export", {}),
        ("total_segments", 10_001),
        ("total_segments", "4"),
        ("total_segments", 4.0),
        ("total_segments", True),
        ("max_concurrency", 0),
        ("read_units_per_second", -1),
        ("consistent_read", "false"),
        ("checkpoint_seconds", 0),
        ("stored_sha256", "0" * 64),
    ],
)
def test_a_plan_with_another_field_or_value_is_refused_by_its_name(field: str, value: Any) -> None:
    document = {**json.loads(plan().to_bytes()), field: value}
    with pytest.raises(PlanMismatchError, match=f"(?i){field.replace('_', '[_ ]?')}"):
        Plan.from_bytes(json.dumps(document).encode())


@pytest.mark.parametrize("field", sorted(json.loads(plan().to_bytes())))
def test_a_plan_without_one_of_its_fields_is_refused_by_its_name(field: str) -> None:
    document = json.loads(plan().to_bytes())
    del document[field]
    with pytest.raises(PlanMismatchError, match=field.replace("schema_version", "schema version")):
        Plan.from_bytes(json.dumps(document).encode())


def test_the_digest_is_of_the_bytes_as_they_are_stored() -> None:
    body = json.dumps(json.loads(plan().to_bytes()), sort_keys=True).encode()
    assert Plan.from_bytes(body).sha256 == hashlib.sha256(body).hexdigest()
    assert Plan.from_bytes(body) == plan()


def test_another_versions_plan_is_refused_with_both_versions() -> None:
    with pytest.raises(PlanMismatchError, match="schema version 1, this code writes 3"):
        Plan.from_bytes(replace(plan(), schema_version=1).to_bytes())


def test_the_as_of_time_is_utc_so_that_text_order_is_time_order() -> None:
    berlin = timezone(timedelta(hours=2))
    moments = [
        datetime(2024, 6, 1, 2, 15, tzinfo=UTC),
        datetime(2024, 6, 1, 4, 15, 0, 1, tzinfo=berlin),
        datetime(2024, 6, 1, 2, 15, 1, tzinfo=UTC),
    ]
    as_of = [plan(now=moment).planned_at for moment in moments]
    assert as_of == sorted(as_of)
    assert as_of[0] == "2024-06-01T02:15:00.000000+00:00"


def test_the_requests_own_settings_come_first_then_the_stacks_then_the_tables_size() -> None:
    sized = replace(TABLE, size_bytes=10**9, item_count=1)

    def segments(default: int, **asked: Any) -> int:
        defaults = replace(DEFAULTS, total_segments=default)
        return make_plan(request(**asked), defaults, sized, now=PLANNED_AT).total_segments

    assert segments(0) == 4
    assert segments(7) == 7
    assert segments(7, total_segments=3) == 3


def test_false_and_zero_are_asked_for_as_much_as_true_and_one() -> None:
    defaults = replace(DEFAULTS, consistent_read=True, read_units_per_second=500)
    kept = make_plan(request(), defaults, TABLE, now=PLANNED_AT)
    assert (kept.consistent_read, kept.read_units_per_second) == (True, 500)
    asked = request(consistent_read=False, read_units_per_second=0)
    made = make_plan(asked, defaults, TABLE, now=PLANNED_AT)
    assert (made.consistent_read, made.read_units_per_second) == (False, 0)


DECIDES_FIGURES: dict[str, Any] = {
    "table_arn": "arn:other",
    "table_id": "another",
    "key_attributes": ("other",),
    "fare_attribute": "fare",
    "estimated_fare_attribute": "estimate",
    "day_attribute": "dropoff_datetime",
    "time_zone": "Asia/Kolkata",
    "time_formats": ("%d/%m/%Y",),
    "earliest_day": "1990-01-01",
}
STAYS_FROZEN: dict[str, Any] = {
    "total_segments": 9,
    "max_concurrency": 9,
    "read_units_per_second": 9,
    "consistent_read": True,
    "checkpoint_seconds": 9,
    "planned_at": "2025-01-01T00:00:00.000000+00:00",
}


@pytest.mark.parametrize(("name", "value"), DECIDES_FIGURES.items())
def test_what_decides_the_figures_must_be_as_it_was(name: str, value: object) -> None:
    wanted = replace(plan(), **{name: value})
    with pytest.raises(PlanMismatchError) as caught:
        check_agreement(plan(), wanted, request(continues=True))
    assert f"{name} was {getattr(plan(), name)!r}, now it is {value!r}" in str(caught.value)


@pytest.mark.parametrize(("name", "value"), STAYS_FROZEN.items())
def test_the_rest_stays_as_it_was_frozen(name: str, value: object) -> None:
    check_agreement(plan(), replace(plan(), **{name: value}), request(continues=True))


@pytest.mark.parametrize(
    ("name", "value"),
    [("total_segments", 9), ("consistent_read", True)],
)
def test_what_the_request_itself_asks_for_must_be_as_it_was(name: str, value: Any) -> None:
    asked = request(continues=True, **{name: value})
    with pytest.raises(PlanMismatchError, match=name):
        check_agreement(plan(), replace(plan(), **{name: value}), asked)
    check_agreement(replace(plan(), **{name: value}), replace(plan(), **{name: value}), asked)


ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/trips/export/01716603300000-a1b2c3d4"
MANIFEST = "s3://exports/AWSDynamoDB/01716603300000-a1b2c3d4/manifest-summary.json"


@pytest.mark.parametrize(
    ("began", "asked", "is_continued"),
    [
        ({"source": "export"}, {}, True),
        ({"source": "export"}, {"source": "export"}, True),
        ({"source": "export"}, {"source": "scan"}, False),
        ({"source": "scan"}, {"source": "export"}, False),
        ({"source": "scan"}, {"source": "export", "export_arn": ARN}, False),
        ({"source": "export"}, {"source": "export", "export_arn": ARN}, False),
        ({"source": "export", "export_arn": ARN}, {}, True),
        ({"source": "export", "export_arn": ARN}, {"source": "export"}, True),
        ({"source": "export", "export_arn": ARN}, {"source": "export", "export_arn": ARN}, True),
        (
            {"source": "export", "export_arn": ARN},
            {"source": "export", "export_arn": f"{ARN}2"},
            False,
        ),
        (
            {"source": "export", "export_arn": ARN},
            {"source": "export", "export_manifest": MANIFEST},
            False,
        ),
        ({"source": "export", "export_manifest": MANIFEST}, {}, True),
        (
            {"source": "export", "export_manifest": MANIFEST},
            {"source": "export", "export_manifest": MANIFEST},
            True,
        ),
        (
            {"source": "export", "export_manifest": MANIFEST},
            {"source": "export", "export_manifest": MANIFEST.replace("exports", "copies")},
            False,
        ),
    ],
)
@pytest.mark.parametrize("of_stack", ["scan", "export"])
def test_a_run_that_is_continued_keeps_its_source_and_refuses_another(
    began: dict[str, Any], asked: dict[str, Any], is_continued: bool, of_stack: str
) -> None:
    """Whatever the stack's Source is by now."""
    defaults = replace(DEFAULTS, source=of_stack)
    frozen = make_plan(request(**began), DEFAULTS, TABLE, now=PLANNED_AT)
    again = request(continues=True, **asked)
    wanted = make_plan(again, defaults, TABLE, now=PLANNED_AT)
    if is_continued:
        check_agreement(frozen, wanted, again)
        return
    with pytest.raises(PlanMismatchError) as caught:
        check_agreement(frozen, wanted, again)
    differs = [name for name, value in asked.items() if getattr(frozen, name) != value]
    assert all(f"{name} was {getattr(frozen, name)!r}" in str(caught.value) for name in differs)
    assert all(repr(asked[name]) in str(caught.value) for name in differs)


def test_the_stacks_source_is_that_of_a_run_that_asks_for_none() -> None:
    for of_stack in ("scan", "export"):
        defaults = replace(DEFAULTS, source=of_stack)
        assert make_plan(request(), defaults, TABLE, now=PLANNED_AT).source == of_stack
        asked = make_plan(request(source="scan"), defaults, TABLE, now=PLANNED_AT)
        assert asked.source == "scan"


@pytest.mark.parametrize(
    ("asked", "made"),
    [({}, True), ({"export_arn": ARN}, False), ({"export_manifest": MANIFEST}, False)],
)
def test_only_an_export_that_the_run_makes_itself_costs_something(
    asked: dict[str, Any], made: bool
) -> None:
    table = replace(TABLE, size_bytes=100 * 2**30, item_count=1)
    of = make_plan(request(source="export", **asked), DEFAULTS, table, now=PLANNED_AT)
    assert of.makes_export is made
    assert of.estimate.read_cost_usd == (10.0 if made else 0.0)
    assert (of.estimate.read_units, of.estimate.seconds_at_least) == (0, 0)
    assert not plan().makes_export


@pytest.mark.parametrize("asked", [{"read_units_per_second": 500}, {"consistent_read": True}])
def test_what_only_a_scan_can_be_asked_for_is_refused_of_an_export(asked: dict[str, Any]) -> None:
    ((name, value),) = asked.items()
    with pytest.raises(InputError, match=f"{name} is {value!r}"):
        make_plan(request(source="export", **asked), DEFAULTS, TABLE, now=PLANNED_AT)
    of_stack = replace(DEFAULTS, source="export", **asked)
    made = make_plan(request(**{name: type(value)()}), of_stack, TABLE, now=PLANNED_AT)
    assert not getattr(made, name)
    assert not getattr(make_plan(request(), of_stack, TABLE, now=PLANNED_AT), name)


def test_a_plan_that_reads_an_export_is_written_without_it() -> None:
    of = plan(source="export", export_arn=ARN)
    assert Plan.from_bytes(of.with_export(frozen_export(3)).to_bytes()).export is None
    assert Plan.from_bytes(of.to_bytes()) == of
    assert Plan.from_bytes(of.to_bytes()).sha256 == of.sha256


def test_a_table_that_was_created_again_has_another_id() -> None:
    check_table_id(plan(), TABLE.table_id)
    with pytest.raises(PlanMismatchError, match="deleted and created again"):
        check_table_id(plan(), "another")


def test_a_run_over_an_export_is_resumed_after_its_table_was_created_again() -> None:
    asked, made = request(continues=True), plan(source="export")
    check_agreement(made, replace(made, table_id="another", key_attributes=("id",)), asked)
    with pytest.raises(PlanMismatchError, match="table_id"):
        check_agreement(plan(), replace(plan(), table_id="another"), asked)


def test_workers_and_read_budget_may_be_asked_for_anew() -> None:
    asked = request(continues=True, max_concurrency=1, read_units_per_second=500)
    wanted = replace(plan(), max_concurrency=1, read_units_per_second=500)
    check_agreement(plan(), wanted, asked)
    check_agreement(replace(plan(), read_units_per_second=9), wanted, asked)


def test_all_that_differs_is_named_at_once() -> None:
    with pytest.raises(PlanMismatchError) as caught:
        check_agreement(plan(), replace(plan(), **DECIDES_FIGURES), request())
    assert all(name in str(caught.value) for name in DECIDES_FIGURES)


def test_a_worker_refuses_another_table() -> None:
    check_table(plan(), "trips")
    with pytest.raises(PlanMismatchError, match=r"'trips'.*'other'"):
        check_table(plan(), "other")


def test_a_worker_refuses_a_segment_that_the_plan_has_not() -> None:
    three = plan(total_segments=3)
    check_segment(three, 0)
    check_segment(three, 2)
    for segment in (3, -1):
        with pytest.raises(InputError, match="segments 0 to 2"):
            check_segment(three, segment)


def test_rules_are_the_plans() -> None:
    rules = plan(
        fare_attribute="trip_end.fare",
        day_attribute=r"pickup\.at",
        time_zone="Asia/Kolkata",
        time_formats=("%Y%m%d",),
        earliest_day="1990-07-01",
    ).rules
    (fare,) = rules.definition.measures
    assert fare.paths == (("trip_end", "fare"),)
    assert rules.definition.day.paths == (("pickup.at",),)
    assert rules.earliest_day == date(1990, 7, 1)
    assert rules.time_zone.key == "Asia/Kolkata"
    assert rules.time_formats == ("%Y%m%d",)
    assert rules.key_attributes == ("trip_id",)


@pytest.mark.parametrize(
    ("budget", "consistent", "asked", "workers"),
    [
        (1, False, 32, 1),
        (255, False, 32, 1),
        (256, False, 32, 2),
        (256, True, 32, 1),
        (4_096, False, 32, 32),
        (4_095, False, 32, 31),
        (40_000, True, 1_000, 156),
        (40_000, False, 8, 8),
    ],
)
def test_a_budget_is_shared_by_no_more_workers_than_can_read_a_page_a_second(
    budget: int, consistent: bool, asked: int, workers: int
) -> None:
    planned = make_plan(
        request(read_units_per_second=budget, consistent_read=consistent, max_concurrency=asked),
        DEFAULTS,
        TABLE,
        now=PLANNED_AT,
    )
    assert (planned.max_concurrency, planned.read_units_per_second) == (workers, budget)


def test_an_attribute_path_into_a_key_is_refused_before_anything_is_scanned() -> None:
    defaults = replace(DEFAULTS, fare_attribute="trip_id.fare")
    with pytest.raises(SettingError, match=r"'trip_id.fare' leads into 'trip_id'"):
        make_plan(request(), defaults, TABLE, now=PLANNED_AT)
    dotted = replace(TABLE, key_attributes=("trip.id",))
    with pytest.raises(SettingError, match=r"leads into 'trip\.id'"):
        make_plan(
            request(), replace(DEFAULTS, fare_attribute=r"trip\.id.fare"), dotted, now=PLANNED_AT
        )
    keyed_like_a_map = replace(TABLE, key_attributes=("trip",))
    made = make_plan(
        request(), replace(DEFAULTS, fare_attribute=r"trip\.fare"), keyed_like_a_map, now=PLANNED_AT
    )
    assert made.definition.measures[0].paths == (("trip.fare",),)
    keyed_by_day = replace(TABLE, key_attributes=("trip_id", "pickup_datetime"))
    assert make_plan(request(), DEFAULTS, keyed_by_day, now=PLANNED_AT)


# The KPI definition


OTHER = DefinitionFile(
    name="others",
    text='[item]\nday = "at"\n[kpis]\nn = { count = true }\ns = { sum = "${FareAttribute}" }\n',
)


def test_a_plan_has_the_whole_definition_and_reads_by_it() -> None:
    of = Plan.from_bytes(plan(kpi_definition=FrozenDefinition.of(OTHER)).to_bytes())
    assert of.kpi_definition.text == OTHER.text
    assert of.kpi_definition.sha256 == OTHER.sha256
    assert [kpi.name for kpi in of.definition.kpis] == ["n", "s"]
    assert of.rules.definition == of.definition
    assert of.definition.measures[0].paths == (("fare_amount",),)


def test_comments_of_a_definition_decide_nothing() -> None:
    commented = replace(OTHER, text=f"# why\n{OTHER.text.replace('=', '  =')}")
    frozen, wanted = (plan(kpi_definition=FrozenDefinition.of(file)) for file in (OTHER, commented))
    assert frozen.kpi_definition == wanted.kpi_definition
    check_agreement(frozen, wanted, request(continues=True))


@pytest.mark.parametrize("name", ["trips", "others"])
def test_a_run_is_not_resumed_with_another_definition_and_both_are_named(name: str) -> None:
    """Neither with one of another name, nor with one that says something else by now."""
    wanted = replace(OTHER, name=name, text=OTHER.text.replace("sum", "max"))
    frozen = plan(kpi_definition=FrozenDefinition.of(OTHER))
    with pytest.raises(PlanMismatchError) as caught:
        check_agreement(
            frozen, plan(kpi_definition=FrozenDefinition.of(wanted)), request(continues=True)
        )
    was, now = OTHER.sha256[:12], wanted.sha256[:12]
    assert f"kpi_definition was 'others' ({was}), now it is '{name}' ({now})" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sha256": "0" * 64}, "not the one that was frozen"),
        ({"text": OTHER.text + "more = { count = true }\n"}, "not the one that was frozen"),
        ({"text": "[item"}, "others.toml is not TOML"),
        ({"text": OTHER.text.replace("sum", "summ")}, "mean sum?"),
        ({"name": 7}, "kpi_definition"),
        ({"text": None}, "kpi_definition"),
    ],
)
def test_a_plan_whose_definition_was_changed_is_refused(changes: dict[str, Any], said: str) -> None:
    document = json.loads(plan(kpi_definition=FrozenDefinition.of(OTHER)).to_bytes())
    document["kpi_definition"] |= changes
    with pytest.raises(PlanMismatchError) as caught:
        Plan.from_bytes(json.dumps(document).encode())
    assert said in str(caught.value)


def test_a_path_of_the_definition_into_a_key_is_refused() -> None:
    into_key = replace(OTHER, text=OTHER.text.replace('"at"', '"trip_id.at"'))
    defaults = replace(DEFAULTS, kpi_definition=FrozenDefinition.of(into_key))
    with pytest.raises(SettingError, match=r"'trip_id.at' leads into 'trip_id'"):
        make_plan(request(), defaults, TABLE, now=PLANNED_AT)


def test_the_paths_of_a_plan_are_named_by_what_names_them() -> None:
    of = plan(kpi_definition=FrozenDefinition.of(OTHER))
    assert [(one.path, one.role, one.named_by) for one in of.named_paths] == [
        (("fare_amount",), "fare", "FareAttribute"),
        (("at",), "at", "the KPI definition"),
    ]


def test_a_parameter_names_only_the_paths_that_the_definition_takes_from_it() -> None:
    """A definition may write the very path of a parameter; its comments have no effect."""
    text = OTHER.text.replace("${FareAttribute}", "fare_amount") + "# ${FareAttribute}\n"
    of = plan(kpi_definition=FrozenDefinition.of(replace(OTHER, text=text)))
    assert [(one.path, one.role, one.parameter) for one in of.named_paths] == [
        (("fare_amount",), "fare_amount", None),
        (("at",), "at", None),
    ]
