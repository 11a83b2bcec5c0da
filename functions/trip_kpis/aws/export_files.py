"""An export as the source: its data files in S3, in the segments that the run has recorded."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from trip_kpis.aws.bucket import Bucket, ObjectPiece
from trip_kpis.aws.concurrency import in_order
from trip_kpis.core.errors import CorruptExportError, ExportNotFoundError
from trip_kpis.core.export.frozen import ExportFile, FrozenExport
from trip_kpis.core.export.lines import (
    LineBlocks,
    after_lines,
    export_lines,
    line_count,
    undecoded_items,
)
from trip_kpis.core.export.manifests import WHAT_NOW, md5_text
from trip_kpis.core.items.pages import Cursor, Page
from trip_kpis.core.run.plan import Plan

PIECE_BYTES = 4 * 2**20
"""bytes of one request: the piece that is being decompressed is in memory, and the next one"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFiles:
    """A source: the export's files, one after the other, in blocks of lines.

    Its cursor is ``{"file": n, "line": n}``: so many files of the segment, and then so many lines
    of the next one, have been read. Who goes on inside a file inflates it again up to there. A
    file's last page comes after its MD5 and its number of items are found to be those of the
    manifest.
    """

    bucket: Bucket
    """bucket that contains the export"""
    plan: Plan
    export: FrozenExport
    clock: Callable[[], float] = field(default_factory=lambda: time.monotonic)

    def pages(self, segment: int, *, after: Cursor | None) -> Iterator[Page]:
        """Blocks of about BLOCK_BYTES.

        Raises ExportNotFoundError where a file is not there, and CorruptExportError where it is not
        what the manifest says.
        """
        files = self.export.segments[segment]
        if not files:  # the export has no data file at all
            yield self._page(b"", line=0, lines=0, url="", end=None)
        first, lines = (0, 0) if after is None else (after["file"], after["line"])
        for number, file in enumerate(files[first:], start=first):
            is_last = number == len(files) - 1
            yield from self._pages_of(
                file,
                number,
                skip=lines if number == first else 0,
                end=None if is_last else {"file": number + 1, "line": 0},
            )

    def throttles_counted(self) -> AbstractContextManager[Counter[str]]:
        return nullcontext(Counter())

    def _pages_of(
        self, file: ExportFile, file_number: int, *, skip: int, end: Cursor | None
    ) -> Iterator[Page]:
        """Yields the pages of a file after its first lines; `end` is the cursor of the last
        page."""
        url = self.bucket.url(file.key)
        began, is_sought = self.clock(), skip > 0
        for block, line, line_after, is_last in self._blocks(file, url):
            if line_after <= skip and not is_last:
                continue
            begins = min(max(line, skip), line_after)
            text = after_lines(block, begins - line)
            sought_ms = int((self.clock() - began) * 1000) if is_sought else 0
            is_sought = False
            yield self._page(
                text,
                line=begins,
                lines=line_after - begins,
                url=url,
                end=end if is_last else {"file": file_number, "line": line_after},
                resumes_at_once=is_last,
                sought_ms=sought_ms,
            )

    def _page(
        self, text: bytes, *, line: int, lines: int, url: str, end: Cursor | None, **more: Any
    ) -> Page:
        """Decodes the page with so many lines, of which the first is number `line`."""
        definition = self.plan.definition
        decoder = export_lines(*definition.paths, flags=definition.flag_paths)
        return Page(
            columns=decoder.columns(text, url=url, line=line, lines=lines),
            scanned=lines,
            end=end,
            body=text,
            undecoded=undecoded_items,
            **more,
        )

    def _blocks(self, file: ExportFile, url: str) -> Iterator[tuple[bytes, int, int, bool]]:
        """Yields the file's blocks, each with the numbers of its first line and of the line after
        it, and whether it is the last one; the whole file is checked before the last one."""
        digest, inflated, line = hashlib.md5(usedforsecurity=False), LineBlocks(url), 0
        for piece in self._pieces(file, url):
            digest.update(piece.body)
            for block in inflated.feed(piece.body):
                line_after = line + line_count(block)
                yield block, line, line_after, False
                line = line_after
        last = inflated.end()
        found = md5_text(digest.digest())
        if file.md5 is not None and found != file.md5:
            raise CorruptExportError(
                f"{url} is damaged: its MD5 is {found}, and the export's manifest says {file.md5}. "
                f"{WHAT_NOW}"
            )
        items = line + line_count(last)
        if file.items is not None and items != file.items:
            raise CorruptExportError(
                f"{url} has {items:,} items, and the export's manifest says {file.items:,}. "
                f"{WHAT_NOW}"
            )
        yield last, line, items, True

    def _pieces(self, file: ExportFile, url: str) -> Iterator[ObjectPiece]:
        """Yields the file's bytes, all from one version of the object; the next piece is fetched in
        the meantime."""
        first = self.bucket.piece(file.key, start=0, length=PIECE_BYTES)
        if first is None:
            raise ExportNotFoundError(
                f"the export's data file {url} is not there, or is empty: an export that a run "
                "makes expires with StagingExpirationDays. Nothing was published. Start a new run, "
                "or name another export"
            )
        yield first

        def fetched(start: int) -> ObjectPiece:
            piece = self.bucket.piece(file.key, start=start, length=PIECE_BYTES, etag=first.etag)
            if piece is None:
                raise CorruptExportError(
                    f"{url} was replaced or removed while it was read. {WHAT_NOW}"
                )
            return piece

        rest = range(PIECE_BYTES, first.size, PIECE_BYTES)
        yield from in_order(fetched, rest, workers=1, ahead=2)
