"""Export: the records of a selection as a folder of files in several formats."""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mnistweb.datasets.card import CARD, data_card
from mnistweb.datasets.errors import DataSetError
from mnistweb.datasets.folders import draft_folder
from mnistweb.datasets.formats import WRITERS, image_folder
from mnistweb.datasets.formats.writer import CLASSES, SPLITS, Writer
from mnistweb.datasets.manifest import Manifest, hashes_of
from mnistweb.datasets.records import Record, Selection, count_writers, read_records

Advance = Callable[[int], None]
"""Called with the number of drawings that were written since the last call."""
STEP = 200
"""Drawings between two calls of `Advance`."""


def export(
    folder: Path, formats: Sequence[str], selection: Selection, advance: Advance, *, replace: bool = False
) -> Manifest:
    """Write the records of a selection to a folder, which appears when it is complete.

    `formats` are keys of WRITERS. Raises DataSetError if there are no records, or the folder has content;
    `replace` lets it replace an earlier export.
    """
    key = secrets.token_bytes()
    counts = Counts()
    with draft_folder(folder.absolute(), replace=replace) as draft:
        with ExitStack() as stack:
            writers = {name: stack.enter_context(closing(WRITERS[name](draft))) for name in formats}
            records = read_records(selection, key, strokes="strokes" in writers)
            _write(records, writers, counts, advance)
        if not counts.drawings:
            raise DataSetError("There are no such drawings.")
        manifest = Manifest(
            labels=selection.labels,
            filter=selection.filter.query(),
            counts=counts.as_json() | {"writers": count_writers(selection)},
            formats={name: {split: counts.written[name, split] for split in SPLITS} for name in writers},
            files=hashes_of(draft, _files(draft)),
            writer_key=key.hex(),
        )
        (draft / CARD).write_text(data_card(manifest), encoding="utf-8")
        manifest.write(draft)
    return manifest


@dataclass(slots=True)
class Counts:
    """The numbers of drawings by label, origin and split, and by format and split."""

    drawings: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    origins: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    written: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, record: Record) -> None:
        """Count a record."""
        self.drawings += 1
        self.labels[CLASSES[-1 if record.label is None else record.label]] += 1
        self.origins[record.origin] += 1
        self.splits[record.split] += 1

    def as_json(self) -> dict[str, Any]:
        """Return the counts of records as a JSON object."""
        return {
            "drawings": self.drawings,
            "labels": {name: self.labels[name] for name in CLASSES},
            "origins": dict(sorted(self.origins.items())),
            "splits": {split: self.splits[split] for split in SPLITS},
        }


def _write(
    records: Iterable[Record], writers: Mapping[str, Writer], counts: Counts, advance: Advance
) -> None:
    for record in records:
        counts.add(record)
        for name, writer in writers.items():
            if writer.add(record):
                counts.written[name, record.split] += 1
        if counts.drawings % STEP == 0:
            advance(STEP)
    advance(counts.drawings % STEP)


def _files(folder: Path) -> Iterable[Path]:
    """Yield the files of an export. The pictures have their own list of hashes, which stands for them."""
    for path in folder.iterdir():
        if path.name == image_folder.FOLDER.name:
            yield folder / image_folder.HASHES
        else:
            yield from (each for each in path.rglob("*") if each.is_file())
