"""A part of the segment log as one Parquet file: partials, and where they begin and end.

The rows are of `partials.PartialColumns`; the header is JSON in the file's metadata under
HEADER_KEY.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trip_kpis.core.errors import CorruptPartError
from trip_kpis.core.items.pages import Cursor
from trip_kpis.core.log.counts import MALFORMED, Counts
from trip_kpis.core.log.partials import BREAKDOWN, PartialColumns

HEADER_KEY = b"trip_kpis"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartHeader:
    """The header of a part: its place, the range of its segment, and the counts of that range."""

    plan_sha256: str
    """digest of the plan object's bytes: parts of another plan are foreign"""
    segment: int
    part: int
    start: Cursor | None
    """the cursor after which its first page was read; None: at the segment's beginning"""
    end: Cursor | None
    """the cursor at which its last page ends; None: at the segment's end"""
    counts: Counts
    quarantine_key: str | None
    """S3 key of the part's rejected trips; None where there are none"""
    invocation: str
    """request id of the invocation that appended it"""
    worker_ms: int
    """milliseconds that the worker spent on this part"""
    memory_mb: int

    def to_json(self) -> dict[str, Any]:
        return {
            "plan_sha256": self.plan_sha256,
            "segment": self.segment,
            "part": self.part,
            "start": self.start,
            "end": self.end,
            "tally": self.counts.to_json(),
            "quarantine_key": self.quarantine_key,
            "invocation": self.invocation,
            "worker_ms": self.worker_ms,
            "memory_mb": self.memory_mb,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Inverts `to_json`. Raises one of MALFORMED for anything else."""
        return cls(
            plan_sha256=str(document["plan_sha256"]),
            segment=int(document["segment"]),
            part=int(document["part"]),
            start=_cursor(document["start"]),
            end=_cursor(document["end"]),
            counts=Counts.from_json(document["tally"]),
            quarantine_key=document["quarantine_key"],
            invocation=str(document["invocation"]),
            worker_ms=int(document["worker_ms"]),
            memory_mb=int(document["memory_mb"]),
        )


def _cursor(document: Any) -> Cursor | None:
    if not isinstance(document, dict | None):
        raise TypeError(f"a cursor is {document!r}")
    return document


def encode(header: PartHeader, table: pa.Table) -> bytes:
    """Encodes a part as a Parquet file. Pages carry checksums, so that a flipped bit does not pass
    for data.

    Written to be read once, whole, by a merge that reads a hundred thousand of them: a row per day
    needs no dictionary and no statistics, Parquet's own types say all there is to the schema, and
    unpacking snappy takes half the time that zstd does.
    """
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        table.schema,
        compression="snappy",
        use_dictionary=False,
        write_statistics=False,
        store_schema=False,
        write_page_checksum=True,
    ) as writer:
        writer.write_table(table)
        text = json.dumps(header.to_json(), separators=(",", ":"))
        writer.add_key_value_metadata({HEADER_KEY: text})
    written: bytes = sink.getvalue().to_pybytes()
    return written


def decode(body: bytes, *, key: str, columns: PartialColumns) -> tuple[PartHeader, pa.Table]:
    """Inverts `encode`; `key` is the object's S3 key, for the message.

    Raises CorruptPartError where the file cannot be read, its columns are not the definition's, or
    its rows, by day or in a breakdown, do not hold as many items as its header counted.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(body), page_checksum_verification=True)
        # A few columns of a row a day are read sooner than they are handed to other threads.
        table = file.read(use_threads=False)
        header = PartHeader.from_json(json.loads(table.schema.metadata[HEADER_KEY]))
    except (pa.ArrowException, OSError, *MALFORMED) as error:
        raise CorruptPartError(_corrupt(key, f"it cannot be read ({error!r})")) from error
    if not table.schema.equals(columns.schema):
        raise CorruptPartError(_corrupt(key, f"its columns are {table.schema.names}"))
    for rows_hold in _items(table, columns):
        if rows_hold != header.counts.counted:
            what = f"its rows hold {rows_hold} items, its header {header.counts.counted}"
            raise CorruptPartError(_corrupt(key, what))
    return header, table


def _items(table: pa.Table, columns: PartialColumns) -> list[int]:
    """Counts the items in the rows: by day, and in each of the breakdowns."""
    definition = columns.definition
    of_all = [table]
    if definition.breakdowns:
        numbers = range(len(definition.breakdowns) + 1)
        of_all = [table.filter(pc.equal(table[BREAKDOWN], number)) for number in numbers]
    return [pc.sum(one[definition.items_column]).as_py() or 0 for one in of_all]


def _corrupt(key: str, what: str) -> str:
    return (
        f"the part {key} is damaged: {what}. Parts are written once and never changed, so "
        "something else has touched it: start a new run, and find out who may write to staging/"
    )
