from dataclasses import replace

import pytest

from mnistweb.formatting import percent
from mnistweb.predictions.wording import FAINT, bar_value, bars_of, describe, guess_words, name_of, shares
from mnistweb.recognition.boundaries import Boundaries, Certainty
from mnistweb.recognition.rejection import DOT, EDGE, MERGED, SEVERAL, SIGN
from mnistweb.recognition.types import Answer

BOUNDARIES = Boundaries(sure=0.7, not_a_digit=0.5)


def reading(
    digit: int | None, share: float, rival: tuple[int, float] = (9, 0.0), none: float = 0.0, best: int = 4
) -> Answer:
    """Make an answer in which `best` has the probability `share` of the eleven, and `rival` its own."""
    every = dict.fromkeys(range(10), 0.0) | {best: share, rival[0]: rival[1]}
    every[(best + 1) % 10] += 1 - none - sum(every.values())
    probabilities = tuple(value / (1 - none) for value in every.values())
    certainty = BOUNDARIES.certainty(share, none) if digit is not None else Certainty.NOT_A_DIGIT
    confidence = none if digit is None else share
    return Answer(digit, certainty, confidence, probabilities, none, None, "cnn", "1")


def language_model(digit: int | None, confidence: float) -> Answer:
    """Make an answer that says nothing of the other digits."""
    probabilities = [0.1 if digit is None else (1 - confidence) / 9] * 10
    if digit is not None:
        probabilities[digit] = confidence
    none = confidence if digit is None else 0.0
    certainty = BOUNDARIES.certainty(confidence, 0) if digit is not None else Certainty.NOT_A_DIGIT
    return Answer(digit, certainty, confidence, tuple(probabilities), none, None, "llm", "1")


@pytest.mark.parametrize(
    ("share", "headline", "state", "percent", "guess"),
    [
        (1.0, "Certainly a four", "sure", "100.0 %", "Looks like a 4 · 100.0 %"),
        (0.99999, "Certainly a four", "sure", "> 99.9 %", "Looks like a 4 · > 99.9 %"),
        (0.99, "Certainly a four", "sure", "99.0 %", "Looks like a 4 · 99.0 %"),
        (0.9899, "Almost certainly a four", "sure", "99.0 %", "Looks like a 4 · 99.0 %"),
        (0.9, "Almost certainly a four", "sure", "90.0 %", "Looks like a 4 · 90.0 %"),
        (0.8999, "Probably a four", "sure", "90.0 %", "Looks like a 4 · 90.0 %"),
        (0.7, "Probably a four", "sure", "70.0 %", "Looks like a 4 · 70.0 %"),
        (0.6999, "Probably a four, perhaps a five", "unsure", "70.0 %", "Perhaps a 4 · 70.0 %"),
        (0.5, "Probably a four, perhaps a five", "unsure", "50.0 %", "Perhaps a 4 · 50.0 %"),
    ],
)
def test_words_at_their_bounds(share: float, headline: str, state: str, percent: str, guess: str) -> None:
    words = describe(reading(4, share))
    assert (words.headline, words.state, words.percent, words.guess) == (headline, state, percent, guess)
    assert words.guess == f"{words.guess_short} · {percent}"
    assert words.sign == "4"


@pytest.mark.parametrize(
    ("rival", "none", "headline", "second"),
    [
        ((8, 0.3), 0.05, "Probably a four, perhaps an eight", "8"),
        ((9, 0.2), 0.199, "Probably a four, perhaps a nine", "9"),
        ((9, 0.1), 0.24, "Probably a four, but perhaps not a digit", "?"),
    ],
)
def test_doubt_names_the_second_longest_bar(
    rival: tuple[int, float], none: float, headline: str, second: str
) -> None:
    words = describe(reading(4, 0.55, rival, none))
    assert (words.headline, words.sign, words.second_sign) == (headline, "4", second)


@pytest.mark.parametrize(
    ("share", "none", "headline"),
    [
        (0.45, 0.05, "Perhaps a four, perhaps a nine"),
        (0.45, 0.4, "Perhaps a four, perhaps not a digit"),
    ],
)
def test_less_than_half_is_not_probable(share: float, none: float, headline: str) -> None:
    assert describe(reading(4, share, (9, 0.1 if none > 0.1 else 0.4), none)).headline == headline


@pytest.mark.parametrize(
    ("share", "none", "headline"),
    [
        (0.4, 0.45, "Perhaps not a digit (45 %), perhaps a four (40 %)"),
        (0.16, 0.83, "Probably not a digit (83 %), but perhaps a four (16 %)"),
        (0.04, 0.955, "Probably not a digit (96 %), but perhaps a four (4 %)"),
    ],
)
def test_doubt_names_the_longest_bar_first(share: float, none: float, headline: str) -> None:
    words = describe(replace(reading(4, share, none=none), certainty=Certainty.DOUBTFUL))
    assert (words.headline, words.percent, words.state) == (headline, "", "unsure")
    assert (words.sign, words.second_sign, words.guess_short) == ("?", "4", "Perhaps a 4")
    assert words.guess == f"Perhaps a 4 · {percent(share)}"


def test_not_a_digit_is_a_rival_where_no_digit_stands_out() -> None:
    doubtful = replace(language_model(4, 0.6), not_a_digit=0.3)
    assert describe(doubtful).headline == "Probably a four, but perhaps not a digit"


def test_boundaries_alone_decide_about_doubt() -> None:
    strict = replace(reading(4, 0.97, none=0.02), certainty=Certainty.DOUBTFUL)
    assert describe(strict).headline == "Probably a four, but perhaps not a digit"
    assert describe(strict).guess == "Perhaps a 4 · 97.0 %"
    lenient = replace(reading(4, 0.4, (9, 0.35)), certainty=Certainty.SURE)
    assert (describe(lenient).headline, describe(lenient).state) == ("Perhaps a four", "sure")


@pytest.mark.parametrize(
    ("share", "none", "headline", "percent", "guess"),
    [
        (0.88, 0.11, "Probably a four (88 %), but perhaps not a digit (11 %)", "", "Perhaps a 4 · 88.0 %"),
        (0.731, 0.269, "Probably a four (73 %), but perhaps not a digit (27 %)", "", "Perhaps a 4 · 73.1 %"),
        (0.61, 0.39, "Probably a four (61 %), but perhaps not a digit (39 %)", "", "Perhaps a 4 · 61.0 %"),
        (0.49, 0.39, "Perhaps a four (49 %), perhaps not a digit (39 %)", "", "Perhaps a 4 · 49.0 %"),
        (0.4, 0.45, "Perhaps not a digit (45 %), perhaps a four (40 %)", "", "No digit so far…"),
        (0.4, 0.5, "Probably not a digit", "50.0 %", "No digit so far…"),
        (0.1, 0.8999, "Probably not a digit", "90.0 %", "No digit so far…"),
        (0.1, 0.9, "This is not a digit", "90.0 %", "No digit so far…"),
        (0.00001, 0.99998, "This is not a digit", "> 99.9 %", "No digit so far…"),
    ],
)
def test_refusal_names_the_longest_bar_first(
    share: float, none: float, headline: str, percent: str, guess: str
) -> None:
    words = describe(reading(None, share, none=none))
    assert (words.headline, words.percent, words.guess) == (headline, percent, guess)
    assert (words.sign, words.second_sign) == ("?", "")
    assert ("%" in words.guess) == ("%" in headline and share > none)


def refusal(reason: str | None, share: float, none: float, rival: float = 0.0) -> str:
    """Return the sentence of a refusal in which a four has `share`, and a nine `rival`."""
    probabilities = [(1 - share - rival - none) / 8 / (1 - none)] * 10
    probabilities[4], probabilities[9] = share / (1 - none), rival / (1 - none)
    certainty = Certainty.NOT_A_DIGIT
    return describe(Answer(None, certainty, none, tuple(probabilities), none, reason, "cnn", "1")).sentence


@pytest.mark.parametrize("reason", [DOT, MERGED, SEVERAL, SIGN])
def test_sentence_of_a_refusal_is_its_reason(reason: str) -> None:
    assert refusal(reason, 0.004, 0.99) == reason


@pytest.mark.parametrize(
    ("share", "rival", "none", "named"),
    [(0.3, 0.0, 0.65, True), (0.06, 0.02, 0.91, True), (0.049, 0, 0.95, False), (0.2, 0.11, 0.6, False)],
)
@pytest.mark.parametrize("reason", [MERGED, SEVERAL, SIGN])
def test_sentence_of_a_refusal_names_a_digit_that_stands_out(
    reason: str, share: float, rival: float, none: float, named: bool
) -> None:
    assert refusal(reason, share, none, rival) == reason + named * " Perhaps it’s a four."


def test_a_dot_is_perhaps_no_digit() -> None:
    assert refusal(DOT, 0.3, 0.65) == DOT


def test_sentence_of_a_likelier_digit_is_no_other_guess() -> None:
    assert [refusal(reason, 0.7, 0.2) for reason in (MERGED, SEVERAL, EDGE)] == [MERGED, SEVERAL, EDGE]
    for reason in (DOT, SIGN, None, "An older reason."):
        assert refusal(reason, 0.7, 0.2).startswith("A clearer drawing helps")
    assert describe(reading(4, 0.9)).sentence == ""


def test_a_digit_that_the_headline_names_is_not_named_again() -> None:
    words = describe(reading(None, 0.4, none=0.45))
    assert ("a four" in words.headline, words.sentence) == (True, "")


@pytest.mark.parametrize(
    ("digit", "confidence", "headline"),
    [
        (4, 0.99, "Certainly a four"),
        (4, 0.8, "Probably a four"),
        (4, 0.6, "Perhaps a four"),
        (None, 0.8, "Probably not a digit"),
        (None, 0.9, "This is not a digit"),
        (None, 0.04, "Perhaps not a digit"),
    ],
)
def test_language_model_has_no_rival(digit: int | None, confidence: float, headline: str) -> None:
    words = describe(language_model(digit, confidence))
    assert (words.headline, words.second_sign) == (headline, "")
    assert words.percent == f"{100 * confidence:.1f} %"


@pytest.mark.parametrize(
    ("share", "value"),
    [
        (1.0, "100"),
        (0.9996, ">99"),
        (0.995, ">99"),
        (0.994, "99"),
        (0.731, "73"),
        (0.01, "1"),
        (0.0099, ""),
        (0.0, ""),
    ],
)
def test_bar_values_never_round_to_all(share: float, value: str) -> None:
    assert bar_value(share) == value


def test_shares_sum_to_one() -> None:
    every = shares(reading(4, 0.5, (9, 0.3), 0.1))
    assert len(every) == 11
    assert sum(every) == pytest.approx(1)
    assert every[10] == 0.1


def test_labels_have_names() -> None:
    assert (name_of(8), name_of(None)) == ("an eight", "not a digit")


def test_words_are_json() -> None:
    assert guess_words(reading(8, 0.95, best=8)) == {
        "state": "sure",
        "headline": "Almost certainly an eight",
        "sentence": "",
        "percent": "95.0 %",
        "sign": "8",
        "second_sign": "",
        "guess": "Looks like an 8 · 95.0 %",
        "guess_short": "Looks like an 8",
        "index": 8,
    }
    assert guess_words(reading(None, 0.9))["index"] == 10


def test_faint_bars_are_as_if_each_was_formatted() -> None:
    for share in (0.0, 1e-9, FAINT / 3, FAINT, 1.5 * FAINT):
        answer = reading(4, 1 - 3 * share, rival=(7, share), none=share)
        for bar, exact in zip(bars_of(answer), shares(answer), strict=True):
            assert (bar.value, bar.height) == (bar_value(exact), f"{100 * exact:.1f}")
            assert float(bar.top) == pytest.approx(100 - float(bar.height))
            assert bar.words.endswith(f": {percent(exact)}")
