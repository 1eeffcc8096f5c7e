"""Import of IDX files: images with labels become drawings that a model of this site reads.

Their labels count as reviewed. All drawings of a pair are of one made-up visitor. So `mnistweb data forget`
takes an import back, and no hand comes to both sides of a split.
"""

import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from time import perf_counter

import numpy as np

from mnistweb.database.models import Decision, Source
from mnistweb.datasets.additions import Added, add_entries, known_ids
from mnistweb.datasets.idx_files import IdxPair
from mnistweb.datasets.log_entries import PREDICTION, Entry
from mnistweb.datasets.records import Split, split_of
from mnistweb.recognition.boundaries import Certainty
from mnistweb.recognition.png import encode_png
from mnistweb.recognition.types import SIDE, Recognizer

REVIEWER = "import"
NAMESPACE = uuid.UUID("6d1f5d0e-6c1c-5a2f-9a3b-0c7f2f0f3a51")
BATCH = 100
"""Drawings that are added together."""


def import_idx(pair: IdxPair, recognizer: Recognizer, advance: Callable[[int], None]) -> Added:
    """Add the images that the log lacks as reviewed drawings; an image with its label is added once.

    Raises RecognitionError if the recognizer gives no answer. Batches before that one stay.
    """
    total, visitor, now = Added(), visitor_of(pair), datetime.now(UTC)
    for batch in _batches(pair):
        known = known_ids([drawing_id for drawing_id, _, _ in batch])
        new = [each for each in batch if each[0] not in known]
        add_entries([_entry(*each, visitor, recognizer, now) for each in new], total)
        total.known += len(batch) - len(new)
        advance(len(batch))
    return total


def visitor_of(pair: IdxPair) -> str:
    """Return the made-up visitor of a pair of files, who is in the split of their name."""
    split: Split = "test" if pair.images.name.startswith(("t10k", "test")) else "train"
    names = (f"idx-{pair.sha256[:16]}-{number}" for number in itertools.count())
    return next(name for name in names if split_of(name) == split)


def _batches(pair: IdxPair) -> Iterator[Sequence[tuple[uuid.UUID, bytes, int]]]:
    items = ((uuid.uuid5(NAMESPACE, f"{label}{image.hex()}"), image, label) for image, label in pair.read())
    while batch := [*itertools.islice(items, BATCH)]:
        yield batch


def _entry(
    drawing_id: uuid.UUID, image: bytes, label: int, visitor: str, recognizer: Recognizer, now: datetime
) -> Entry:
    pixels = np.frombuffer(image, np.uint8).reshape(SIDE, SIDE).copy()  # writable, as torch wants it
    started = perf_counter()
    answer = recognizer.recognize(pixels)
    prediction = dict.fromkeys(PREDICTION.columns.keys()) | {
        "id": drawing_id,
        "created_at": now,
        "visitor": visitor,
        "source": Source.UPLOAD,
        "drawing": encode_png(pixels, even=True),
        "input": image,
        "digit": answer.digit,
        "doubtful": answer.certainty is Certainty.DOUBTFUL,
        "confidence": answer.confidence,
        "not_a_digit": answer.not_a_digit,
        "reason": answer.reason,
        "probabilities": [*answer.probabilities],
        "model": answer.model,
        "model_version": answer.model_version,
        "recognition_ms": (perf_counter() - started) * 1000,
        "decision": Decision.DIGIT,
        "truth": label,
    }
    decision = {
        "id": uuid.uuid5(drawing_id, REVIEWER),
        "prediction_id": drawing_id,
        "decided_at": now,
        "reviewer": REVIEWER,
        "decision": Decision.DIGIT,
        "truth": label,
        "decision_before": None,
        "truth_before": None,
        "digit": answer.digit,
        "label": None,
        "labelled": False,
    }
    return Entry(prediction, [decision], None)
