"""Whatever way a data file is cut, its lines come out as they are; what is no export is named."""

import gzip
import json
import math
import zlib
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trip_kpis.core.errors import CorruptExportError
from trip_kpis.core.export import lines as lines_module
from trip_kpis.core.export.lines import (
    BLOCK_BYTES,
    LineBlocks,
    after_lines,
    export_lines,
    line_count,
    undecoded_items,
)
from trip_kpis.core.items.pages import Leaf

URL = "s3://exports/AWSDynamoDB/1-a/data/x.json.gz"


def blocks_of(pieces: list[bytes]) -> list[bytes]:
    inflating = LineBlocks(URL)
    blocks = [block for piece in pieces for block in inflating.feed(piece)]
    return [*blocks, inflating.end()]


def pieces_of(compressed: bytes, size: int) -> list[bytes]:
    return [compressed[at : at + size] for at in range(0, len(compressed), size)]


def members(text: bytes, ends: list[int], levels: list[int]) -> bytes:
    """A gzip file whose members end at these places."""
    bounds = [0, *sorted(min(end, len(text)) for end in ends), len(text)]
    return b"".join(
        gzip.compress(text[a:b], compresslevel=levels[n % len(levels)])
        for n, (a, b) in enumerate(pairwise(bounds))
    )


def check_any_cut(text: bytes, compressed: bytes, size: int) -> None:
    *whole, last = blocks_of(pieces_of(compressed, size))
    assert b"".join([*whole, last]) == text
    assert all(block.endswith(b"\n") for block in whole)
    assert sum(map(line_count, [*whole, last])) == line_count(text) == len(text.splitlines())


@given(
    st.lists(st.text("ab", max_size=60), max_size=20),
    st.booleans(),
    st.lists(st.integers(0, 600), max_size=4),
    st.lists(st.sampled_from([0, 1, 6, 9]), min_size=1, max_size=3),
    st.integers(1, 70),
    st.integers(1, 70),
    st.integers(1, 300),
)
@example([], False, [], [6], 1, 1, 1)
def test_any_cut_of_any_gzip_gives_the_same_bytes_in_whole_lines(
    lines: list[str],
    has_end: bool,
    ends: list[int],
    levels: list[int],
    block_bytes: int,
    compressed_bytes: int,
    size: int,
) -> None:
    """Of lines shorter and longer than a block, in members of which some are empty."""
    text = "\n".join(lines).encode() + b"\n" * (has_end and bool(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines_module, "BLOCK_BYTES", block_bytes)
        patch.setattr(lines_module, "_COMPRESSED_BYTES", compressed_bytes)
        check_any_cut(text, members(text, ends, levels), size)


@pytest.mark.parametrize("length", [BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES])
@pytest.mark.parametrize("level", [0, 6])
@pytest.mark.parametrize("has_end", [True, False])
def test_lines_may_be_as_long_as_a_block_or_longer(length: int, level: int, has_end: bool) -> None:
    lines = [b"x" * (length - 1), b"y", b"z" * (length - 1)]
    text = b"\n".join(lines) + b"\n" * has_end
    compressed = members(text, [length, length + 1], [level])
    for size in (2**16 - 1, 2**16, 8 * 2**20):
        check_any_cut(text, compressed, size)


def test_a_block_is_about_as_large_as_it_is_said() -> None:
    text = (b"x" * 999 + b"\n") * 10_000
    sizes = [len(block) for block in blocks_of(pieces_of(gzip.compress(text), 2**20))]
    assert len(sizes) == math.ceil(10_000_000 / BLOCK_BYTES)
    assert max(sizes) < 2 * BLOCK_BYTES


def test_a_few_bytes_that_inflate_to_much_are_inflated_a_block_at_a_time() -> None:
    """A file may compress a thousand times."""
    inflating, text = LineBlocks(URL), (b"x" * 99 + b"\n") * 500_000
    (piece,) = pieces_of(gzip.compress(text), 2**20)
    most = max(len(block) for block in inflating.feed(piece))
    assert BLOCK_BYTES <= most < 2 * BLOCK_BYTES


@given(st.data())
def test_a_file_that_is_cut_anywhere_is_said_to_be_cut(data: st.DataObject) -> None:
    compressed = members(b"".join(b"%d\n" % n for n in range(500)), [700], [6])
    first_member = len(gzip.compress(b"".join(b"%d\n" % n for n in range(500))[:700], 6))
    cut = data.draw(
        st.integers(0, len(compressed) - 1).filter(lambda at: at not in (first_member,))
    )
    with pytest.raises(CorruptExportError, match="it is truncated") as caught:
        blocks_of([compressed[:cut]])
    assert URL in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b'{"Item":{}}\n',
        b"\x00" * 100,
        zlib.compress(b'{"Item":{}}\n'),
        gzip.compress(b"x\n") + b"something else",
        gzip.compress(b"x\n")[:10] + b"\xff" * 20,
        gzip.compress(b"x\n")[:-5] + b"\x00" + gzip.compress(b"x\n")[-4:],
    ],
    ids=["text", "zeros", "zlib", "rest", "bits", "checksum"],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_what_is_no_gzip_is_said_to_be_none(body: bytes, size: int) -> None:
    with pytest.raises(CorruptExportError, match="it is not gzip") as caught:
        blocks_of(pieces_of(body, size))
    assert all(said in str(caught.value) for said in (URL, "Nothing was published"))


@pytest.mark.parametrize("is_first", [True, False])
def test_a_line_that_no_item_can_have_is_refused(
    monkeypatch: pytest.MonkeyPatch, is_first: bool
) -> None:
    monkeypatch.setattr(lines_module, "LONGEST_LINE", 3 * BLOCK_BYTES)
    text = (b"" if is_first else b"x\n") + b"x" * 5 * BLOCK_BYTES
    with pytest.raises(CorruptExportError, match=f"a line of more than {3 * BLOCK_BYTES:,} bytes"):
        blocks_of([gzip.compress(text)])
    blocks_of([gzip.compress(b"x" * 2 * BLOCK_BYTES + b"\n" + text[:10])])


@given(st.lists(st.binary(max_size=5).filter(lambda b: b"\n" not in b), max_size=8), st.booleans())
def test_a_block_without_its_first_lines_has_the_others(texts: list[bytes], ends: bool) -> None:
    block = b"\n".join(texts) + b"\n" * (ends and bool(texts))
    split = block.split(b"\n")
    for lines in range(block.count(b"\n") + 1):
        assert after_lines(block, lines) == b"\n".join(split[lines:])
        assert line_count(after_lines(block, lines)) == line_count(block) - lines


def test_a_last_line_without_an_end_can_be_left_out_too() -> None:
    assert [after_lines(b"a\nb", lines) for lines in range(4)] == [b"a\nb", b"b", b"", b""]


# Lines as items


def line(**item: Any) -> bytes:
    return json.dumps({"Item": item}, ensure_ascii=False).encode() + b"\n"


def columns(block: bytes, *paths: tuple[str | int, ...], at: int = 0) -> list[list[Leaf]]:
    decoder = export_lines(*(paths or (("fare",),)))
    return decoder.columns(block, url=URL, line=at, lines=line_count(block))


def test_a_line_is_an_item_and_only_what_is_asked_for_is_decoded() -> None:
    block = line(fare={"N": "1"}, place={"M": {"city": {"S": "Zürich"}}}) + line(
        fare={"S": "2"}, other={"B": "AP8="}, place={"L": []}
    )
    assert columns(block, ("fare",), ("place", "city")) == [
        [Leaf(N="1"), Leaf(S="2")], [Leaf(S="Zürich"), Leaf()],
    ]  # fmt: skip
    assert [msgspec.json.decode(item) for item in undecoded_items(block)] == [
        json.loads(one)["Item"] for one in block.splitlines()
    ]


def test_a_block_of_no_lines_has_empty_columns() -> None:
    assert columns(b"", ("fare",), ("tip",)) == [[], []]
    assert list(undecoded_items(b"")) == []


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_the_last_line_may_have_no_end(end: bytes) -> None:
    block = line(fare={"N": "1"}) + line(fare={"N": "2"}).rstrip() + end
    assert columns(block) == [[Leaf(N="1"), Leaf(N="2")]]


INCREMENTAL = (
    b'{"Metadata":{"WriteTimestampMicros":{"N":"1716603300000000"}},"Keys":{"trip_id":{"S":"t"}},'
    b'"NewImage":{"trip_id":{"S":"t"}}}\n'
)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (b"x\n", "malformed"),
        (b'{"Item":{"fare":{"N":"1"}}\n', "truncated"),
        (b'{"Item":{"fare":{"N":"1"}}} {}\n', "trailing"),
        (b'{"Item":{"fare":{"N":1}}}\n', "fare|str"),
        (b'{"Item":[]}\n', "object"),
        (b'{"Item":{"fare":{"S":"\xff"}}}\n', "(?i)utf-8"),
        (b"[]\n", "object"),
        (b"null\n", "object"),
        (b"{}\n", "Item"),
        (b'{"item":{}}\n', "Item"),
        (INCREMENTAL, "Item"),
        (b'$ion_1_0 {Item:{fare:1}}\n', "malformed"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", [0, 1, 3])
def test_a_line_that_is_no_item_is_named_by_its_number(
    wrong: bytes, said: str, before: int
) -> None:
    good = line(fare={"N": "1"}, text={"S": "line\u2028separator\r\x85"})
    with pytest.raises(CorruptExportError, match=said) as caught:
        columns(good * before + wrong + good, at=41_000)
    assert f"{URL}, line {41_001 + before:,}, is not an item" in str(caught.value)
    assert "Nothing was published" in str(caught.value)


@pytest.mark.parametrize(
    "block", [b"\n", b"\n" + line(), line() + b"\n", line() + b"\n" + line(), line() + b" \n"]
)
def test_an_empty_line_is_refused(block: bytes) -> None:
    with pytest.raises(CorruptExportError, match=r"(?i)empty line|no item") as caught:
        columns(block, at=41_000)
    assert all(said in str(caught.value) for said in (URL, "41,00"))


def test_the_decoder_of_the_same_paths_is_made_once() -> None:
    assert export_lines(("a",), ("b",)) is export_lines(("a",), ("b",))
    assert export_lines(("a",)) is not export_lines(("a",), flags=frozenset({("a",)}))


@given(st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=5), max_size=3), max_size=9))
def test_any_texts_come_through(items: list[dict[str, str]]) -> None:
    block = b"".join(
        line(**{k: {"S": v} for k, v in {**item, "fare": "f"}.items()}) for item in items
    )
    assert columns(block) == [[Leaf(S="f")] * len(items)]
    assert [msgspec.json.decode(item) for item in undecoded_items(block)] == [
        {k: {"S": v} for k, v in {**item, "fare": "f"}.items()} for item in items
    ]
