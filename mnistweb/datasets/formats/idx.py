"""IDX, the files of MNIST, in the folders in which torchvision looks for them.

A file has a magic number, its dimensions as 32-bit numbers, and then its bytes. It has digits alone.
"""

import struct
from pathlib import Path

from mnistweb.datasets.formats.writer import SPLITS
from mnistweb.datasets.records import Record
from mnistweb.recognition.types import SIDE

FOLDER = Path("MNIST/raw")
STEMS = {"train": "train", "test": "t10k"}
IMAGES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
BYTES = 0x08
"""The code of unsigned bytes in a magic number, before the number of dimensions."""


class IdxWriter:
    """Writes images and labels of digits as MNIST does."""

    def __init__(self, folder: Path) -> None:
        raw = folder / FOLDER
        raw.mkdir(parents=True)
        self._files = {
            split: (
                _IdxFile(raw / f"{STEMS[split]}-{IMAGES}", SIDE, SIDE),
                _IdxFile(raw / f"{STEMS[split]}-{LABELS}"),
            )
            for split in SPLITS
        }

    def add(self, record: Record) -> bool:
        """Write a digit; MNIST's ten classes have no place for others."""
        if record.label is None:
            return False
        images, labels = self._files[record.split]
        images.add(record.image.tobytes())
        labels.add(bytes((record.label,)))
        return True

    def close(self) -> None:
        """Complete the files."""
        for pair in self._files.values():
            for file in pair:
                file.close()


class _IdxFile:
    """An IDX file whose number of items is written last."""

    def __init__(self, path: Path, *shape: int) -> None:
        self._file = path.open("wb")
        self._items = 0
        self._file.write(struct.pack(f">{2 + len(shape)}I", BYTES << 8 | 1 + len(shape), 0, *shape))

    def add(self, item: bytes) -> None:
        self._file.write(item)
        self._items += 1

    def close(self) -> None:
        with self._file:
            self._file.seek(4)
            self._file.write(struct.pack(">I", self._items))
