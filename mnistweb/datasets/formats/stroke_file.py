"""The strokes of digits, as `mnistweb train --strokes` reads them: a gzipped JSON list."""

import gzip
import json
from pathlib import Path

from mnistweb.datasets.formats.writer import SPLITS
from mnistweb.datasets.records import Record

FOLDER = Path("strokes")


class StrokeFileWriter:
    """Writes `{"label", "writer", "strokes"}` for each digit that was drawn with a pen."""

    def __init__(self, folder: Path) -> None:
        (folder / FOLDER).mkdir()
        self._files = {split: _JsonList(folder / FOLDER / f"{split}.json.gz") for split in SPLITS}

    def add(self, record: Record) -> bool:
        """Write a digit that has strokes; pictures have none."""
        strokes = record.strokes["strokes"] if record.strokes else []
        if record.label is None or not strokes:
            return False
        points = [[point[:2] for point in stroke["points"]] for stroke in strokes]
        entry = {"label": record.label, "writer": record.writer, "strokes": points}
        self._files[record.split].add(json.dumps(entry))
        return True

    def close(self) -> None:
        """Complete the files."""
        for file in self._files.values():
            file.close()


class _JsonList:
    def __init__(self, path: Path) -> None:
        self._file = gzip.open(path, "wt", compresslevel=6, encoding="utf-8")  # noqa: SIM115 (close does)
        self._separator = "["

    def add(self, entry: str) -> None:
        self._file.write(f"{self._separator}\n{entry}")
        self._separator = ","

    def close(self) -> None:
        self._file.write("[]\n" if self._separator == "[" else "\n]\n")
        self._file.close()
