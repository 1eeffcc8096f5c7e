"""The file of all of a visitor's own drawings."""

from collections.abc import Iterable, Iterator, Sequence

from mnistweb.database.models import Prediction, Review
from mnistweb.predictions import queries
from mnistweb.predictions.serializers import drawing_line
from mnistweb.recognition.png import data_url

BATCH = 20
"""Drawings in memory: each may have a picture of hundreds of kilobytes."""
COLUMNS = (Prediction.drawing, Prediction.input, *queries.STROKES_TEXT)


def own_batches(visitor: str) -> Iterator[Sequence[Prediction]]:
    """Yield the visitor's drawings with all that is stored of them, newest first."""
    return queries.batches([Prediction.visitor == visitor], *COLUMNS, size=BATCH)


def own_lines(batches: Iterable[Sequence[Prediction]]) -> Iterator[str]:
    """Yield a JSON line for each drawing: the fields of /history.jsonl, `drawing` and `hidden`.

    `drawing` is the picture as a data URL. `hidden` says whether the operator hid it from the public.
    """
    for batch in batches:
        for prediction in batch:
            yield drawing_line(
                prediction,
                drawing=data_url(prediction.drawing),
                hidden=prediction.review is Review.HIDDEN,
            )
