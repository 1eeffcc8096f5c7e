"""The film of a drawing: the answers of a model to the drawing as it grew, read in one batch."""

from typing import TYPE_CHECKING, NamedTuple, TypedDict

import numpy as np

from mnistweb.database.models import Prediction
from mnistweb.history.pen_path import PenPath
from mnistweb.predictions.queries import has_strokes
from mnistweb.predictions.strokes import Strokes
from mnistweb.predictions.wording import Reading, bar_value, guess_words, shares
from mnistweb.recognition.errors import EmptyDrawing
from mnistweb.recognition.png import data_url, encode_png
from mnistweb.recognition.postprocessing import to_answer
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.types import SIDE, Answer, DigitImage, to_ink
from mnistweb.registry.recognizers import local_network, model_cards, zoo

if TYPE_CHECKING:
    from mnistweb.recognition.recognizer import TorchScriptRecognizer

FRAMES = 24
"""Places at most at which a drawing is read: all go through the network at once."""


class Frame(NamedTuple):
    """The answer and the 28x28 input up to the share `at` 0..1 of the pen's way."""

    at: float
    answer: Answer
    image: DigitImage


class Point(TypedDict):
    """A reading of the drawing up to the share `at` 0..1 of the pen's way, in the form of a live guess.

    `shares` are the probabilities of the eleven classes and `bars` their texts. `words` are those of
    `wording.guess_words`. `seen` is the 28x28 input, a PNG as data URL.
    """

    at: float
    shares: list[float]
    bars: list[str]
    threshold: float
    words: dict[str, str | int]
    seen: str


class Film(TypedDict):
    """The points along the pen's way; the last one is the saved answer."""

    model: str
    model_version: str
    points: list[Point]


def film_network(prediction: Prediction) -> "TorchScriptRecognizer | None":
    """Return the network for the film of a prediction: the one that answered, or else the default.

    Returns None without strokes, and for a model that runs elsewhere.
    """
    if prediction.model in {card.name for card in model_cards()} - set(zoo().names()):
        return None
    if not has_strokes(prediction.id):
        return None
    return local_network(prediction.model)


def make_film(prediction: Prediction, network: "TorchScriptRecognizer") -> Film | None:
    """Read the strokes of a prediction as they grew.

    Returns None if the network reads the whole strokes differently from the saved answer. Another version of
    it may, and a program may send strokes that don't belong to its image.
    """
    strokes: Strokes = prediction.strokes  # type: ignore[assignment]  # film_network has seen them
    frames = read_strokes(strokes, network)
    if not frames or frames[-1].answer.digit != prediction.digit:
        return None
    seen = np.frombuffer(prediction.input, np.uint8).reshape(SIDE, SIDE)
    threshold = network.card.boundaries.not_a_digit
    earlier = [_point(*frame, threshold) for frame in frames[:-1]]
    return {
        "model": network.card.name,
        "model_version": network.card.version,
        "points": [*earlier, _point(1.0, prediction, seen, threshold)],
    }


def read_strokes(strokes: Strokes, network: "TorchScriptRecognizer") -> list[Frame]:
    """Read the drawing at places of the pen's way, up to its end. Places without ink are left out."""
    path = PenPath.of(strokes)
    cuts = path.cuts(FRAMES)
    places, images = [], []
    for cut, covered in zip(cuts, path.frames(cuts), strict=True):
        try:
            images.append(normalize(to_ink(covered)))
        except EmptyDrawing:  # so far the pen is beside the slate
            continue
        places.append(cut.at)
    if not images:
        return []
    logits = network.logits(np.stack(images)).tolist()
    answers = [to_answer(row, network.card, image) for row, image in zip(logits, images, strict=True)]
    return [Frame(*parts) for parts in zip(places, answers, images, strict=True)]


def _point(at: float, reading: Reading, image: DigitImage, threshold: float) -> Point:
    every = shares(reading)
    return {
        "at": at,
        "shares": [round(share, 4) for share in every],
        "bars": [bar_value(share) for share in every],
        "threshold": threshold,
        "words": _words(reading, whole=at == 1),
        "seen": data_url(encode_png(image, even=True)),
    }


def _words(reading: Reading, whole: bool) -> dict[str, str | int]:
    words = guess_words(reading)
    if reading.digit is None and not whole:
        # A part of a digit is seldom one: it is not called "not a digit" yet, and nothing is wrong with it.
        words |= {"headline": words["guess_short"], "percent": "", "sentence": ""}
    return words
