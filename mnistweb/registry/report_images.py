"""The pictures of networks that `mnistweb evaluate --report static/models` wrote, where it did."""

import re
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

KINDS = {
    "architecture": "svg",
    "filters": "png",
    "confusion": "png",
    "mistakes": "png",
    "reliability": "png",
    "learning": "png",
}
FOLDER = "models"


@dataclass(frozen=True, slots=True)
class ReportPicture:
    """A file below static/, and its size in pixels, so that the page keeps its place."""

    file: str
    width: int
    height: int


def report_pictures(static: Path, name: str) -> dict[str, ReportPicture]:
    """The pictures of the network `name`, by their kind."""
    found = {}
    for kind, ending in KINDS.items():
        file = f"{FOLDER}/{name}-{kind}.{ending}"
        if (static / file).is_file():
            found[kind] = ReportPicture(file, *_size(static / file))
    return found


def _size(path: Path) -> tuple[int, int]:
    if path.suffix == ".svg":
        box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', path.read_text(encoding="utf-8"))
        return (round(float(box[1])), round(float(box[2]))) if box else (300, 150)
    with Image.open(path) as picture:  # reads no more than the header
        return picture.size
