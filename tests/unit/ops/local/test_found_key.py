"""The key of trips is found by the names that they have, and by what can be read with it."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ops.local.found_key import Read, read_with_key_found
from ops.local.trip_files import NoSuchKeyError, TripFileError, read_trips

Item = dict[str, dict[str, Any]]


def reading(directory: Path, name: str, text: str) -> Read:
    (directory / name).write_text(text)
    return partial(read_trips, [directory / name])


def lines(*items: Item) -> str:
    return "".join(json.dumps({"Item": item}) + "\n" for item in items)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("fare,trip_id\n1,a\n", "trip_id"),
        ("fare,Order Id\n1,a\n", "Order Id"),
        ('"Stadt, Fahrt id",fare\na,1\na b,1\n', "Stadt, Fahrt id"),
        ("zone_id,ride_id\n1,a\n1,b\n", "ride_id"),
        ("fare,at\n1,2024-05-25\n", "row"),
    ],
)
def test_the_first_name_like_a_key_that_differs_in_every_row(
    tmp_path: Path, text: str, key: str
) -> None:
    trips = read_with_key_found(reading(tmp_path, "trips.csv", text))
    assert trips.key_attributes == (key,)


def test_a_pair_of_keys_is_a_pair_though_the_first_alone_differs_in_every_item(
    tmp_path: Path,
) -> None:
    text = lines(*({"PK": {"S": one}, "SK": {"S": "trip"}} for one in "ab"))
    trips = read_with_key_found(reading(tmp_path, "trips.jsonl", text))
    assert trips.key_attributes == ("PK", "SK")


def leg(number: int, sort: dict[str, str]) -> Item:
    """One of the two items of a ride."""
    return {
        "status": {"S": "paid"},
        "trip": {"M": {"fare": {"N": "1"}}},
        "ride_id": {"S": f"ride-{number // 2}"},
        "vendor_id": {"N": str(number % 3)},
        "fare": {"N": f"{number}.5"},
        "leg": sort,
    }


@pytest.mark.parametrize("kind", ["S", "N", "B"])
def test_a_sort_key_of_every_type_is_found(tmp_path: Path, kind: str) -> None:
    sorts = [{kind: one} for one in (("MA==", "MQ==") if kind == "B" else "01")]
    text = lines(*(leg(number, sorts[number % 2]) for number in range(20)))
    trips = read_with_key_found(reading(tmp_path, "trips.jsonl", text))
    assert trips.key_attributes == ("ride_id", "leg")


def test_a_sort_key_with_any_name_is_found_and_an_amount_is_the_last_choice(
    tmp_path: Path,
) -> None:
    def item(number: int) -> Item:
        return {
            "fare": {"N": f"{number}.5"},
            "tip": {"N": f"{number % 2}"},
            "driver_id": {"S": f"{number // 4}"},
            "started": {"S": f"2024-05-{number % 7 + 10}"},
            "tags": {"SS": [f"{number}"]},
            "note": {"S": "" if number == 9 else f"{number}"},
        }

    text = lines(*(item(number) for number in range(28)))
    trips = read_with_key_found(reading(tmp_path, "trips.jsonl", text))
    assert trips.key_attributes == ("driver_id", "started")


def test_no_attribute_that_one_item_lacks_or_has_as_another_type_is_a_key(tmp_path: Path) -> None:
    items = [{"a_id": {"S": f"{n}"}, "b_id": {"S": f"{n}"}, "c_id": {"S": f"{n}"}} for n in (1, 2)]
    items[1]["a_id"] = {"N": "2"}
    del items[1]["b_id"]
    trips = read_with_key_found(reading(tmp_path, "trips.jsonl", lines(*items)))
    assert trips.key_attributes == ("c_id",)


def test_a_named_sort_key_gets_its_hash_key(tmp_path: Path) -> None:
    items = [leg(number, {"N": str(number % 2)}) for number in range(20)]
    read = reading(tmp_path, "trips.jsonl", lines(*items))
    assert read_with_key_found(read, sort_key="leg").key_attributes == ("ride_id", "leg")
    of_rows = reading(tmp_path, "trips.csv", "fare,ride_id,leg\n1,a,1\n1,a,2\n")
    assert read_with_key_found(of_rows, sort_key="leg").key_attributes == ("ride_id", "leg")


@pytest.mark.parametrize(
    ("sort_key", "says"),
    [
        ("laeg", "'laeg'.*did you mean --sort-key leg"),
        ("trip", "a value of type M for the key attribute 'trip'"),
        ("status", "the sort key is not 'status'"),
    ],
)
def test_an_error_of_a_named_sort_key_is_about_that_name(
    tmp_path: Path, sort_key: str, says: str
) -> None:
    text = lines(*(leg(number, {"N": str(number % 2)}) for number in range(20)))
    with pytest.raises(TripFileError, match=says) as refused:
        read_with_key_found(reading(tmp_path, "trips.jsonl", text), sort_key=sort_key)
    assert "trip_id" not in str(refused.value)


def test_an_error_of_a_named_sort_key_of_rows_is_about_that_name(tmp_path: Path) -> None:
    read = reading(tmp_path, "trips.csv", "fare,ride_id,leg\n1,a,1\n")
    with pytest.raises(NoSuchKeyError, match=r"'laeg'.*--sort-key leg"):
        read_with_key_found(read, sort_key="laeg")


def test_only_what_can_be_a_key_is_proposed(tmp_path: Path) -> None:
    items = [{"trip": {"M": {}}, "fare": {"N": f"{n}"}, "at": {"S": "x"}} for n in (1, 2)]
    with pytest.raises(NoSuchKeyError, match=r"--key.*: fare, at$") as refused:
        read_with_key_found(reading(tmp_path, "trips.jsonl", lines(*items)))
    assert "trip" not in str(refused.value)


def test_items_without_anything_that_can_be_a_key_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NoSuchKeyError) as refused:
        read_with_key_found(reading(tmp_path, "trips.jsonl", lines({"trip": {"M": {}}})))
    assert refused.value.names == ()


def test_a_wrong_line_is_named_although_the_first_line_lacks_the_trip_id(tmp_path: Path) -> None:
    read = reading(tmp_path, "trips.jsonl", lines({"fare": {"N": "1"}}) + "{\n")
    with pytest.raises(TripFileError, match="line 2 is not JSON"):
        read_with_key_found(read)


def test_items_without_any_key_are_refused_with_the_names_that_they_have(tmp_path: Path) -> None:
    read = reading(tmp_path, "trips.jsonl", lines({"fare": {"N": "1"}, "at": {"S": "x"}}))
    with pytest.raises(NoSuchKeyError) as refused:
        read_with_key_found(read)
    assert refused.value.names == ("fare", "at")


def test_what_is_wrong_with_the_file_itself_is_said(tmp_path: Path) -> None:
    with pytest.raises(TripFileError, match="is empty"):
        read_with_key_found(reading(tmp_path, "trips.csv", ""))
