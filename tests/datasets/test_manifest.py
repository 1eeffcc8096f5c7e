"""Damaged manifests are refused."""

from pathlib import Path

import pytest

from mnistweb.datasets.errors import DataSetError
from mnistweb.datasets.log_import import drawings_in
from mnistweb.datasets.manifest import MANIFEST, Manifest, read_manifest

GOOD = '{"labels": "all", "filter": {}, "counts": {"drawings": 1}, "formats": {}, "files": {}'


def test_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    manifest = Manifest("any", {"digit": "3"}, {"drawings": 2}, {}, {"a": {"sha256": "b"}}, "c0ffee")
    manifest.write(tmp_path)
    assert read_manifest(tmp_path) == manifest


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"{}", b"null", b"\xff", b"[" * 100_000, b"x" * 2_000_000, GOOD.encode(),
        b'{"schema": 2}', f'{GOOD}, "schema": 2}}'.encode(), f'{GOOD}, "colour": 1}}'.encode(),
        f'{GOOD}, "writer_key": "x"}}'.encode(), f'{GOOD}, "writer_key": 1}}'.encode(),
        f'{GOOD}, "counts": []}}'.encode(), f'{GOOD}, "counts": {{"drawings": "many"}}}}'.encode(),
        f'{GOOD}, "files": []}}'.encode(), f'{GOOD}, "files": {{"log.jsonl.gz": []}}}}'.encode(),
        f'{GOOD}, "files": {{"log.jsonl.gz": {{"sha256": 1}}}}}}'.encode(),
    ],
    ids=lambda content: str(content[-30:]),
)  # fmt: skip
def test_damaged_manifest_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(DataSetError, match=r"damaged|another version|no number of drawings"):
        drawings_in(tmp_path)
