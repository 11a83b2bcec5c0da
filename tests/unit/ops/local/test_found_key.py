"""The key of trips is found by the names that they have, and by what can be read with it."""

import json
from functools import partial
from pathlib import Path

import pytest

from ops.local.found_key import Read, read_with_key_found
from ops.local.trip_files import NoSuchKeyError, TripFileError, read_trips


def reading(directory: Path, name: str, text: str) -> Read:
    (directory / name).write_text(text)
    return partial(read_trips, [directory / name])


def lines(*items: dict[str, dict[str, str]]) -> str:
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


def test_items_without_any_key_are_refused_with_the_names_that_they_have(tmp_path: Path) -> None:
    read = reading(tmp_path, "trips.jsonl", lines({"fare": {"N": "1"}, "at": {"S": "x"}}))
    with pytest.raises(NoSuchKeyError) as refused:
        read_with_key_found(read)
    assert refused.value.names == ("fare", "at")


def test_what_is_wrong_with_the_file_itself_is_said(tmp_path: Path) -> None:
    with pytest.raises(TripFileError, match="is empty"):
        read_with_key_found(reading(tmp_path, "trips.csv", ""))
