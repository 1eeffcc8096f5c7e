"""PNG files in a folder for each class, as torchvision.datasets.ImageFolder reads them."""

import hashlib
from pathlib import Path

from mnistweb.datasets.formats.writer import SPLITS
from mnistweb.datasets.records import Record
from mnistweb.recognition.png import encode_png

FOLDER = Path("png")
HASHES = FOLDER / "SHA256SUMS"
NOT_A_DIGIT = "none"
"""The folder of drawings that are not a digit: after the digits in the order of names, so class 10."""


class ImageFolderWriter:
    """Writes a PNG file of 28 x 28 pixels for each drawing, and a file of hashes for `sha256sum -c`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        # Both splits have all folders: classes are numbered by the folders that exist.
        for split in SPLITS:
            for name in (*map(str, range(10)), NOT_A_DIGIT):
                (self._folder / split / name).mkdir(parents=True)
        self._hashes = (folder / HASHES).open("w")

    def add(self, record: Record) -> bool:
        """Write a drawing under the name of its id."""
        label = NOT_A_DIGIT if record.label is None else str(record.label)
        name = f"{record.split}/{label}/{record.id}.png"
        png = encode_png(record.image)
        (self._folder / name).write_bytes(png)
        self._hashes.write(f"{hashlib.sha256(png).hexdigest()}  {name}\n")
        return True

    def close(self) -> None:
        """Complete the hashes."""
        self._hashes.close()
