"""Parquet with images, as Hugging Face's `datasets` loads them: a PNG file and its name in a cell."""

import json
from pathlib import Path
from typing import Any

from mnistweb.datasets.errors import DataSetError
from mnistweb.datasets.formats.writer import CLASSES, SPLITS
from mnistweb.datasets.records import Record
from mnistweb.recognition.png import encode_png

FOLDER = Path("data")
ROW_GROUP = 5_000
"""Rows that are kept in memory and written together."""
NOT_A_DIGIT = len(CLASSES) - 1
FEATURES: dict[str, dict[str, Any]] = {
    "image": {"_type": "Image"},
    "label": {"_type": "ClassLabel", "names": CLASSES},
    "writer": {"_type": "Value", "dtype": "int64"},
    "origin": {"_type": "Value", "dtype": "string"},
    "id": {"_type": "Value", "dtype": "string"},
}
"""The columns, in the terms of Hugging Face."""


class ParquetWriter:
    """Writes a row for each drawing. Raises DataSetError without pyarrow."""

    def __init__(self, folder: Path) -> None:
        (folder / FOLDER).mkdir()
        self._tables = {split: _Table(folder / FOLDER / f"{split}.parquet") for split in SPLITS}

    def add(self, record: Record) -> bool:
        """Write a drawing of any class."""
        name = f"{record.id}.png"
        self._tables[record.split].add(
            {
                "image": {"bytes": encode_png(record.image), "path": name},
                "label": NOT_A_DIGIT if record.label is None else record.label,
                "writer": record.writer,
                "origin": record.origin,
                "id": str(record.id),
            }
        )
        return True

    def close(self) -> None:
        """Complete the files."""
        for table in self._tables.values():
            table.close()


class _Table:
    def __init__(self, path: Path) -> None:
        try:
            import pyarrow
            from pyarrow import parquet
        except ModuleNotFoundError as error:
            raise DataSetError(
                f'Parquet needs {error.name}: install it with pip install "mnistweb[data]".'
            ) from None
        features = json.dumps({"info": {"features": FEATURES}})
        text = pyarrow.string()
        image = pyarrow.struct([("bytes", pyarrow.binary()), ("path", text)])
        types = (image, pyarrow.int64(), pyarrow.int64(), text, text)
        self._schema = pyarrow.schema(
            list(zip(FEATURES, types, strict=True)), metadata={"huggingface": features}
        )
        self._make_table = pyarrow.Table.from_pylist
        self._writer = parquet.ParquetWriter(path, self._schema)
        self._rows: list[dict[str, Any]] = []

    def add(self, row: dict[str, Any]) -> None:
        self._rows.append(row)
        if len(self._rows) >= ROW_GROUP:
            self._write()

    def close(self) -> None:
        self._write()
        self._writer.close()

    def _write(self) -> None:
        self._writer.write_table(self._make_table(self._rows, self._schema))
        self._rows = []
