"""Reads the data files of an export as pages: gzip, one item per line, ``{"Item":{…}}`` in DynamoDB
JSON."""

from collections.abc import Iterator, Sequence, Set
from functools import lru_cache
from typing import Generic, TypeVar, cast

import msgspec
from isal import isal_zlib

from trip_kpis.core.errors import CorruptExportError
from trip_kpis.core.export.manifests import NEXT_STEPS, NOT_JSON
from trip_kpis.core.items.attributes import AttributePath
from trip_kpis.core.items.pages import Columns, Leaf

BLOCK_BYTES = 2**21
"""bytes of text that are decoded at once"""
LONGEST_LINE = 32 * 2**20
"""the most bytes of a line: an item has at most 400 KB, and its JSON less than a tenth of this"""
_COMPRESSED_BYTES = 64 * 2**10
"""bytes that are decompressed at once"""

_NO_GZIP = cast(type[Exception], isal_zlib.error)  # its stub calls the class an Exception

_OneItem = TypeVar("_OneItem")


class LineBlocks:
    """Decompresses a file piece by piece, into blocks of whole lines.

    Raises CorruptExportError, naming `url`, for what is not gzip or has a line that is too long.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._inflating = _gzip()
        self._begun: list[bytes] = []
        """bytes of the next block"""
        self._begun_bytes = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yields the blocks that are complete after the file's next piece."""
        for start in range(0, len(piece), _COMPRESSED_BYTES):
            compressed = piece[start : start + _COMPRESSED_BYTES]
            while compressed:
                text, compressed = self._inflate(compressed)
                yield from self._add(text)

    def end(self) -> bytes:
        """Returns the last block, which may be empty. Raises CorruptExportError for a file that is
        cut."""
        self._begun.append(self._inflating.flush())
        if not self._inflating.eof:
            raise self._corrupt("it is truncated, or something was added: its gzip data has no end")
        return b"".join(self._begun)

    def _inflate(self, compressed: bytes) -> tuple[bytes, bytes]:
        """Returns the next text, at most one block, and the rest of the compressed bytes."""
        try:
            if self._inflating.eof:  # a gzip file may have several members
                self._inflating = _gzip()
            text = self._inflating.decompress(compressed, BLOCK_BYTES)
        except _NO_GZIP as error:
            raise self._corrupt(f"it is not gzip ({error})") from error
        return text, self._inflating.unconsumed_tail or self._inflating.unused_data

    def _add(self, text: bytes) -> Iterator[bytes]:
        self._begun.append(text)
        self._begun_bytes += len(text)
        if self._begun_bytes < BLOCK_BYTES:
            return
        line_end = text.rfind(b"\n") + 1
        if line_end:
            self._begun[-1] = text[:line_end]
            block = b"".join(self._begun)
            self._begun, self._begun_bytes = [text[line_end:]], len(text) - line_end
            yield block
        elif self._begun_bytes > LONGEST_LINE:
            raise self._corrupt(f"it has a line of more than {LONGEST_LINE:,} bytes")

    def _corrupt(self, what: str) -> CorruptExportError:
        return CorruptExportError(f"{self._url} is damaged: {what}. {NEXT_STEPS}")


def line_count(block: bytes) -> int:
    """Counts the lines, also if the last line has no line feed."""
    return block.count(b"\n") + bool(block and not block.endswith(b"\n"))


def after_lines(block: bytes, lines: int) -> bytes:
    """Returns a block without its first lines; the last of these may have no line feed."""
    at = 0
    for _ in range(lines):
        at = block.find(b"\n", at) + 1 or len(block)
    return block[at:]


class ExportLines:
    """Decodes blocks of lines to the values at some paths."""

    def __init__(
        self, paths: Sequence[AttributePath], flags: Set[AttributePath] = frozenset()
    ) -> None:
        """Creates the decoder; `flags` are the paths at which there may be a Boolean."""
        self._columns = Columns(paths, flags)
        self._lines = msgspec.json.Decoder(_Line[self._columns.item])  # type: ignore[name-defined]

    def columns(self, block: bytes, *, url: str, line: int, lines: int) -> list[list[Leaf]]:
        """Returns a column for each of the paths; the block has so many `lines`, and the first one
        is number `line` of the file, from 0 on.

        Raises CorruptExportError, which names the file and the line, for what is no item.
        """
        try:
            decoded = self._lines.decode_lines(block)
        except NOT_JSON as error:
            raise self._not_an_item(block, url, line, error) from error
        if len(decoded) != lines:
            raise CorruptExportError(
                f"{url} has an empty line after line {line + 1:,}. {NEXT_STEPS}"
            )
        return self._columns.of([one.item for one in decoded])

    def _not_an_item(
        self, block: bytes, url: str, line: int, error: Exception
    ) -> CorruptExportError:
        what = str(error)
        for number, one in enumerate(block.splitlines(), start=line):
            try:
                self._lines.decode(one)
            except NOT_JSON as at_line:
                line, what = number, str(at_line)
                break
        return CorruptExportError(
            f"{url}, line {line + 1:,}, is not an item of an export in DynamoDB JSON ({what}). "
            f"{NEXT_STEPS}"
        )


@lru_cache(maxsize=8)
def export_lines(
    *paths: AttributePath, flags: frozenset[AttributePath] = frozenset()
) -> ExportLines:
    """Returns a decoder with a column for each of the paths, in this order; `flags` are the paths
    at which there may be a Boolean."""
    return ExportLines(paths, flags)


def undecoded_items(block: bytes) -> Sequence[msgspec.Raw]:
    """Yields the items without decoding them."""
    return [line.item for line in _UNDECODED.decode_lines(block)]


class _Line(msgspec.Struct, Generic[_OneItem], gc=False):
    item: _OneItem = msgspec.field(name="Item")


_UNDECODED = msgspec.json.Decoder(_Line[msgspec.Raw])


def _gzip() -> isal_zlib.Decompress:
    return isal_zlib.decompressobj(wbits=16 + isal_zlib.MAX_WBITS)
