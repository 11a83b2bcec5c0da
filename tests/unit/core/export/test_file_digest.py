"""A file's MD5, and that of its beginning, whatever pieces it comes in."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trip_kpis.core.errors import CorruptExportError
from trip_kpis.core.export.file_digest import Beginning, FileDigest
from trip_kpis.core.export.manifests import md5_text

URL = "s3://exports/data/a.json.gz"
BODIES = st.binary(min_size=1, max_size=40)


def md5(body: bytes) -> str:
    return md5_text(hashlib.md5(body, usedforsecurity=False).digest())


def beginning(body: bytes) -> Beginning:
    return Beginning(bytes=len(body), md5=md5(body))


def read(digest: FileDigest, body: bytes, size: int) -> None:
    for start in range(0, len(body), size):
        digest.update(body[start : start + size])


@given(BODIES, st.integers(1, 41), st.data())
def test_the_same_file_is_found_the_same_in_any_pieces(
    body: bytes, size: int, data: st.DataObject
) -> None:
    known = data.draw(st.integers(1, len(body)))
    digest = FileDigest(URL, read_before=beginning(body[:known]))
    read(digest, body, size)
    assert digest.beginning == beginning(body)
    digest.check_whole(md5(body))


@given(BODIES, BODIES, st.integers(1, 41), st.data())
def test_another_beginning_is_found_at_once(
    body: bytes, other: bytes, size: int, data: st.DataObject
) -> None:
    """As soon as that many bytes are there, or before a line that comes in fewer."""
    known = data.draw(st.integers(1, len(other)))
    digest = FileDigest(URL, read_before=beginning(other[:known]))
    if body.startswith(other[:known]):
        return
    with pytest.raises(CorruptExportError, match=f"with the {known:,} bytes"):
        read(digest, body[:known], size)
        digest.check_beginning()


def test_no_line_may_come_before_the_beginning_is_compared() -> None:
    digest = FileDigest(URL, read_before=beginning(b"abcdef"))
    digest.update(b"abc")
    for check in (digest.check_beginning, lambda: digest.check_whole(None)):
        with pytest.raises(CorruptExportError, match="was replaced"):
            check()
    digest.update(b"def")
    digest.check_beginning()
    digest.check_whole(md5(b"abcdef"))


def test_a_file_with_another_md5_is_damaged() -> None:
    digest = FileDigest(URL, read_before=None)
    digest.update(b"abc")
    with pytest.raises(CorruptExportError, match="its MD5 is"):
        digest.check_whole(md5(b"abd"))
    digest.check_whole(None)
