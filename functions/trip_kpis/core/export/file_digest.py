"""The MD5 of a data file while it is read, and of its beginning, which another worker has read."""

import hashlib

import msgspec

from trip_kpis.core.errors import CorruptExportError
from trip_kpis.core.export.manifests import NEXT_STEPS, md5_text


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """The first bytes of a data file, from which all figures up to a cursor come."""

    bytes: int
    md5: str
    """in base64, as manifests have it"""


class FileDigest:
    """Compares a file with its manifest, and its beginning with what was read of it before.

    A part that ends inside a file is appended before the file's MD5 is known. So its cursor has the
    `Beginning` that was read until then; a worker that resumes there reads it again anyway, and
    compares it. Thus all parts of a file come from the same bytes: those whose MD5 the last part
    is appended for.
    """

    def __init__(self, url: str, *, read_before: Beginning | None) -> None:
        """`url` names the file in errors."""
        self._url = url
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._bytes = 0
        self._read_before = read_before

    def update(self, piece: bytes) -> None:
        """Adds the file's next bytes. Raises CorruptExportError if its beginning has changed."""
        before = self._read_before
        rest = 0
        if before is not None and self._bytes + len(piece) >= before.bytes:
            rest = before.bytes - self._bytes
            self._add(piece[:rest])
            if self._text != before.md5:
                raise self._replaced(before)
            self._read_before = None
        self._add(piece[rest:])

    @property
    def beginning(self) -> Beginning:
        """What has been read of the file."""
        return Beginning(bytes=self._bytes, md5=self._text)

    def check_beginning(self) -> None:
        """Raises CorruptExportError if the file is not known to begin with what was read before.

        A file that comes to the next line in fewer bytes is another one.
        """
        if self._read_before is not None:
            raise self._replaced(self._read_before)

    def check_whole(self, md5: str | None) -> None:
        """Compares the whole file with the manifest's MD5, if there is one. Raises
        CorruptExportError if one of both differs."""
        self.check_beginning()
        if md5 is not None and self._text != md5:
            raise CorruptExportError(
                f"{self._url} is damaged: its MD5 is {self._text}, and the export's manifest says "
                f"{md5}. {NEXT_STEPS}"
            )

    def _add(self, piece: bytes) -> None:
        self._md5.update(piece)
        self._bytes += len(piece)

    def _replaced(self, before: Beginning) -> CorruptExportError:
        return CorruptExportError(
            f"{self._url} was replaced while the run read it, or was damaged on its way: it does "
            f"not begin any more with the {before.bytes:,} bytes that were read of it before (MD5 "
            f"{before.md5}). {NEXT_STEPS}"
        )

    @property
    def _text(self) -> str:
        return md5_text(self._md5.digest())
