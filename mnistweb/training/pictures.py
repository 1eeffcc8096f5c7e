"""Pictures that people made: a folder of image files with an index of what they show."""

import csv
from pathlib import Path

import numpy as np
import torch

from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.errors import DrawingError
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.types import SIDE, DigitImage
from mnistweb.training.data import Images
from mnistweb.training.pen_strokes import NOT_A_DIGIT, DataFileError

INDEX = "index.tsv"
FOLDER = Path("pictures")
"""The folder in the data folder, if there is one."""
NONE = "none"
MAX_PIXELS = 48 * 1024**2


def load_pictures(folder: Path) -> Images:
    """Read the pictures of a folder through the site's preprocessing.

    Its `index.tsv` has the columns `file` and `digit`, 0 to 9 or "none"; others are ignored. A picture's kind
    is the name of its subfolder. One that the site cannot read becomes an empty image. Raises DataFileError.
    """
    index = folder / INDEX
    try:
        with index.open(encoding="utf-8", newline="") as file:
            rows = [(row["file"], row["digit"]) for row in csv.DictReader(file, delimiter="\t")]
        labels = [NOT_A_DIGIT if digit == NONE else _label(digit) for _, digit in rows]
        images = [preprocess((folder / name).read_bytes()) for name, _ in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataFileError(f"{index}: not an index of pictures ({error})") from error
    if not rows:
        raise DataFileError(f"{index}: lists no pictures")
    kinds = tuple(Path(name).parent.name or "picture" for name, _ in rows)
    return Images(torch.from_numpy(np.stack(images)), torch.tensor(labels), kinds)


def has_pictures(folder: Path) -> bool:
    """Return whether the folder has an index of pictures."""
    return (folder / INDEX).is_file()


def _label(digit: str) -> int:
    if digit not in set("0123456789"):
        raise ValueError(f"{digit!r} is not a digit")
    return int(digit)


def preprocess(picture: bytes) -> DigitImage:
    """Preprocess as the site does; return an empty image if the picture cannot be read."""
    try:
        return normalize(read_drawing(picture, MAX_PIXELS))
    except DrawingError:
        return np.zeros((SIDE, SIDE), np.uint8)
