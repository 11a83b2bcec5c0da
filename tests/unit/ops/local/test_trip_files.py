"""Reading trips from files: CSV events of one trip become one item; nothing is lost in silence."""

import bz2
import codecs
import gzip
import json
import lzma
import zipfile
from pathlib import Path

import pytest

from ops.local.trip_files import TripFileError, Trips, read_trips


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


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("Ride-ID", "did you mean --key ride_id?"),
        ("trip_id", "did you mean --key ride_id?"),
        ("plate", "name one of them with --key, or number the rows with --key row"),
    ],
)
def test_a_key_that_no_column_has_is_refused_with_the_columns_and_the_closest_name(
    tmp_path: Path, key: str, message: str
) -> None:
    file = written(tmp_path, "trips.csv", "ride_id,fare_amount\na,1\n")
    with pytest.raises(TripFileError) as refused:
        read_trips([file], hash_key=key)
    for said in (f"no column {key!r}", "ride_id, fare_amount", message):
        assert said in str(refused.value)


def test_a_key_is_not_replaced_by_the_trip_id(tmp_path: Path) -> None:
    file = written(tmp_path, "trips.csv", "trip_id,fare_amount\na,1\n")
    with pytest.raises(TripFileError, match=r"no column 'trip_ID'.*--key trip_id\?"):
        read_trips([file], hash_key="trip_ID")


def test_no_attribute_that_cannot_be_a_key_is_proposed_as_one(tmp_path: Path) -> None:
    line = '{"Item": {"trip": {"M": {}}, "rides": {"S": "a"}, "leg": {"N": "1"}}}'
    with pytest.raises(TripFileError, match=r"only rides, leg: name one of them with --key$"):
        read_trips([written(tmp_path, "export.json", line)], hash_key="trip_x")


def test_two_named_keys_that_are_not_the_table_s_are_both_in_the_error(tmp_path: Path) -> None:
    line = '{"Item": {"id": {"S": "a"}, "leg": {"N": "1"}}}\n'
    file = written(tmp_path, "export.json", line * 2)
    with pytest.raises(TripFileError, match=r"line 2 .*'id' and 'leg' are not the table's key"):
        read_trips([file], hash_key="id", sort_key="leg")


def test_a_key_that_no_attribute_has_is_refused_with_the_closest_name(tmp_path: Path) -> None:
    file = written(tmp_path, "export.json", '{"Item": {"trip_id": {"S": "a"}, "leg": {"N": "1"}}}')
    with pytest.raises(
        TripFileError, match=r"line 1 has no attribute 'Trip_Id'.*trip_id, leg.*--key trip_id\?"
    ):
        read_trips([file], hash_key="Trip_Id")
    with pytest.raises(TripFileError, match=r"no attribute 'LEG'.*--sort-key leg\?"):
        read_trips([file], hash_key="trip_id", sort_key="LEG")


# A CSV without a header


@pytest.mark.parametrize(
    ("key", "line", "why"),
    [
        ("trip_id", "c66ce,93,247,2024-05-25 13:19:00,34.1", "'2024-05-25 13:19:00' is a time"),
        ("trip_id", "c66ce,12.5,card,7,x", "'12.5' is a number"),
        ("trip_id", "7,93,247,1,x", "'7' is a number"),
        ("trip_id", "c66ce,Berlin,Berlin,y,x", "'Berlin' is there twice"),
        ("row", "c66ce,93,247,2024-05-25T13:19:00Z,x", "'2024-05-25T13:19:00Z' is a time"),
        ("id", "c66ce,25/05/2024,y,z,x", "'25/05/2024' is a time"),
        ("id", "c66ce,13:19,y,z,x", "'13:19' is a time"),
        ("id", "c66ce,-3.5,y,z,x", "'-3.5' is a number"),
    ],
)
def test_a_csv_without_a_header_is_refused_with_its_first_line_and_an_example(
    tmp_path: Path, key: str, line: str, why: str
) -> None:
    file = written(tmp_path, "trips.csv", f"{line}\n{line}\n")
    with pytest.raises(TripFileError) as refused:
        read_trips([file], hash_key=key)
    first = "trip_id" if key == "row" else key
    example = f"{first},pickup_datetime,estimated_fare_amount,fare_amount,column_5"
    for said in (f"first line is {line}", why, f"such as {example}"):
        assert said in str(refused.value)


@pytest.mark.parametrize(
    ("key", "header"),
    [
        ("trip_id", "trip_id,2023,2024,2025"),
        ("row", "pickup,fare,2024,vendor"),
        ("7", "7,8,9,10"),
        ("row", "row,1.5,2.5,3.5"),
        ("row", "pickup_1,fare-2,v2.0,2nd"),
    ],
)
def test_a_header_is_not_taken_for_a_trip(tmp_path: Path, key: str, header: str) -> None:
    file = written(tmp_path, "trips.csv", f"{header}\na,b,c,d\n")
    (item,) = items(read_trips([file], hash_key=key))
    assert {*item} == {key, *header.split(",")}


@pytest.mark.parametrize(
    "body", [b"trip_id,fare_amount\n", b"trip_id,fare_amount", b"\n\ntrip_id,fare_amount\n\n"]
)
def test_a_file_with_a_header_alone_is_said_to_have_no_rows(tmp_path: Path, body: bytes) -> None:
    file = tmp_path / "trips.csv"
    file.write_bytes(body)
    trips = read_trips([file], hash_key="trip_id")
    assert (trips.items, trips.remarks) == ({}, [f"{file} has a header and no rows."])


def test_an_empty_cell_is_an_empty_string_and_a_byte_order_mark_is_not_a_name(
    tmp_path: Path,
) -> None:
    file = written(tmp_path, "trips.csv", "\ufefftrip_id,fare_amount\na,\n")
    assert items(read_trips([file], hash_key="trip_id")) == [
        {"trip_id": {"S": "a"}, "fare_amount": {"S": ""}}
    ]


def test_a_second_row_with_the_same_key_is_refused_with_both_lines_and_both_solutions(
    tmp_path: Path,
) -> None:
    file = written(tmp_path, "trips.csv", "trip_id,fare_amount\na,1\nb,1\na,1\n")
    with pytest.raises(TripFileError) as refused:
        read_trips([file], hash_key="trip_id")
    for said in ("the key a ", "line 2", "line 4", "--same-key last", "--key row"):
        assert said in str(refused.value)


def test_rows_with_the_same_key_are_named_by_their_first_lines(tmp_path: Path) -> None:
    text = 'trip_id,note\n\na,"one\ntwo\nthree"\nb,x\na,"four\nfive"\n'
    with pytest.raises(TripFileError, match=r"the key a in line 3 and in line 7,"):
        read_trips([written(tmp_path, "trips.csv", text)], hash_key="trip_id")


@pytest.mark.parametrize("key", ["row", "trip_id"])
def test_a_column_called_row_has_to_be_renamed_before_rows_are_numbered(
    tmp_path: Path, key: str
) -> None:
    file = written(tmp_path, "trips.csv", "row,trip_id,fare\n1,a,5\n1,a,6\n")
    with pytest.raises(TripFileError, match="rename the column 'row', so that --key row numbers"):
        read_trips([file], hash_key=key)


def test_the_last_row_of_a_key_counts_where_that_is_asked_for(tmp_path: Path) -> None:
    file = written(tmp_path, "trips.csv", "trip_id,fare_amount,vendor\na,1,x\na,1,x\na,2,\nb,3,y\n")
    trips = read_trips([file], hash_key="trip_id", same_key="last")
    assert items(trips) == [
        {"trip_id": {"S": "a"}, "fare_amount": {"S": "2"}, "vendor": {"S": ""}},
        {"trip_id": {"S": "b"}, "fare_amount": {"S": "3"}, "vendor": {"S": "y"}},
    ]
    (remark,) = trips.remarks
    assert remark.startswith(f"2 of the 4 rows of {file} are left out")


def test_rows_without_an_id_are_numbered_over_all_files(tmp_path: Path) -> None:
    one = written(tmp_path, "one.csv", "pickup,fare\nx,1\nx,1\n")
    other = written(tmp_path, "other.csv", "trip_id,pickup,fare\na,x,1\n")
    trips = read_trips([one, other], hash_key="row")
    assert [item["row"] for item in items(trips)] == [{"S": "1"}, {"S": "2"}, {"S": "3"}]


def test_a_column_called_row_is_a_key_as_any_other(tmp_path: Path) -> None:
    file = written(tmp_path, "trips.csv", "row,fare\nseven,1\n")
    assert items(read_trips([file], hash_key="row"))[0]["row"] == {"S": "seven"}


def test_rows_that_replace_values_of_another_file_are_counted_as_rows(tmp_path: Path) -> None:
    one = written(tmp_path, "one.csv", "trip_id,fare,vendor\na,1,x\nb,1,x\nc,1,x\n")
    other = written(tmp_path, "other.csv", "trip_id,fare,vendor\na,2,y\nb,1,y\nc,1,x\n")
    trips = read_trips([one, other], hash_key="trip_id")
    assert [item["fare"]["S"] for item in items(trips)] == ["2", "1", "1"]
    (remark,) = trips.remarks
    assert remark.startswith(f"2 of the 3 rows of {other} replace values")
    assert "line 2 has another fare of trip a" in remark


def test_blanks_around_the_names_of_columns_are_no_part_of_them(tmp_path: Path) -> None:
    file = written(tmp_path, "trips.csv", "trip_id, fare_amount ,trip_end.at\na, 1,x\n")
    assert items(read_trips([file], hash_key="trip_id")) == [
        {"trip_id": {"S": "a"}, "fare_amount": {"S": " 1"}, "trip_end.at": {"S": "x"}}
    ]


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
    with pytest.raises(
        TripFileError, match=r"line 2 has the key a, which is in line 1 already: if the.*--sort-key"
    ):
        read_trips([file], hash_key="trip_id")


def test_a_file_that_was_copied_over_another_is_named_with_it(tmp_path: Path) -> None:
    """A sort key is asked for only if none was given, and a Binary is base64."""
    lines = [json.dumps({"Item": {"trip_id": {"S": name}, "leg": {"B": "AP8K"}}}) for name in "abc"]
    files = [
        written(tmp_path, name, text)
        for name, text in {
            "1.json": lines[0], "2.json": "", "3.json": lines[1], "4.json": lines[2],
            "5.json": lines[1],
        }.items()
    ]  # fmt: skip
    for sort_key, key in ((None, "b"), ("leg", "b, AP8K")):
        with pytest.raises(TripFileError) as caught:
            read_trips(files, hash_key="trip_id", sort_key=sort_key)
        says = str(caught.value)
        assert f"{files[4]} line 1 has the key {key}, which {files[2]} has, too" in says
        assert "may be a copy of the other" in says
        assert ("--sort-key" in says) is (sort_key is None)


def test_a_file_of_items_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "export.json", json.dumps({"Item": {"trip_id": {"S": "a"}}}))
    with pytest.raises(TripFileError, match=rf"the key a, which {file} has, too"):
        read_trips([file, file], hash_key="trip_id")


def test_a_key_that_one_file_has_twice_does_not_ask_for_the_sort_key_again(tmp_path: Path) -> None:
    line = json.dumps({"Item": {"trip_id": {"S": "a"}, "leg": {"N": "1"}}})
    file = written(tmp_path, "export.json", f"{line}\n{line}")
    with pytest.raises(TripFileError, match=r"in line 1 already: .* Name it with --key and"):
        read_trips([file], hash_key="trip_id", sort_key="leg")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,fare_amount\na,1\n", r"has no column 'trip_id'.*id, fare_amount.*--key"),
        (
            "trip_id,fare_amount\na,1\n,2\n",
            r"line 3: it has no value for the key",
        ),
        ("trip_id,fare_amount\na\n", r"line 2 does not have the 2 fields of the header"),
        ("trip_id,fare_amount\na,1,2\n", r"line 2 does not have the 2 fields of the header"),
        ("trip_id,fare_amount,fare_amount\na,1,2\n", r"has the column 'fare_amount' twice"),
        ('trip_id,fare_amount\n"a,1\n', r"is not CSV"),
        ("", r"is empty"),
        ("\n", r"is empty"),
        ('[{"trip_id": 1}]', r"is a JSON array"),
        ("trip_id;fare_amount\na;1\n", r"one column.*separated by ';'.*commas"),
        ("trip_id\tfare_amount\na\t1\n", r"one column.*separated by '\\t'.*commas"),
        (
            '{"Item": {"trip_id": {"S": "a"}, "fare_amount": {"N": "abc"}}}',
            r"line 1: fare_amount is 'a",
        ),
        (
            '{"Item": {"trip_id": {"S": "a"}, "fare_amount": {"N": "NaN"}}}',
            r"line 1: fare_amount is 'N",
        ),
        ('{"Item": {"trip_id": "a"}}', r"line 1: trip_id is 'a': a value has its type"),
        ('{"Item": {"trip_id": {"B": "!"}}}', r"line 1: trip_id is '!'.*base64"),
        ('{"trip_id": {"S": "a"}}', r"line 1 is not an item in DynamoDB JSON"),
        ('{"Item": {"trip_id": {"S": "a"}}}\n{broken', r"line 2 is not JSON"),
        (
            '{"Item": {"trip_id": {"S": "a"}}}\n{"Item": {"trip_id": {"N": "1"}}}',
            r"line 2.*one type",
        ),
        ('{"Item": {"fare_amount": {"N": "1"}}}', r"line 1 has no attribute 'trip_id'"),
        ('{"Item": {"trip_id": {"BOOL": true}}}', r"line 1: it has a value of type BOOL"),
        ('{"Item": {"trip_id": {"S": ""}}}', r"line 1: it has no value"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_name_line_and_value(
    tmp_path: Path, text: str, message: str
) -> None:
    file = written(tmp_path, "trips.txt", text)
    with pytest.raises(TripFileError, match=rf"trips\.txt.*{message}"):
        read_trips([file], hash_key="trip_id")


LATIN = "trip_id,driver\na,J\xf6rg\n"


@pytest.mark.parametrize(
    ("body", "place", "name"),
    [
        (LATIN.encode("latin-1"), "line 2, byte 4 (0xF6)", "latin-1"),
        ("trip_id,price\na,5 \u20ac\n".encode("cp1252"), "line 2, byte 5 (0x80)", "cp1252"),
        (LATIN.encode("utf-16"), "line 1, byte 1 (0xFF)", "utf-16"),
        (codecs.BOM_UTF16_BE + LATIN.encode("utf-16-be"), "line 1, byte 1 (0xFE)", "utf-16"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_text_in_another_encoding_is_refused_with_both_solutions_and_read_when_it_is_named(
    tmp_path: Path, body: bytes, place: str, name: str, packed: bool
) -> None:
    file = tmp_path / "trips.csv"
    file.write_bytes(gzip.compress(body) if packed else body)
    with pytest.raises(TripFileError) as refused:
        read_trips([file], hash_key="trip_id")
    for said in (f"{file} {place} is not utf-8", f"--encoding {name}", "iconv -f ", "-t UTF-8"):
        assert said in str(refused.value)
    (item,) = items(read_trips([file], hash_key="trip_id", encoding=name))
    assert item == {
        "trip_id": {"S": "a"},
        **({"price": {"S": "5 \u20ac"}} if name == "cp1252" else {"driver": {"S": "J\xf6rg"}}),
    }


def test_a_byte_order_mark_is_not_a_name_in_any_encoding(tmp_path: Path) -> None:
    file = tmp_path / "trips.csv"
    for encoding in ("utf-8", "utf-8-sig", "utf-16-le"):
        file.write_bytes(f"\ufeff{LATIN}".encode(encoding.removesuffix("-sig")))
        trips = read_trips([file], hash_key="trip_id", encoding=encoding)
        assert items(trips) == [{"trip_id": {"S": "a"}, "driver": {"S": "J\xf6rg"}}]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TripFileError, match=r"nowhere\.csv cannot be read"):
        read_trips([tmp_path / "nowhere.csv"], hash_key="trip_id")


def test_an_empty_cell_does_not_replace_what_another_event_of_the_trip_says(tmp_path: Path) -> None:
    start = written(tmp_path, "start.csv", "trip_id,vendor\na,7\nb,\n")
    end = written(tmp_path, "end.csv", "trip_id,vendor\na,\nb,8\n")
    trips = read_trips([start, end], hash_key="trip_id")
    assert [item["vendor"] for item in items(trips)] == [{"S": "7"}, {"S": "8"}]
    assert trips.remarks == []


def test_a_number_is_as_dynamodb_gives_it_back(tmp_path: Path) -> None:
    values = {"trip_id": {"S": "a"}, "plus": {"N": "+5"}, "set": {"NS": [".5", "7."]}}
    file = written(tmp_path, "export.json", json.dumps({"Item": values}))
    assert items(read_trips([file], hash_key="trip_id")) == [
        {"trip_id": {"S": "a"}, "plus": {"N": "5"}, "set": {"NS": ["0.5", "7"]}}
    ]


def test_a_spreadsheet_is_distinguished_from_a_csv(tmp_path: Path) -> None:
    file = tmp_path / "trips.csv"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(TripFileError, match="is a spreadsheet or a zip archive"):
        read_trips([file], hash_key="trip_id")


def test_a_column_called_pk_does_not_make_a_file_a_zip_archive(tmp_path: Path) -> None:
    file = written(tmp_path, "trips.csv", "PK,SK\na,1\n")
    assert items(read_trips([file], hash_key="PK", sort_key="SK")) == [
        {"PK": {"S": "a"}, "SK": {"S": "1"}}
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is a spreadsheet"),
        (bz2.compress(b"trip_id\na\n"), "is packed with bzip2"),
        (lzma.compress(b"trip_id\na\n"), "is packed with xz"),
        (b"\x28\xb5\x2f\xfd\x00", "is packed with zstd"),
    ],
)
def test_files_of_other_programs_are_recognized(tmp_path: Path, body: bytes, message: str) -> None:
    file = tmp_path / "trips.csv"
    file.write_bytes(body)
    with pytest.raises(TripFileError, match=message):
        read_trips([file], hash_key="trip_id")


def test_a_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "trips.csv.gz"
    file.write_bytes(gzip.compress(b"trip_id,fare_amount\na,1\n" * 50)[:40])
    with pytest.raises(
        TripFileError, match=r"trips\.csv\.gz is not a complete gzip file.*fetch it again"
    ):
        read_trips([file], hash_key="trip_id")


@pytest.mark.parametrize(
    ("header", "place", "advice"),
    [
        (",trip_id", "line 1, column 1", "to_csv(index=False)"),
        ("\ntrip_id, ,fare", "line 2, column 2", "name it, or leave the column out"),
        ("trip_id,,", "line 1, column 2", "name it, or leave the column out"),
    ],
)
def test_a_column_without_a_name_is_refused_with_its_place(
    tmp_path: Path, header: str, place: str, advice: str
) -> None:
    cells = ",".join("abcd"[: header.count(",") + 1])
    file = written(tmp_path, "trips.csv", f"{header}\n{cells}\n")
    with pytest.raises(TripFileError) as refused:
        read_trips([file], hash_key="trip_id")
    assert f"{file} {place} has no name: " in str(refused.value)
    assert advice in str(refused.value)


def test_a_csv_row_that_dynamodb_would_refuse_is_named(tmp_path: Path) -> None:
    text = f"trip_id,note\na,x\nb,{'x' * 500_000}\n"
    with pytest.raises(TripFileError, match=r"line 3: the item has .* in 'note': leave it out"):
        read_trips([written(tmp_path, "trips.csv", text)], hash_key="trip_id")


def test_a_name_that_is_no_unicode_text_is_refused(tmp_path: Path) -> None:
    """UTF-7 can spell half a character."""
    file = tmp_path / "trips.csv"
    file.write_bytes(b"trip_id,+2AA-\na,1\n")
    with pytest.raises(TripFileError, match=r"line 2: an attribute's name .* surrogate"):
        read_trips([file], hash_key="trip_id", encoding="utf-7")


def test_rows_that_are_too_large_together_are_refused(tmp_path: Path) -> None:
    """Else the saved trips of a run could not be read again."""
    files = [
        written(tmp_path, f"{name}.csv", f"trip_id,{name}\na,{'x' * 250_000}\n")
        for name in ("one", "other")
    ]
    with pytest.raises(TripFileError, match=r"other\.csv line 2: together with .* 409,600 at"):
        read_trips(files, hash_key="trip_id")


def test_a_cell_may_be_as_large_as_an_item(tmp_path: Path) -> None:
    file = written(tmp_path, "trips.csv", f"trip_id,note\na,{'x' * 400_000}\n")
    assert len(items(read_trips([file], hash_key="trip_id"))[0]["note"]["S"]) == 400_000


# What DynamoDB accepts, and what it refuses


def item_file(directory: Path, value: str) -> Path:
    return written(
        directory, "export.json", f'{{"Item": {{"trip_id": {{"S": "a"}}, "x": {value}}}}}'
    )


@pytest.mark.parametrize(
    "value",
    ['{"N": "1%s"}' % ("0" * 50), '{"N": "-9.9999999999999999999999999999999999999E+125"}',
     '{"N": "1E-130"}', '{"N": "0E500"}', '{"N": "12345678901234567890123456789012345678"}',
     '{"S": ""}', '{"B": ""}', '{"NULL": true}', '{"L": []}', '{"M": {}}', '{"SS": [""]}',
     '{"S": "\\ud83d\\ude00"}'],
)  # fmt: skip
def test_what_dynamodb_accepts_is_read(tmp_path: Path, value: str) -> None:
    assert len(read_trips([item_file(tmp_path, value)], hash_key="trip_id").items) == 1


def nested(levels: int) -> str:
    return '{"L": [' * levels + '{"S": "x"}' + "]}" * levels


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ('{"N": "123456789012345678901234567890123456789"}', "38 significant digits"),
        ('{"N": "1E126"}', "1E126"),
        ('{"N": "1E-131"}', "1E-131"),
        ('{"N": "1_0"}', "not a Number"),
        ('{"N": " 1"}', "not a Number"),
        ('{"N": "\\u0661"}', "not a Number"),
        ('{"N": 12.1}', r"in quotes, \{\"N\": \"12.1\"\}"),
        ('{"S": 5}', "in quotes"),
        ('{"NULL": "true"}', "NULL is true"),
        ('{"NULL": false}', "NULL is true"),
        ('{"BOOL": "true"}', "BOOL is true or false"),
        ('{"SS": []}', "a set with no values"),
        ('{"NS": ["1", "1.0"]}', "twice the same value"),
        ('{"S": "\\ud800"}', "surrogate"),
        ('{"S": "a", "N": "1"}', "a value has its type"),
        ('{"X": "a"}', "no type 'X'"),
        (nested(40), "deeper than 32"),
        (nested(5000), "nested too deep"),
        ('{"S": "%s"}' % ("x" * 410_000), "409,600"),
    ],
)
def test_what_dynamodb_refuses_is_refused_before_anything_is_loaded(
    tmp_path: Path, value: str, message: str
) -> None:
    with pytest.raises(TripFileError, match=rf"export\.json line 1.*{message}"):
        read_trips([item_file(tmp_path, value)], hash_key="trip_id")


def test_numbers_that_are_equal_are_one_key(tmp_path: Path) -> None:
    lines = [json.dumps({"Item": {"trip_id": {"N": number}}}) for number in ("1", "1.0")]
    file = written(tmp_path, "export.json", "\n".join(lines))
    with pytest.raises(TripFileError, match="which is in line 1 already"):
        read_trips([file], hash_key="trip_id")


def test_numbers_that_differ_in_the_last_of_38_digits_are_two_keys(tmp_path: Path) -> None:
    numbers = [f"1234567890123456789012345678901234567{last}" for last in "89"]
    lines = [json.dumps({"Item": {"trip_id": {"N": number}}}) for number in numbers]
    file = written(tmp_path, "export.json", "\n".join(lines))
    assert list(read_trips([file], hash_key="trip_id").items) == [(one,) for one in numbers]


# Exports as they are on disk, and files that are something else


def test_an_exports_directory_is_read_without_its_manifests(tmp_path: Path) -> None:
    export = tmp_path / "AWSDynamoDB" / "01716790307109-3f5e"
    (export / "data").mkdir(parents=True)
    written(export, "manifest-summary.json", '{"version": "2020-06-30", "itemCount": 2}')
    written(export, "manifest-files.json", '{"itemCount": 2, "dataFileS3Key": "x"}')
    written(export, "manifest-summary.md5", "x")
    for name, lines in (("a", ['{"Item": {"trip_id": {"S": "1"}}}']), ("b", []),
                        ("c", ['{"Item": {"trip_id": {"S": "2"}}}'])):  # fmt: skip
        body = gzip.compress("\n".join(lines).encode())
        (export / "data" / f"{name}.json.gz").write_bytes(body)
    assert list(read_trips([tmp_path], hash_key="trip_id").items) == [("1",), ("2",)]


def test_a_directory_without_data_files_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "notes.txt", "x")
    with pytest.raises(TripFileError, match=r"no trip files.*\.parquet"):
        read_trips([tmp_path], hash_key="trip_id")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$ion_1_0 {Item:{trip_id:'a'}}", "DYNAMODB_JSON"),
        ('{"Metadata": {}, "Keys": {}, "NewImage": {"trip_id": {"S": "a"}}}', "FULL_EXPORT"),
        ('{"version": "2020-06-30", "manifestFilesS3Key": "x"}', "manifest of an export"),
        ('{"itemCount": 3, "dataFileS3Key": "x"}', "manifest of an export"),
        ('{\n "Items": [{"trip_id": {"S": "a"}}],\n "Count": 1\n}', "aws dynamodb scan.*jq"),
        ('{"ModelName": "trips", "DataModel": []}', "NoSQL Workbench"),
        ("PAR1", "not a complete Parquet file"),
    ],
)
def test_a_file_of_another_form_is_recognized(tmp_path: Path, text: str, message: str) -> None:
    file = written(tmp_path, "data.json", text)
    with pytest.raises(TripFileError, match=rf"data\.json.*{message}"):
        read_trips([file], hash_key="trip_id")
