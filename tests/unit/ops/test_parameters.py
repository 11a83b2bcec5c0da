"""What is said of parameters and trips before anything runs."""

import pytest

from ops.embedded.errors import DeploymentError
from ops.parameters import check_parameters
from ops.trip_files import Trips
from tests.samples import trip
from trip_kpis.core.errors import SettingError


def trips(*items: dict[str, object]) -> Trips:
    return Trips(
        hash_key="trip_id",
        sort_key=None,
        items={(str(number),): item for number, item in enumerate(items)},  # type: ignore[misc]
    )


TABLE = {"TableName": "trips"}


def test_trips_that_have_what_the_parameters_name_need_no_remark() -> None:
    assert (
        check_parameters({"TableName": "trips"}, trips(trip("a", fare_amount=None), trip())) == ()
    )


def test_an_attribute_that_no_trip_has_is_named_with_those_there_are() -> None:
    (remark,) = check_parameters(
        {"TableName": "trips", "FareAttribute": "total.net"}, trips(trip())
    )
    assert remark == (
        "No trip has total.net (FareAttribute), only trip_id, fare_amount, estimated_fare_amount, "
        "pickup_datetime. If it is one of these: --parameter FareAttribute=…"
    )


def test_a_name_with_a_dot_is_found_and_written_as_a_parameter_names_it() -> None:
    flat = trips(trip(**{"fare.amount": {"N": "7"}}))
    assert check_parameters({**TABLE, "FareAttribute": r"fare\.amount"}, flat) == ()
    (remark,) = check_parameters({**TABLE, "FareAttribute": "fare.amount"}, flat)
    assert remark.startswith("No trip has fare.amount (FareAttribute), only trip_id")
    assert r"fare\.amount. If it is one of these" in remark


def test_files_without_trips_are_told_to_be_so() -> None:
    assert check_parameters(TABLE, trips()) == ("The files hold no trips.",)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("TimeZone", "Europe/Berln", SettingError),
        ("TimeFormats", "%d/%m/%Y|%s", SettingError),
        ("Timezone", "UTC", DeploymentError),
        ("MaxRejectedShare", "20%", DeploymentError),
    ],
)
def test_what_no_run_can_have_is_refused(name: str, value: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=name if error is DeploymentError else None):
        check_parameters({**TABLE, name: value}, trips(trip()))
