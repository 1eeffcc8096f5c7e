"""Pairs of IDX files: found, checked, and read in constant memory."""

import gzip
import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from mnistweb.datasets.errors import DataSetError
from mnistweb.datasets.formats.idx import BYTES, FOLDER, IMAGES, LABELS
from mnistweb.recognition.types import SIDE

PIXELS = SIDE * SIDE
BLOCK = 1_000
"""Images that are read together."""


@dataclass(frozen=True, slots=True)
class IdxPair:
    """A file of images and the file of their labels, gzipped or not; both were checked."""

    images: Path
    labels: Path
    length: int
    sha256: str
    """That of images and labels without their heads."""

    def read(self) -> Iterator[tuple[bytes, int]]:
        """Yield each image, 28 x 28 bytes, with its label 0..9."""
        with _opened(self.images) as images, _opened(self.labels) as labels:
            images.read(16)
            labels.read(8)
            for _ in range(self.length):
                yield images.read(PIXELS), labels.read(1)[0]


def find_pairs(path: Path) -> list[IdxPair]:
    """Find and check the IDX files of a folder, or a pair by its file of images. Raises DataSetError."""
    found = [path]
    if path.is_dir():
        found = sorted(each for folder in (path, path / FOLDER) for each in folder.glob(f"*{IMAGES}*"))
        plain = {*found}
        found = [each for each in found if each.suffix != ".gz" or each.with_suffix("") not in plain]
    return [_check(each) for each in found]


def is_idx(path: Path) -> bool:
    """Return whether a path is a file of IDX images by its name, or a folder with some."""
    if path.is_dir():
        return any(True for folder in (path, path / FOLDER) for _ in folder.glob(f"*{IMAGES}*"))
    return IMAGES in path.name


def _check(images: Path) -> IdxPair:
    labels = images.with_name(images.name.replace(IMAGES, LABELS))
    if not labels.is_file() and labels.suffix == ".gz":
        labels = labels.with_suffix("")
    digest = hashlib.sha256()
    try:
        with _opened(images) as image_file, _opened(labels) as label_file:
            length = _head(images, image_file, SIDE, SIDE)
            if _head(labels, label_file) != length:
                raise DataSetError(f"{labels} has another number of labels than {images.name} has images.")
            for first in range(0, length, BLOCK):
                items = min(BLOCK, length - first)
                pixels, digits = image_file.read(items * PIXELS), label_file.read(items)
                if len(pixels) < items * PIXELS or len(digits) < items:
                    raise DataSetError(f"{images} or its labels end too early.")
                if max(digits) > 9:
                    raise DataSetError(f"{labels} has a label that is no digit: {max(digits)}.")
                digest.update(pixels)
                digest.update(digits)
            if image_file.read(1) or label_file.read(1):
                raise DataSetError(f"{images} or its labels have more bytes than they say.")
    except (OSError, EOFError, zlib.error) as error:
        raise DataSetError(f"{images} or its labels cannot be read: {error}.") from None
    return IdxPair(images, labels, length, digest.hexdigest())


def _head(path: Path, file: BinaryIO, *shape: int) -> int:
    head = file.read(8 + 4 * len(shape))
    if len(head) == 8 + 4 * len(shape):
        magic, length, *found = struct.unpack(f">{2 + len(shape)}I", head)
        if magic == BYTES << 8 | 1 + len(shape) and tuple(found) == shape:
            return cast(int, length)
    kind = "images of 28 x 28 pixels" if shape else "labels"
    raise DataSetError(f"{path} is no IDX file of {kind}.")


def _opened(path: Path) -> BinaryIO:
    opened = gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # noqa: SIM115
    return cast(BinaryIO, opened)
