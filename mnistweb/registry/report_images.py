"""Images of the evaluation report, if `mnistweb evaluate --report static/models` wrote them."""

import re
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

SUFFIXES = {
    "architecture": "svg",
    "filters": "png",
    "confusion": "png",
    "mistakes": "png",
    "reliability": "png",
    "learning": "png",
}
FOLDER = "models"


@dataclass(frozen=True, slots=True)
class ReportImage:
    """A file below static/, with its size in pixels, which reserves its space on the page."""

    file: str
    width: int
    height: int


def report_images(static: Path, name: str) -> dict[str, ReportImage]:
    """Return the images of a model's report by kind; missing ones are left out."""
    images = {}
    for kind, suffix in SUFFIXES.items():
        file = f"{FOLDER}/{name}-{kind}.{suffix}"
        if (static / file).is_file():
            images[kind] = ReportImage(file, *_size(static / file))
    return images


def _size(path: Path) -> tuple[int, int]:
    if path.suffix == ".svg":
        box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', path.read_text(encoding="utf-8"))
        return (round(float(box[1])), round(float(box[2]))) if box else (300, 150)
    with Image.open(path) as image:  # reads only the header
        return image.size
