"""A part's file gives back exactly what went in, or it is called damaged."""

import hashlib
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.day_rows import COLUMNS, DayRow, DayRows, as_table, day_rows, rows_of, trips_in
from tests.samples import counts, header
from trip_kpis.core.errors import CorruptPartError
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.log.parts import HEADER_KEY, PartHeader, decode, encode

MAY_25 = date(2024, 5, 25)

cursors = st.none() | st.dictionaries(
    st.text(min_size=1),
    st.integers(0, 2**53) | st.dictionaries(st.sampled_from("SNB"), st.text(), min_size=1),
    min_size=1,
    max_size=2,
)


@given(
    day_rows, cursors, cursors, st.none() | st.text(min_size=1), st.text(), st.integers(0, 10**6)
)
def test_decoding_inverts_encoding(
    of: DayRows, start: Any, end: Any, quarantine_key: str | None, invocation: str, number: int
) -> None:
    written = header(
        segment=number,
        part=number,
        start=start,
        end=end,
        counts=counts(counted=trips_in(of), incomplete=number, **{Reason.TIME_MISSING: 3}),
        quarantine_key=quarantine_key,
        invocation=invocation,
    )
    read, table = decode(encode(written, as_table(of)), key="k", columns=COLUMNS)
    assert read == written
    assert table.equals(as_table(of))


def test_the_same_part_gives_the_same_bytes() -> None:
    of = rows_of([(MAY_25, Decimal("12.5"))])
    assert encode(header(), as_table(of)) == encode(header(), as_table(of))


def small_file() -> tuple[bytes, tuple[PartHeader, pa.Table]]:
    of = rows_of([(MAY_25, Decimal("12.5")), (date(2024, 5, 26), Decimal(-3))])
    end_key = {"trip_id": {"B": "AP8="}, "at": {"N": "12"}}
    written = header(
        start={"trip_id": {"S": "t-17"}},
        end=end_key,
        counts=counts(counted=2, incomplete=5),
    )
    body = encode(written, as_table(of))
    return body, decode(body, key="k", columns=COLUMNS)


def test_no_truncation_passes() -> None:
    body, _ = small_file()
    for length in range(len(body)):
        with pytest.raises(CorruptPartError):
            decode(body[:length], key="k", columns=COLUMNS)


def test_a_flipped_byte_is_an_error_or_changes_nothing_but_the_unsummed_header() -> None:
    # The file's pages carry checksums, its header does not: there the segment log's own sha256 is
    # what catches it, before this is read. Rows can never change in silence, nor what they sum to.
    body, whole = small_file()
    digest = hashlib.sha256(body).digest()
    passed = 0
    for place in range(len(body)):
        for flip in (1 << place % 8, 0xFF):
            damaged = bytearray(body)
            damaged[place] ^= flip
            assert hashlib.sha256(damaged).digest() != digest
            try:
                read, table = decode(bytes(damaged), key="k", columns=COLUMNS)
            except CorruptPartError:
                continue
            passed += 1
            assert table.equals(whole[1])
            assert read.counts.counted == whole[0].counts.counted
    assert passed  # else the sha256 would be one check too many


@pytest.mark.parametrize("body", [b"", b"PAR1", b"PAR1PAR1", b"{}", b"\x00" * 1000])
def test_what_is_no_parquet_file_is_damaged(body: bytes) -> None:
    with pytest.raises(CorruptPartError, match="segment=00000/part-00000"):
        decode(body, key="staging/run=r/segment=00000/part-00000.parquet", columns=COLUMNS)


def rewritten(table: pa.Table, metadata: dict[bytes, bytes] | None) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(metadata), sink)
    written: bytes = sink.getvalue().to_pybytes()
    return written


def document(**changes: Any) -> bytes:
    return json.dumps({**header().to_json(), **changes}).encode()


ONE_TRIP = as_table(rows_of([(MAY_25, Decimal(1))]))


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {b"other": b"{}"},
        {HEADER_KEY: b"{}"},
        {HEADER_KEY: b"[]"},
        {HEADER_KEY: b"null"},
        {HEADER_KEY: b"not json"},
        {HEADER_KEY: b"\xff"},
        {HEADER_KEY: document(tally=None)},
        {HEADER_KEY: document(tally=[])},
        {HEADER_KEY: document(segment="x")},
        {HEADER_KEY: document(start="trip")},
        {HEADER_KEY: document(start=["t-1"])},
        {HEADER_KEY: document(end=17)},
        {HEADER_KEY: document(tally={**header().to_json()["tally"], "rejected": []})},
        {HEADER_KEY: document(tally={**header().to_json()["tally"], "rejected": {"late": 1}})},
    ],
)
def test_a_file_without_a_whole_header_is_damaged(metadata: dict[bytes, bytes] | None) -> None:
    with pytest.raises(CorruptPartError):
        decode(rewritten(ONE_TRIP, metadata), key="k", columns=COLUMNS)


def test_other_columns_are_damage() -> None:
    good = {HEADER_KEY: document()}
    decode(rewritten(ONE_TRIP, good), key="k", columns=COLUMNS)
    floats = ONE_TRIP.set_column(2, "total_fare", pa.array([1.0]))
    for table in (
        floats,
        ONE_TRIP.drop_columns(["max_fare"]),
        ONE_TRIP.rename_columns(list("abcde")),
    ):
        with pytest.raises(CorruptPartError):
            decode(rewritten(table, good), key="k", columns=COLUMNS)


@pytest.mark.parametrize("trips", [0, 2])
def test_rows_that_do_not_hold_what_the_header_counted_are_damage(trips: int) -> None:
    with pytest.raises(CorruptPartError, match=f"hold 1 items, its header {trips}"):
        decode(encode(header(counts=Counts(counted=trips)), ONE_TRIP), key="k", columns=COLUMNS)


def test_a_part_without_rows_is_a_part() -> None:
    read, table = decode(
        encode(header(counts=counts(counted=0, incomplete=7)), as_table({})),
        key="k",
        columns=COLUMNS,
    )
    assert (read.counts.incomplete, table.num_rows) == (7, 0)


def test_days_and_fares_at_their_ends_survive() -> None:
    top, low = Decimal("9" * 20 + "." + "9" * 18), Decimal("-" + "9" * 20 + "." + "9" * 18)
    of = {
        date.min: DayRow(trip_count=1, total_fare=top, min_fare=top, max_fare=top),
        date.max: DayRow(trip_count=10**11, total_fare=low, min_fare=low, max_fare=low),
    }
    _, table = decode(
        encode(header(counts=counts(counted=10**11 + 1)), as_table(of)), key="k", columns=COLUMNS
    )
    assert table.equals(as_table(of))
