"""The words of an answer, for pages, for scripts and for the live guess."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from mnistweb.formatting import percent
from mnistweb.recognition.boundaries import Certainty
from mnistweb.recognition.rejection import DOT, EDGE, MERGED, SEVERAL

NAMES = (
    "a zero",
    "a one",
    "a two",
    "a three",
    "a four",
    "a five",
    "a six",
    "a seven",
    "an eight",
    "a nine",
    "not a digit",
)
"""The eleven classes in words: the ten digits, then "not a digit"."""
NOT_A_DIGIT = 10
_CLASSES = (*map(str, range(NOT_A_DIGIT)), "Not a digit")
CERTAIN, ALMOST_CERTAIN, PROBABLE = 0.99, 0.9, 0.5
"""The lowest probabilities that are called certain, almost certain and probable."""
SMALLEST_BAR_VALUE = 0.01
"""The lowest probability that is printed above its bar."""
FAINT = 0.0004
"""The probability below which all bars but those of 0 look alike."""
LIKELY_DIGIT = 0.05
"""The lowest probability of a digit that a refusal names."""
CLEARER = "A clearer drawing helps: close its gaps, or write it larger."


class Reading(Protocol):
    """The part of an answer that is put into words: an `Answer`, or a saved `Prediction`."""

    @property
    def digit(self) -> int | None:
        """The digit, None for "not a digit"."""

    @property
    def certainty(self) -> str:
        """One of `Certainty`: a sure digit, a digit in doubt, or not a digit."""

    @property
    def confidence(self) -> float:
        """The probability 0..1 of the answer."""

    @property
    def probabilities(self) -> Sequence[float]:
        """The probabilities of the ten digits, given that it is one."""

    @property
    def not_a_digit(self) -> float:
        """The probability 0..1 that it is none."""

    @property
    def reason(self) -> str | None:
        """Why it was refused, a sentence."""


class Words(NamedTuple):
    """An answer in words.

    `state` is "sure", "unsure" or "refused", for the style. `sign` is the large answer and `second_sign` its
    rival, if any: digits or "?". `percent` is the confidence, empty if the headline contains the percentages.
    `guess` is the line on the slate, `guess_short` the same without its percentage.
    """

    state: str
    headline: str
    sentence: str
    percent: str
    sign: str
    second_sign: str
    guess: str
    guess_short: str


class Bar(NamedTuple):
    """The probability of a class: `value` is written above the bar, and `words` are for a screen reader.

    `top` and `height` are in percent of the column.
    """

    number: int
    value: str
    top: str
    height: str
    words: str


def describe(reading: Reading) -> Words:
    """Put an answer into words that agree with its eleven bars."""
    if reading.digit is None:
        return _refused(reading)
    doubtful = reading.certainty == Certainty.DOUBTFUL
    if doubtful and reading.not_a_digit > reading.confidence:
        return _hardly_a_digit(reading, reading.digit)
    rival = _rival(reading) if doubtful else None
    seen = f"{'Perhaps' if doubtful else 'Looks like'} {with_article(reading.digit)}"
    sure = percent(reading.confidence)
    return Words(
        state="unsure" if doubtful else "sure",
        headline=_in_doubt(reading, rival) if doubtful else _likely(reading.confidence, NAMES[reading.digit]),
        sentence=reading.reason or "",
        percent=sure,
        sign=str(reading.digit),
        second_sign="" if rival is None else _sign(rival),
        guess=f"{seen} · {sure}",
        guess_short=seen,
    )


def guess_words(reading: Reading) -> dict[str, str | int]:
    """Return the words of an answer as a JSON object, with the `index` of its class: 10 for "not a digit"."""
    index = NOT_A_DIGIT if reading.digit is None else reading.digit
    return describe(reading)._asdict() | {"index": index}


def name_of(label: int | None) -> str:
    """Name a label in words: "a nine", or "not a digit" for None."""
    return NAMES[NOT_A_DIGIT if label is None else label]


def with_article(digit: int) -> str:
    """Name a digit by its figure: "a 4", "an 8"."""
    return f"{'an' if digit == 8 else 'a'} {digit}"


def shares(reading: Reading) -> tuple[float, ...]:
    """Return the probabilities of the eleven classes, which sum to 1."""
    none = reading.not_a_digit
    return (*(probability * (1 - none) for probability in reading.probabilities), none)


def bars_of(reading: Reading | None) -> list[Bar]:
    """Return the eleven bars of an answer; empty ones without an answer."""
    if reading is None:
        return [Bar(index, "", "100.0", "0.0", _CLASSES[index]) for index in range(len(NAMES))]
    every = enumerate(shares(reading))
    return [_FAINT_BARS[index] if 0 < share < FAINT else _bar(index, share) for index, share in every]


def _bar(index: int, share: float) -> Bar:
    tenths = round(1000 * share)
    top, height = f"{100 - tenths / 10:.1f}", f"{tenths / 10:.1f}"
    return Bar(index, bar_value(share), top, height, f"{_CLASSES[index]}: {percent(share)}")


def bar_value(share: float) -> str:
    """Write a probability 0..1 above its bar, in whole percent: "73", ">99"; empty below 1 %."""
    return percent(share, 0).removesuffix(" %").replace(" ", "") if share >= SMALLEST_BAR_VALUE else ""


_FAINT_BARS = tuple(_bar(index, FAINT / 2) for index in range(len(NAMES)))


def _in_doubt(reading: Reading, rival: int | None) -> str:
    # Never more than probable, even where an operator wants more of a digit to be sure of.
    if rival is None:
        return f"Perhaps {name_of(reading.digit)}"
    headline = _likely(min(reading.confidence, PROBABLE), name_of(reading.digit))
    but = "but " if rival == NOT_A_DIGIT and reading.confidence >= PROBABLE else ""
    return f"{headline}, {but}perhaps {NAMES[rival]}"


def _hardly_a_digit(reading: Reading, digit: int) -> Words:
    """Put a digit in doubt into words where "not a digit" has the longer bar, and so comes first."""
    none = f"{_likely(min(reading.not_a_digit, PROBABLE), 'not a digit')} ({percent(reading.not_a_digit, 0)})"
    but = "but " if reading.not_a_digit >= PROBABLE else ""
    headline = f"{none}, {but}perhaps {NAMES[digit]} ({percent(reading.confidence, 0)})"
    seen = f"Perhaps {with_article(digit)}"
    guess = f"{seen} · {percent(reading.confidence)}"
    return Words("unsure", headline, reading.reason or "", "", _sign(NOT_A_DIGIT), str(digit), guess, seen)


def _refused(reading: Reading) -> Words:
    every = shares(reading)
    likeliest = max(range(NOT_A_DIGIT), key=every.__getitem__)
    headline, sentence, sure = "", reading.reason or "", ""
    guess = guess_short = "No digit so far…"
    digit, none = (f"{NAMES[each]} ({percent(every[each], 0)})" for each in (likeliest, NOT_A_DIGIT))
    if _stands_out(reading) and every[likeliest] > reading.not_a_digit:
        # Refused at a low boundary: the digit has the longer bar, so it is named first.
        sentence = sentence if sentence in (MERGED, SEVERAL, EDGE) else CLEARER
        but = "but " if every[likeliest] >= PROBABLE else ""
        headline = f"{_likely(every[likeliest], digit)}, {but}perhaps {none}"
        guess_short = f"Perhaps {with_article(likeliest)}"
        guess = f"{guess_short} · {percent(every[likeliest])}"
    elif _stands_out(reading) and reading.not_a_digit < 0.5:
        headline = f"Perhaps {none}, perhaps {digit}"
    else:
        sure_of_none = reading.confidence >= ALMOST_CERTAIN
        headline = "This is not a digit" if sure_of_none else _likely(reading.confidence, "not a digit")
        sure = percent(reading.confidence)
        sentence = _with_likeliest(sentence, every[:NOT_A_DIGIT])
    return Words("refused", headline, sentence, sure, "?", "", guess, guess_short)


def _with_likeliest(reason: str, digits: Sequence[float]) -> str:
    """Add the likeliest digit to the reason of a refusal, if it stands out. A dot is like none."""
    second, first = sorted(digits)[-2:]
    if reason == DOT or first < max(LIKELY_DIGIT, 2 * second):
        return reason
    return f"{reason} Perhaps it’s {NAMES[digits.index(first)]}.".lstrip()


def _likely(probability: float, name: str) -> str:
    if probability >= CERTAIN:
        return f"Certainly {name}"
    if probability >= ALMOST_CERTAIN:
        return f"Almost certainly {name}"
    return f"{'Probably' if probability >= PROBABLE else 'Perhaps'} {name}"


def _rival(reading: Reading) -> int | None:
    """Return the likeliest class beside the answer; None where no other stands out."""
    every = shares(reading)
    rival = max((each for each in range(len(every)) if each != reading.digit), key=every.__getitem__)
    return rival if rival == NOT_A_DIGIT or _stands_out(reading) else None


def _stands_out(reading: Reading) -> bool:
    # A language model says nothing of the other digits, which share the rest equally.
    others = {each for digit, each in enumerate(reading.probabilities) if digit != reading.digit}
    return len(others) > 1


def _sign(label: int) -> str:
    return "?" if label == NOT_A_DIGIT else str(label)
