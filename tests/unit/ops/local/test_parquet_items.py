"""Reading trips from Parquet: every value as DynamoDB would have it, exactly."""

import datetime as dt
import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from ops.local.trip_files import TripFileError, read_trips


def written(file: Path, columns: dict[str, pa.Array], **options: Any) -> Path:
    parquet.write_table(pa.table(columns), file, **options)
    return file


def read_value(directory: Path, value: Any, kind: pa.DataType) -> Any:
    """The value as an item has it; None where the item has no such attribute."""
    columns = {"trip_id": pa.array(["a"]), "x": pa.array([value], kind)}
    file = written(directory / "trips.parquet", columns)
    (item,) = read_trips([file], hash_key="trip_id").items.values()
    return item.get("x")


BERLIN = dt.timezone(dt.timedelta(hours=2))
TIME = dt.datetime.fromisoformat("2024-05-25T13:19:00")


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("J\xf6rg", pa.string(), {"S": "J\xf6rg"}),
        ("", pa.large_string(), {"S": ""}),
        ("x", pa.dictionary(pa.int32(), pa.string()), {"S": "x"}),
        (None, pa.string(), None),
        (None, pa.null(), None),
        (True, pa.bool_(), {"BOOL": True}),
        (b"hi", pa.binary(), {"B": b"hi"}),
        (-7, pa.int8(), {"N": "-7"}),
        (2**64 - 1, pa.uint64(), {"N": "18446744073709551615"}),
        (Decimal("12.50"), pa.decimal128(9, 2), {"N": "12.50"}),
        (Decimal("12345678901234567890123456789012345678"), pa.decimal128(38, 0),
         {"N": "12345678901234567890123456789012345678"}),
        (0.1, pa.float64(), {"N": "0.1"}),
        (0.1 + 0.2, pa.float64(), {"N": "0.30000000000000004"}),
        (34.18595283806629, pa.float64(), {"N": "34.18595283806629"}),
        (12.1, pa.float32(), {"N": "12.1"}),
        (16777216.0, pa.float32(), {"N": "16777216"}),
        (dt.date(2024, 5, 25), pa.date32(), {"S": "2024-05-25"}),
        (TIME, pa.timestamp("s"), {"S": "2024-05-25T13:19:00"}),
        (TIME.replace(microsecond=250), pa.timestamp("us"), {"S": "2024-05-25T13:19:00.000250"}),
        (1_716_643_140_000_000_001, pa.timestamp("ns"), {"S": "2024-05-25T13:19:00.000000001"}),
        (TIME.replace(tzinfo=BERLIN), pa.timestamp("ms", "Europe/Berlin"),
         {"S": "2024-05-25T13:19:00+02:00"}),
        (TIME.replace(tzinfo=dt.UTC), pa.timestamp("ns", "UTC"),
         {"S": "2024-05-25T13:19:00+00:00"}),
        (dt.time(13, 19), pa.time32("s"), {"S": "13:19:00"}),
        ([1, None], pa.list_(pa.int64()), {"L": [{"N": "1"}, {"NULL": True}]}),
        ({"fare": 1.5, "at": None}, pa.struct({"fare": pa.float32(), "at": pa.string()}),
         {"M": {"fare": {"N": "1.5"}}}),
        ([("a", [0.1])], pa.map_(pa.string(), pa.list_(pa.float32())),
         {"M": {"a": {"L": [{"N": "0.1"}]}}}),
    ],
)  # fmt: skip
def test_a_value_is_as_dynamodb_would_have_it(
    tmp_path: Path, value: Any, kind: pa.DataType, expected: Any
) -> None:
    assert read_value(tmp_path, value, kind) == expected


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (float("nan"), pa.float64(), "row 1: x is 'nan', which is not a Number"),
        (float("inf"), pa.float32(), "row 1: x is 'inf', which is not a Number"),
        (1e300, pa.float64(), "row 1: x is '1e.300'"),
        (dt.timedelta(seconds=1), pa.duration("s"), "column x has the type duration"),
        ([(1, "a")], pa.map_(pa.int64(), pa.string()), "column x has the type map<int64, string"),
        ([("a", 1), ("a", 2)], pa.map_(pa.string(), pa.int8()), "a map with a key twice"),
    ],
)
def test_what_dynamodb_has_no_value_for_is_refused(
    tmp_path: Path, value: Any, kind: pa.DataType, message: str
) -> None:
    with pytest.raises(TripFileError, match=rf"trips\.parquet.*{message}"):
        read_value(tmp_path, value, kind)


def test_rows_join_with_those_of_a_csv_and_are_read_over_row_groups(tmp_path: Path) -> None:
    start = tmp_path / "start.csv"
    start.write_text("trip_id,pickup_datetime,vendor\na,2024-05-25,7\nb,2024-05-26,8\n")
    end = written(
        tmp_path / "end.parquet",
        {"fare_amount": pa.array([2.5, 1.5]), "trip_id": pa.array(["b", "a"])},
        row_group_size=1,
    )
    end.write_bytes(gzip.compress(end.read_bytes()))
    trips = read_trips([start, end], hash_key="trip_id")
    assert [item["fare_amount"] for item in trips.items.values()] == [{"N": "1.5"}, {"N": "2.5"}]
    assert [item["vendor"] for item in trips.items.values()] == [{"S": "7"}, {"S": "8"}]


def test_parquet_files_of_a_directory_are_read(tmp_path: Path) -> None:
    for name in ("a", "b"):
        written(tmp_path / f"part-{name}.snappy.parquet", {"trip_id": pa.array([name])})
    (tmp_path / "_SUCCESS").touch()
    assert list(read_trips([tmp_path], hash_key="trip_id").items) == [("a",), ("b",)]


def test_rows_are_numbered_and_keys_are_checked_as_in_a_csv(tmp_path: Path) -> None:
    file = written(tmp_path / "trips.parquet", {"ride": pa.array([5, 5])})
    trips = read_trips([file], hash_key="row")
    assert list(trips.items.values()) == [
        {"ride": {"N": "5"}, "row": {"S": "1"}},
        {"ride": {"N": "5"}, "row": {"S": "2"}},
    ]
    with pytest.raises(TripFileError, match=r"the key 5 in row 1 and in row 2"):
        read_trips([file], hash_key="ride")
    with pytest.raises(TripFileError, match=r"no column 'RIDE'.*only ride.*--key ride\?"):
        read_trips([file], hash_key="RIDE")


def test_a_row_without_a_value_for_the_key_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path / "trips.parquet", {"trip_id": pa.array(["a", None]), "fare": [1, 2]})
    with pytest.raises(TripFileError, match="row 2: it has no value for the key"):
        read_trips([file], hash_key="trip_id")


def test_a_file_without_rows_is_said_to_have_none(tmp_path: Path) -> None:
    file = written(tmp_path / "trips.parquet", {"trip_id": pa.array([], pa.string())})
    trips = read_trips([file], hash_key="trip_id")
    assert (trips.items, trips.remarks) == ({}, [f"{file} has a header and no rows."])


def test_a_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path / "trips.parquet", {"trip_id": pa.array(["a"])})
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(TripFileError, match=r"not a complete Parquet file.*fetch it again"):
        read_trips([file], hash_key="trip_id")


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "trips.parquet"
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["trip_id", "trip_id"])
    parquet.write_table(table, file)
    with pytest.raises(TripFileError, match="the column 'trip_id' twice"):
        read_trips([file], hash_key="trip_id")


def test_a_column_without_a_name_is_refused_with_its_place(tmp_path: Path) -> None:
    file = written(tmp_path / "trips.parquet", {"": pa.array([0]), "trip_id": pa.array(["a"])})
    with pytest.raises(TripFileError, match=r"trips\.parquet column 1 has no name: name it"):
        read_trips([file], hash_key="trip_id")
