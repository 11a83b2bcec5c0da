"""An export's files are fetched in pieces, the next one while one is read."""

import gzip
from threading import Event

import pytest

from tests import samples
from trip_kpis.aws import export_files
from trip_kpis.aws.bucket import ObjectPiece
from trip_kpis.aws.export_files import ExportFiles
from trip_kpis.core.export import lines
from trip_kpis.core.export.frozen import ExportFile, FrozenExport

BODY = gzip.compress(b'{"Item":{"trip_id":{"S":"t-1"}}}\n' * 2_000, compresslevel=0)
PIECE_BYTES = 10_000


class _Pieces:
    """A bucket with one object, which notes what is asked for."""

    def __init__(self) -> None:
        self.asked = {start: Event() for start in range(0, len(BODY), PIECE_BYTES)}

    def url(self, key: str) -> str:
        return key

    def piece(self, _key: str, *, start: int, length: int, etag: str | None = None) -> ObjectPiece:
        self.asked[start].set()
        return ObjectPiece(body=BODY[start : start + length], etag='"1"', size=len(BODY))


def test_the_next_piece_is_fetched_while_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_files, "PIECE_BYTES", PIECE_BYTES)
    monkeypatch.setattr(lines, "BLOCK_BYTES", 1_000)
    bucket = _Pieces()
    frozen = FrozenExport(
        plan_sha256="0",
        export_arn=None,
        as_of="2024-06-01T00:00:00.000000+00:00",
        table_arn="arn",
        bucket="exports",
        manifest_key="manifest-summary.json",
        billed_bytes=0,
        segments=((ExportFile(key="data/a.json.gz", items=2_000, md5=None),),),
    )
    pages = ExportFiles(bucket=bucket, plan=samples.plan(), export=frozen).pages(0, after=None)
    scanned = 0
    for page in pages:
        scanned += page.scanned
        if scanned * 33 > PIECE_BYTES * 1.5:  # the second piece is being read
            break
    assert bucket.asked[2 * PIECE_BYTES].wait(60)
    assert scanned + sum(page.scanned for page in pages) == 2_000
