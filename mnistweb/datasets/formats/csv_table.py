"""CSV with the columns of Kaggle's digit recognizer: label, pixel0 to pixel783."""

from pathlib import Path

from mnistweb.datasets.formats.writer import SPLITS
from mnistweb.datasets.records import Record
from mnistweb.recognition.types import SIDE

FOLDER = Path("csv")
HEADER = ",".join(("label", *(f"pixel{number}" for number in range(SIDE * SIDE))))
TEXTS = tuple(map(str, range(256)))


class CsvWriter:
    """Writes a line for each digit."""

    def __init__(self, folder: Path) -> None:
        (folder / FOLDER).mkdir()
        self._files = {split: (folder / FOLDER / f"{split}.csv").open("w") for split in SPLITS}
        for file in self._files.values():
            file.write(f"{HEADER}\n")

    def add(self, record: Record) -> bool:
        """Write a digit; Kaggle's ten classes have no place for others."""
        if record.label is None:
            return False
        pixels = ",".join([TEXTS[pixel] for pixel in record.image.tobytes()])
        self._files[record.split].write(f"{record.label},{pixels}\n")
        return True

    def close(self) -> None:
        """Complete the files."""
        for file in self._files.values():
            file.close()
