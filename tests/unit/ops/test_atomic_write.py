"""A file is there whole, or as it was."""

from pathlib import Path

import pytest

from ops.atomic_write import atomic_write


def test_a_file_is_made_with_its_directories_and_replaced(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b"
    atomic_write(file, b"first")
    atomic_write(file, b"second")
    assert file.read_bytes() == b"second"
    assert list(file.parent.iterdir()) == [file]


def test_what_cannot_be_written_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "a"
    atomic_write(file, b"first")
    with pytest.raises(TypeError):
        atomic_write(file, "no bytes")  # type: ignore[arg-type]
    assert file.read_bytes() == b"first"
