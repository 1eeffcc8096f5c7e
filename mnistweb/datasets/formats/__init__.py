"""The formats of a data set: each writes records to files of its own, train and test apart."""

from collections.abc import Callable, Mapping
from pathlib import Path

from mnistweb.datasets.formats.csv_table import CsvWriter
from mnistweb.datasets.formats.idx import IdxWriter
from mnistweb.datasets.formats.image_folder import ImageFolderWriter
from mnistweb.datasets.formats.parquet import ParquetWriter
from mnistweb.datasets.formats.stroke_file import StrokeFileWriter
from mnistweb.datasets.formats.writer import Writer

WRITERS: Mapping[str, Callable[[Path], Writer]] = {
    "idx": IdxWriter,
    "png": ImageFolderWriter,
    "csv": CsvWriter,
    "parquet": ParquetWriter,
    "strokes": StrokeFileWriter,
}
