"""The file of all of a visitor's own drawings."""

import json
from collections.abc import Iterable, Iterator, Sequence

from mnistweb.database.models import Challenge, Prediction, Review
from mnistweb.predictions import queries
from mnistweb.predictions.serializers import drawing_line
from mnistweb.recognition.png import data_url

BATCH = 20
"""Drawings in memory: each may have a picture of hundreds of kilobytes."""
COLUMNS = (Prediction.drawing, Prediction.input, *queries.STROKES_TEXT)


def own_batches(visitor: str) -> Iterator[Sequence[Prediction]]:
    """Yield the visitor's drawings with all that is stored of them, newest first."""
    return queries.batches([Prediction.visitor == visitor], *COLUMNS, size=BATCH)


def own_lines(batches: Iterable[Sequence[Prediction]], challenges: Sequence[Challenge] = ()) -> Iterator[str]:
    """Yield a JSON line for each drawing: the fields of /history.jsonl, `drawing`, `hidden` and `challenge`.

    `drawing` is the picture as a data URL. `hidden` says whether the operator hid it from the public.
    `challenge` is the id of the challenge that asked for it. After them comes a line for each challenge.
    """
    for batch in batches:
        for prediction in batch:
            yield drawing_line(
                prediction,
                drawing=data_url(prediction.drawing),
                hidden=prediction.review is Review.HIDDEN,
                challenge=prediction.challenge and str(prediction.challenge),
            )
    for challenge in challenges:
        yield json.dumps(_challenge_fields(challenge)) + "\n"


def _challenge_fields(challenge: Challenge) -> dict[str, object]:
    finished = challenge.finished_at
    return {
        "challenge": str(challenge.id),
        "started_at": challenge.started_at.isoformat(),
        "finished_at": finished and finished.isoformat(),
        "prompts": challenge.prompts,
        "seconds": challenge.seconds,
        "drawn": challenge.drawn,
    }
