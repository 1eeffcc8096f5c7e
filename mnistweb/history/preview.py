"""Preview image of a prediction: what other sites and messengers show beside a link to its page."""

import io
from collections.abc import Iterator
from functools import cache

from PIL import Image, ImageDraw, ImageFont, ImageOps

from mnistweb.database.models import Prediction
from mnistweb.predictions.images import drawing_ink
from mnistweb.predictions.wording import NOT_A_DIGIT, Words, bar_value, describe, shares
from mnistweb.recognition.types import Ink

# The light theme of static/css/base.css.
PAPER, TEXT, QUIET, EDGE, TRACK = "#f6f1e7", "#26231e", "#6a6255", "#8d8473", "#ede8dd"
SLATE, SLATE_LINE, CHALK, WOOD, WOOD_EDGE = "#23292c", "#343c40", "#f5f2ea", "#d3b483", "#b08f5b"
NETWORK = "#1f4e9e"

# Lengths in pixels. The slate is on the left, the answer in a column on the right.
WIDTH, HEIGHT = 1200, 630
MARGIN = 56
BOARD = HEIGHT - 2 * MARGIN
FRAME, CORNER = 14, 24
INSIDE = BOARD - 2 * FRAME
SMOOTHING = 4
"""Factor by which the board is drawn larger, because Pillow's round corners are jagged."""
LEFT, RIGHT = 640, WIDTH - MARGIN
SIGN_BASELINE, WORDS_TOP, WORDS_BOTTOM = 204, 232, 432
BARS_TOP, BARS_BOTTOM = 460, 546
BAR, GAP, NONE_GAP = 40, 5, 17


def preview_png(prediction: Prediction) -> bytes:
    """Draw a prediction's drawing, answer and bars as a PNG of 1200x630 pixels."""
    picture = _background().copy()
    chalk = _chalk(drawing_ink(prediction))
    corner = tuple(MARGIN + FRAME + (INSIDE - side) // 2 for side in chalk.size)
    picture.paste(CHALK, (corner[0], corner[1]), chalk)
    pen = ImageDraw.Draw(picture)
    words = describe(prediction)
    _draw_sign(pen, words)
    _draw_words(pen, words)
    answer = NOT_A_DIGIT if prediction.digit is None else prediction.digit
    for label, (share, (left, right)) in enumerate(zip(shares(prediction), _bars(), strict=True)):
        _draw_bar(pen, left, right, share, label, likely=label == answer)
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=2)
    return file.getvalue()


@cache
def _background() -> Image.Image:
    """Return what all previews share."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    picture.paste(_board(), (MARGIN, MARGIN))
    pen = ImageDraw.Draw(picture)
    pen.text((RIGHT, MARGIN), "mnistweb", QUIET, _font(28), "rt")
    for left, right in _bars():
        pen.rectangle((left, BARS_TOP, right - 1, BARS_BOTTOM - 1), TRACK)
        pen.line((left, BARS_BOTTOM, right - 1, BARS_BOTTOM), EDGE)
    return picture


def _board() -> Image.Image:
    side, frame, corner = BOARD * SMOOTHING, FRAME * SMOOTHING, CORNER * SMOOTHING
    board = Image.new("RGB", (side, side), PAPER)
    pen = ImageDraw.Draw(board)
    pen.rounded_rectangle((0, 0, side - 1, side - 1), corner, WOOD, WOOD_EDGE, SMOOTHING)
    pen.rounded_rectangle((frame, frame, side - frame - 1, side - frame - 1), corner - frame, SLATE)
    board = board.reduce(SMOOTHING)
    pen = ImageDraw.Draw(board)
    for height in (0.16, 0.84):
        y = FRAME + round(height * INSIDE)
        pen.line((FRAME, y, BOARD - FRAME - 1, y), SLATE_LINE)
    return board


def _chalk(ink: Ink) -> Image.Image:
    """Return the ink of a drawing as a mask that fits on the slate."""
    return ImageOps.contain(Image.fromarray(ink), (INSIDE, INSIDE))


def _draw_sign(pen: ImageDraw.ImageDraw, words: Words) -> None:
    parts = [(words.sign, 208, NETWORK)]
    if words.second_sign:
        parts += [("or", 36, QUIET), (words.second_sign, 125, NETWORK)]
    left = float(LEFT)
    for text, size, colour in parts:
        pen.text((left, SIGN_BASELINE), text, colour, _font(size), "ls")
        left += pen.textlength(text, _font(size)) + 16


def _draw_words(pen: ImageDraw.ImageDraw, words: Words) -> None:
    sure = f"{words.percent} sure" if words.percent else ""
    top = WORDS_TOP
    for text, size, colour in ((words.headline, 42, TEXT), (sure, 32, NETWORK), (words.sentence, 26, QUIET)):
        lines, step = list(_lines(text, size)), round(size * 1.2)
        if top + len(lines) * step > WORDS_BOTTOM:
            return
        for line in lines:
            pen.text((LEFT, top), line, colour, _font(size), "la")
            top += step
        top += 10 if lines else 0


def _lines(text: str, size: int) -> Iterator[str]:
    """Break a text into lines of the column's width, but not before a percent sign."""
    line = ""
    for word in text.replace(" %", "\u00a0%").split(" "):
        longer = f"{line} {word}".strip().replace("\u00a0", " ")
        if line and _font(size).getlength(longer) > RIGHT - LEFT:
            yield line
            longer = word.replace("\u00a0", " ")
        line = longer
    if line:
        yield line


def _draw_bar(
    pen: ImageDraw.ImageDraw, left: int, right: int, share: float, label: int, *, likely: bool
) -> None:
    top = BARS_BOTTOM - round(share * (BARS_BOTTOM - BARS_TOP))
    if top < BARS_BOTTOM:
        pen.rectangle((left, top, right - 1, BARS_BOTTOM - 1), NETWORK)
    centre = (left + right) / 2
    pen.text((centre, BARS_TOP - 8), bar_value(share), NETWORK if likely else QUIET, _font(19), "ms")
    name, size = ("none", 20) if label == NOT_A_DIGIT else (str(label), 24)
    pen.text((centre, HEIGHT - MARGIN), name, NETWORK if likely else TEXT, _font(size), "ms")


def _bars() -> Iterator[tuple[int, int]]:
    """Yield the left and right edges of the eleven bars."""
    left = LEFT
    for _ in range(NOT_A_DIGIT):
        yield left, left + BAR
        left += BAR + GAP
    yield left - GAP + NONE_GAP, RIGHT


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font: it has ASCII and curly quotes, which is all that answers are made of."""
    return ImageFont.load_default(size)
