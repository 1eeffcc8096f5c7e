"""Files are written whole or not at all."""

from pathlib import Path

import pytest

from mnistweb.recognition.whole_files import write_whole


def test_files_are_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    first, second = tmp_path / "a.pt", tmp_path / "a.json"
    first.write_bytes(b"old")
    write_whole({first: b"new", second: b"card"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "a.pt": b"new",
        "a.json": b"card",
    }


def test_a_full_disk_leaves_both_files_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "a.pt", tmp_path / "a.json"
    first.write_bytes(b"old")
    second.write_bytes(b"old card")
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if "json" in path.name:
            write(path, data[:2])
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write_whole({first: b"new", second: b"new card"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "a.pt": b"old",
        "a.json": b"old card",
    }
