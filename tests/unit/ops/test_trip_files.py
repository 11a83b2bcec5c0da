"""Reading trips from files: CSV events of one trip become one item; nothing is lost in silence."""

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from ops.trip_files import TripFileError, Trips, read_trips


def written(directory: Path, name: str, text: str) -> Path:
    file = directory / name
    file.write_text(text, encoding="utf-8")
    return file


def items(trips: Trips) -> list[dict]:
    return list(trips.items.values())


def test_rows_of_several_files_that_share_the_trip_id_are_one_item(tmp_path: Path) -> None:
    start = written(tmp_path, "start.csv", "trip_id,pickup_datetime\na,2024-05-25\nb,2024-05-26\n")
    end = written(tmp_path, "end.csv", "fare_amount,trip_id\n1.50,b\n2.50,a\n")
    assert items(read_trips([start, end], hash_key="trip_id")) == [
        {
            "trip_id": {"S": "a"},
            "pickup_datetime": {"S": "2024-05-25"},
            "fare_amount": {"S": "2.50"},
        },
        {
            "trip_id": {"S": "b"},
            "pickup_datetime": {"S": "2024-05-26"},
            "fare_amount": {"S": "1.50"},
        },
    ]


def test_a_key_that_is_no_column_is_given_by_the_trip_id(tmp_path: Path) -> None:
    file = written(tmp_path, "trips.csv", "trip_id,fare_amount\na,1\n")
    assert items(read_trips([file], hash_key="id")) == [
        {"trip_id": {"S": "a"}, "fare_amount": {"S": "1"}, "id": {"S": "a"}}
    ]


def test_an_empty_cell_is_an_empty_string_and_a_byte_order_mark_is_not_a_name(
    tmp_path: Path,
) -> None:
    file = written(tmp_path, "trips.csv", "\ufefftrip_id,fare_amount\na,\n")
    assert items(read_trips([file], hash_key="trip_id")) == [
        {"trip_id": {"S": "a"}, "fare_amount": {"S": ""}}
    ]


def test_a_later_row_with_another_value_counts_and_is_told(tmp_path: Path) -> None:
    file = written(tmp_path, "trips.csv", "trip_id,fare_amount\na,1\na,1\na,2\n")
    trips = read_trips([file], hash_key="trip_id")
    assert items(trips) == [{"trip_id": {"S": "a"}, "fare_amount": {"S": "2"}}]
    assert trips.overwritten == [f"{file} line 4 replaces the fare_amount '1' of trip a by '2'"]


def test_json_lines_in_dynamodb_json_keep_their_types_gzipped_or_not(tmp_path: Path) -> None:
    item = {
        "trip_id": {"S": "a"},
        "fare_amount": {"N": "1.50"},
        "blob": {"B": "aGk="},
        "blobs": {"BS": ["aGk="]},
        "trip_end": {"M": {"seen": {"L": [{"B": "aGk="}, {"NULL": True}]}}},
    }
    line = json.dumps({"Item": item})
    plain = written(tmp_path, "export.json", line + "\n\n")
    packed = tmp_path / "export.json.gz"
    packed.write_bytes(gzip.compress(line.encode()))
    as_boto3_takes_it = {
        "trip_id": {"S": "a"},
        "fare_amount": {"N": "1.50"},
        "blob": {"B": b"hi"},
        "blobs": {"BS": [b"hi"]},
        "trip_end": {"M": {"seen": {"L": [{"B": b"hi"}, {"NULL": True}]}}},
    }
    for file in (plain, packed):
        assert items(read_trips([file], hash_key="trip_id")) == [as_boto3_takes_it]


def test_items_that_differ_in_the_sort_key_alone_are_two(tmp_path: Path) -> None:
    lines = [
        json.dumps({"Item": {"trip_id": {"S": "a"}, "leg": {"N": str(leg)}}}) for leg in (1, 2)
    ]
    file = written(tmp_path, "export.json", "\n".join(lines))
    assert len(read_trips([file], hash_key="trip_id", sort_key="leg").items) == 2
    with pytest.raises(TripFileError, match=r"line 2 has the key a a second time.*--sort-key"):
        read_trips([file], hash_key="trip_id")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,fare_amount\na,1\n", r"has no column 'trip_id'.*id, fare_amount.*--key"),
        ("trip_id,fare_amount\na,1\n,2\n", r"line 3 has no value for the key attribute 'trip_id'"),
        ("trip_id,fare_amount\na\n", r"line 2 has not the 2 fields of the header"),
        ("trip_id,fare_amount\na,1,2\n", r"line 2 has not the 2 fields of the header"),
        ("trip_id,fare_amount,fare_amount\na,1,2\n", r"has the column 'fare_amount' twice"),
        ('trip_id,fare_amount\n"a,1\n', r"is no CSV"),
        ("", r"is empty"),
        ("\n", r"is empty"),
        ('[{"trip_id": 1}]', r"is a JSON array"),
        ("trip_id;fare_amount\na;1\n", r"has no column 'trip_id'.*separated by commas"),
        ('{"Item": {"trip_id": {"S": "a"}, "fare_amount": {"N": "abc"}}}', r"line 1 is no item"),
        ('{"Item": {"trip_id": {"S": "a"}, "fare_amount": {"N": "NaN"}}}', r"line 1 is no item"),
        ('{"Item": {"trip_id": "a"}}', r"line 1 is no item in DynamoDB JSON"),
        ('{"Item": {"trip_id": {"B": "!"}}}', r"line 1 is no item in DynamoDB JSON"),
        ('{"trip_id": {"S": "a"}}', r"line 1 is no item in DynamoDB JSON"),
        ('{"Item": {"trip_id": {"S": "a"}}}\n{broken', r"line 2 is no item in DynamoDB JSON"),
        ('{"Item": {"fare_amount": {"N": "1"}}}', r"line 1 has no value for the key attribute"),
        ('{"Item": {"trip_id": {"BOOL": true}}}', r"line 1 has no value for the key attribute"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_name_line_and_value(
    tmp_path: Path, text: str, message: str
) -> None:
    file = written(tmp_path, "trips.txt", text)
    with pytest.raises(TripFileError, match=rf"trips\.txt.*{message}"):
        read_trips([file], hash_key="trip_id")


def test_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "trips.csv"
    file.write_bytes("trip_id,driver\na,J\xf6rg\n".encode("latin-1"))
    with pytest.raises(TripFileError, match=r"trips\.csv is not UTF-8 text \(byte 18\)"):
        read_trips([file], hash_key="trip_id")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TripFileError, match=r"nowhere\.csv cannot be read"):
        read_trips([tmp_path / "nowhere.csv"], hash_key="trip_id")


def test_an_empty_cell_does_not_replace_what_another_event_of_the_trip_says(tmp_path: Path) -> None:
    start = written(tmp_path, "start.csv", "trip_id,vendor\na,7\nb,\n")
    end = written(tmp_path, "end.csv", "trip_id,vendor\na,\nb,8\n")
    trips = read_trips([start, end], hash_key="trip_id")
    assert [item["vendor"] for item in items(trips)] == [{"S": "7"}, {"S": "8"}]
    assert trips.overwritten == []


def test_a_number_is_as_dynamodb_gives_it_back(tmp_path: Path) -> None:
    values = {"trip_id": {"S": "a"}, "plus": {"N": "+5"}, "set": {"NS": [".5", "7."]}}
    file = written(tmp_path, "export.json", json.dumps({"Item": values}))
    assert items(read_trips([file], hash_key="trip_id")) == [
        {"trip_id": {"S": "a"}, "plus": {"N": "5"}, "set": {"NS": ["0.5", "7"]}}
    ]


def test_a_spreadsheet_is_told_from_a_csv(tmp_path: Path) -> None:
    file = tmp_path / "trips.csv"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(TripFileError, match="is a spreadsheet or a zip archive: export it as CSV"):
        read_trips([file], hash_key="trip_id")


def test_a_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "trips.csv.gz"
    file.write_bytes(gzip.compress(b"trip_id,fare_amount\na,1\n" * 50)[:40])
    with pytest.raises(
        TripFileError, match=r"trips\.csv\.gz is no whole gzip file.*fetch it again"
    ):
        read_trips([file], hash_key="trip_id")


def test_a_cell_may_be_as_large_as_an_item(tmp_path: Path) -> None:
    file = written(tmp_path, "trips.csv", f"trip_id,note\na,{'x' * 400_000}\n")
    assert len(items(read_trips([file], hash_key="trip_id"))[0]["note"]["S"]) == 400_000
