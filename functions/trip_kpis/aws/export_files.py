"""An export as the source: its data files in S3, in the segments that the run has recorded."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from trip_kpis.aws.bucket import Bucket, ObjectPiece
from trip_kpis.aws.concurrency import in_order
from trip_kpis.aws.throttling import throttles_counted
from trip_kpis.core.errors import CorruptExportError, ExportNotFoundError
from trip_kpis.core.export.file_digest import Beginning, FileDigest
from trip_kpis.core.export.frozen import ExportFile, FrozenExport
from trip_kpis.core.export.lines import (
    LineBlocks,
    after_lines,
    export_lines,
    line_count,
    undecoded_items,
)
from trip_kpis.core.export.manifests import NEXT_STEPS
from trip_kpis.core.items.pages import Cursor, Page
from trip_kpis.core.run.plan import Plan

PIECE_BYTES = 4 * 2**20
"""bytes of one request: the piece that is being decompressed is in memory, and the next one

A cursor's `read` ends at the end of a piece. So with shorter pieces, a worker could not resume what
this version has read.
"""


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """A cursor."""

    file: int
    line: int = 0
    read: Beginning | msgspec.UnsetType = msgspec.UNSET
    """of the file, up to there; unset at line 0"""


_FIRST = _Place(file=0)


class _Block(NamedTuple):
    """Lines of a file."""

    text: bytes
    line: int
    """number of the first line, from 0 on"""
    line_after: int
    beginning: Beginning
    """of the file, as far as it was read for this block"""
    is_last: bool

    def after(self, lines: int) -> "_Block":
        """The block without those of the file's first lines that it has."""
        line = min(max(self.line, lines), self.line_after)
        return self._replace(text=after_lines(self.text, line - self.line), line=line)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFiles:
    """A source: the export's files, one after the other, in blocks of lines.

    Its cursor is ``{"file": n, "line": n, "read": {"bytes": n, "md5": "…"}}``: so many files of the
    segment, and so many lines of the next one, have been read; `read` is the beginning of that file
    (`Beginning`), and absent at line 0. A worker that resumes inside a file inflates it again up to
    that line. A file's last page comes after its MD5 and its number of items are found to be those
    of the manifest.
    """

    bucket: Bucket
    """bucket that contains the export"""
    plan: Plan
    export: FrozenExport
    clock: Callable[[], float] = field(default_factory=lambda: time.monotonic)

    def pages(self, segment: int, *, after: Cursor | None) -> Iterator[Page]:
        """Yields blocks of about BLOCK_BYTES.

        Raises ExportNotFoundError if a file is not there, and CorruptExportError if it is not what
        the manifest says, or not what was read up to the cursor.
        """
        files = self.export.segments[segment]
        if not files:  # the export has no data file at all
            yield self._page(b"", line=0, lines=0, url="", end=None)
        place = _FIRST if after is None else msgspec.convert(after, _Place)
        for number in range(place.file, len(files)):
            is_last = number == len(files) - 1
            yield from self._pages_of(
                files[number],
                after=place if number == place.file else _Place(file=number),
                end=None if is_last else _Place(file=number + 1),
            )

    def throttles_counted(self) -> AbstractContextManager[Counter[str]]:
        return throttles_counted(self.bucket.client, "s3.GetObject")

    @property
    def name(self) -> str:
        return f"the export {self.bucket.url(self.export.manifest_key)}"

    @property
    def if_throttled(self) -> str:
        return (
            "resume the run by an execution with fewer workers: "
            f'{{"run_id": "{self.plan.run_id}", "max_concurrency": …}}'
        )

    def _pages_of(self, file: ExportFile, *, after: _Place, end: _Place | None) -> Iterator[Page]:
        """Yields the pages of a file after a place in it; `end` is the place after the file."""
        url = self.bucket.url(file.key)
        began, is_sought = self.clock(), after.line > 0
        for whole in self._blocks(file, url, after=after):
            if whole.line_after <= after.line and not whole.is_last:
                continue
            block = whole.after(after.line)
            place = _Place(file=after.file, line=block.line_after, read=block.beginning)
            sought_ms = int((self.clock() - began) * 1000) if is_sought else 0
            is_sought = False
            yield self._page(
                block.text,
                line=block.line,
                lines=block.line_after - block.line,
                url=url,
                end=end if block.is_last else place,
                resumes_at_once=block.is_last,
                sought_ms=sought_ms,
            )

    def _page(
        self, text: bytes, *, line: int, lines: int, url: str, end: _Place | None, **more: Any
    ) -> Page:
        """Decodes the page with so many lines, of which the first is number `line`."""
        definition = self.plan.definition
        decoder = export_lines(*definition.paths, flags=definition.flag_paths)
        return Page(
            columns=decoder.columns(text, url=url, line=line, lines=lines),
            scanned=lines,
            end=None if end is None else msgspec.to_builtins(end),
            body=text,
            undecoded=undecoded_items,
            **more,
        )

    def _blocks(self, file: ExportFile, url: str, *, after: _Place) -> Iterator[_Block]:
        """Yields the file's blocks; its beginning is checked before the first line after a place in
        it, and the whole file before the last block."""
        digest, inflated = FileDigest(url, read_before=after.read or None), LineBlocks(url)
        line = 0
        for piece in self._pieces(file, url):
            digest.update(piece.body)
            for text in inflated.feed(piece.body):
                line_after = line + line_count(text)
                if line_after > after.line:
                    digest.check_beginning()
                yield _Block(text, line, line_after, digest.beginning, is_last=False)
                line = line_after
        last = inflated.end()
        digest.check_whole(file.md5)
        items = line + line_count(last)
        if file.items is not None and items != file.items:
            raise CorruptExportError(
                f"{url} has {items:,} items, and the export's manifest says {file.items:,}. "
                f"{NEXT_STEPS}"
            )
        yield _Block(last, line, items, digest.beginning, is_last=True)

    def _pieces(self, file: ExportFile, url: str) -> Iterator[ObjectPiece]:
        """Yields the file's bytes, all from one version of the object; the next piece is fetched in
        the meantime."""
        first = self.bucket.piece(file.key, start=0, length=PIECE_BYTES)
        if first is None:
            raise ExportNotFoundError(
                f"the export's data file {url} is not there, is empty, or was replaced. An export "
                "that a run makes expires with StagingExpirationDays. Nothing was published. If it "
                "cannot be put back, start a new run, or name another export"
            )
        yield first

        def fetched(start: int) -> ObjectPiece:
            piece = self.bucket.piece(file.key, start=start, length=PIECE_BYTES, etag=first.etag)
            if piece is None:
                raise CorruptExportError(
                    f"{url} was replaced or removed while it was read. {NEXT_STEPS}"
                )
            return piece

        rest = range(PIECE_BYTES, first.size, PIECE_BYTES)
        yield from in_order(fetched, rest, workers=1, ahead=2, abandons=True)
