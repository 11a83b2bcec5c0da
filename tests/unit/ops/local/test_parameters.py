"""Attribute paths are compared with the trips before anything is loaded."""

from pathlib import Path
from typing import Any

import pytest

from ops.local.parameters import deployable, fit_parameters, functions_environment
from ops.local.trip_files import Trips
from tests.samples import trip
from trip_kpis.core.errors import DefinitionError, SettingError


def trips(*items: dict[str, Any]) -> Trips:
    return Trips(
        hash_key="trip_id",
        sort_key=None,
        items={(str(number),): item for number, item in enumerate(items)},
    )


def refusal(of: Trips, **parameters: str) -> str:
    with pytest.raises(SettingError) as refused:
        fit_parameters(parameters, of)
    return str(refused.value)


def test_parameters_that_fit_stay_as_they_are() -> None:
    fitted = fit_parameters({}, trips(trip(), trip("t-2", fare_amount=None)))
    assert (fitted.parameters, fitted.remarks) == ({}, ())


@pytest.mark.parametrize(
    ("there", "named"),
    [
        ("Fare_Amount", "--parameter FareAttribute=Fare_Amount"),
        ("fareAmount", "--parameter FareAttribute=fareAmount"),
        ("fare amount", "--parameter FareAttribute='fare amount'"),
        ("fare_amuont", "--parameter FareAttribute=fare_amuont"),
        ("fare.amount", r"--parameter FareAttribute='fare\.amount'"),
        ("total", "--parameter FareAttribute='<one of these>'".replace("'", "")),
    ],
)
def test_a_wrong_name_is_refused_with_the_parameter_that_would_fit(there: str, named: str) -> None:
    said = refusal(trips(trip(fare_amount=None, **{there: {"N": "1"}}, estimated_fare_amount=None,
                              estimate={"N": "1"})), EstimatedFareAttribute="estimate")  # fmt: skip
    assert "no trip has fare_amount, which FareAttribute names" in said
    assert said.endswith(named)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("MaxRejectedShare", "nan"), ("TimeZone", "Berlin"), ("TimeFormats", "%H")],
)
def test_a_value_that_no_function_reads_is_refused_before_the_run(
    parameter: str, value: str
) -> None:
    assert value in refusal(trips(trip()), **{parameter: value})


def test_a_time_zone_is_proposed_as_an_option() -> None:
    said = refusal(trips(trip()), TimeZone="Berlin")
    assert said == (
        "Berlin is no IANA time zone name: did you mean --parameter TimeZone=Europe/Berlin?"
    )
    assert "--parameter TimeZone=Europe/Berlin is one" in refusal(trips(trip()), TimeZone="XYZ")


def test_every_wrong_name_is_refused_at_once() -> None:
    item = {"trip_id": {"S": "a"}, "FARE_AMOUNT": {"S": "1"}, "Pickup Datetime": {"S": "x"}}
    said = refusal(trips(item))
    for name in ("FareAttribute=FARE_AMOUNT", "DayAttribute='Pickup Datetime'",
                 "EstimatedFareAttribute="):  # fmt: skip
        assert f"--parameter {name}" in said


def test_where_a_wrong_name_is_not_refused_it_is_a_remark_and_other_names_are_fitted() -> None:
    of = trips(trip(fare_amount=None, **{"trip_end.fare_amount": {"S": "1"}}))
    given = {"FareAttribute": "trip_end.fare_amount", "DayAttribute": "pickup"}
    fitted = fit_parameters(given, of, refuse_absent=False)
    assert fitted.parameters == {**given, "FareAttribute": r"trip_end\.fare_amount"}
    assert "is one column" in fitted.remarks[0]
    assert fitted.remarks[1].startswith("no trip has pickup, which DayAttribute names. The trips")
    assert fitted.remarks[1].endswith("--parameter DayAttribute=pickup_datetime")


def test_what_a_sample_lacks_is_a_remark_without_a_replacement(tmp_path: Path) -> None:
    """The items that were not sampled may have it."""
    sample = trips(trip(fare_amount=None, fare={"N": "1"}), trip("t-2", fare_amount=None))
    fitted = fit_parameters({}, sample, is_sample=True)
    assert fitted.parameters == {}
    (remark,) = fitted.remarks
    assert remark == (
        "None of the 2 sampled items has fare_amount, which FareAttribute names. They have "
        "trip_id, estimated_fare_amount, pickup_datetime, fare. If the name is wrong, correct it; "
        "Ctrl-C stops a run."
    )
    item = {name: value for name, value in ORDER.items() if name not in {"city", "price", "status"}}
    both, city = fit_parameters(defined(tmp_path), trips(item), is_sample=True).remarks[::-1]
    assert city == "None of the 1 sampled items has city, which breakdowns.city names."
    assert both.startswith(
        "None of the 1 sampled items has status, which item.where names, or price, which "
        "kpis.revenue.sum names. They have "
    )


def test_a_path_into_a_map_that_no_trip_has_is_refused() -> None:
    said = refusal(trips(trip(trip_end={"M": {"fee": {"N": "1"}}})), FareAttribute="trip_end.fare")
    assert "no trip has trip_end.fare" in said


def test_a_flattened_column_is_found_by_its_whole_name() -> None:
    of = trips(trip(fare_amount=None, **{"trip_end.fare_amount": {"S": "1"}}))
    fitted = fit_parameters({"FareAttribute": "trip_end.fare_amount"}, of)
    assert fitted.parameters["FareAttribute"] == r"trip_end\.fare_amount"
    assert "is one column" in fitted.remarks[0]
    written = fit_parameters({"FareAttribute": r"trip_end\.fare_amount"}, of)
    assert (written.parameters["FareAttribute"], written.remarks) == (r"trip_end\.fare_amount", ())


def test_a_nested_map_is_preferred_to_a_column_of_that_name() -> None:
    of = trips(trip(trip_end={"M": {"fare": {"N": "1"}}}, **{"trip_end.fare": {"N": "2"}}))
    fitted = fit_parameters({"FareAttribute": "trip_end.fare"}, of)
    assert fitted.parameters["FareAttribute"] == "trip_end.fare"


def test_files_without_trips_are_no_mistake_of_names() -> None:
    assert fit_parameters({}, trips()).remarks == ("The files have no trips in them.",)


DEFINITION = """
[item]
day = "done_at"

[item.where]
status = "completed"
deleted_at = { exists = false }
kind = { not = "test" }

[kpis]
trips = { count = true }
revenue = { sum = "price" }
tips = { sum = "tip", missing = 0 }

[breakdowns]
city = ["city"]
"""
ORDER = {
    "trip_id": {"S": "a"},
    "done_at": {"S": "2024-05-25"},
    "status": {"S": "completed"},
    "price": {"N": "3"},
    "city": {"S": "Berlin"},
    "tip": {"N": "1"},
}


def defined(directory: Path, text: str = DEFINITION) -> dict[str, str]:
    file = directory / "orders.toml"
    file.write_text(text)
    return {"KpiDefinition": str(file)}


def test_a_definition_by_its_path_reaches_the_functions_and_not_the_template(
    tmp_path: Path,
) -> None:
    given = defined(tmp_path) | {"TimeZone": "Europe/Berlin"}
    of_template, variables = deployable(given)
    assert of_template == {"TimeZone": "Europe/Berlin"}
    assert variables == {"KPI_DEFINITION": given["KpiDefinition"]}
    environment = functions_environment(given | {"TableName": "trips"})
    assert environment["KPI_DEFINITION"] == given["KpiDefinition"]
    assert deployable({"KpiDefinition": "trips"}) == ({"KpiDefinition": "trips"}, {})


def test_a_definition_needs_none_of_the_default_attributes(tmp_path: Path) -> None:
    given = defined(tmp_path)
    assert fit_parameters(given, trips(ORDER)).remarks == ()
    assert fit_parameters(given, trips(ORDER)).parameters == given


@pytest.mark.parametrize(
    ("name", "there", "key"),
    [
        ("done_at", "Done At", "item.day"),
        ("status", "Status", "item.where"),
        ("price", "Price", "kpis.revenue.sum"),
    ],
)
def test_a_path_of_the_definition_that_decides_everything_is_refused(
    tmp_path: Path, name: str, there: str, key: str
) -> None:
    item = {there if one == name else one: value for one, value in ORDER.items()}
    said = refusal(trips(item), **defined(tmp_path))
    assert f"no trip has {name}, which {key} names" in said
    assert said.endswith(f'In orders.toml, write "{there}" instead of "{name}" in {key}')


def test_groups_and_numbers_with_a_stand_in_that_no_trip_has_are_remarks(tmp_path: Path) -> None:
    item = {name: value for name, value in ORDER.items() if name not in {"city", "tip"}}
    fitted = fit_parameters(defined(tmp_path), trips(item))
    assert fitted.remarks == (
        "No trip has tip, which kpis.tips.sum names.",
        "No trip has city, which breakdowns.city names.",
    )


def test_a_wrong_definition_is_refused_before_the_trips_are_compared(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"orders\.toml: kpis\.trips\.cuont"):
        fit_parameters(defined(tmp_path, DEFINITION.replace("count", "cuont")), trips(ORDER))
