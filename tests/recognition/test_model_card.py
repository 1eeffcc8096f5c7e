"""Model cards, this version's and older ones."""

import json

import pytest

from mnistweb.recognition.boundaries import Boundaries
from mnistweb.recognition.model_card import parse_card
from tests.support.scripts import card_for


def test_card_is_read_as_it_was_written() -> None:
    card = card_for(b"script", boundaries=Boundaries(sure=0.75, not_a_digit=0.25))
    assert parse_card(card.text()) == card


def test_older_card_with_a_threshold_answers_as_before() -> None:
    values = json.loads(card_for(b"script").text())
    del values["boundaries"]
    old = json.dumps(values | {"threshold": 0.1})
    assert parse_card(old).boundaries == Boundaries(sure=0.7, not_a_digit=0.1)


def test_boundaries_move_one_by_one() -> None:
    card = card_for(b"script", boundaries=Boundaries(sure=0.75, not_a_digit=0.25))
    assert card.with_boundaries(None, None) == card
    assert card.with_boundaries(0.9, None).boundaries == Boundaries(sure=0.9, not_a_digit=0.25)
    assert card.with_boundaries(None, 0.0).boundaries == Boundaries(sure=0.75, not_a_digit=0.0)


@pytest.mark.parametrize("boundaries", [None, {}, {"sure": 0.8}, {"sure": 0.8, "not_a_digit": 0.5, "x": 1}])
def test_card_without_its_two_boundaries_is_refused(boundaries: object) -> None:
    values = json.loads(card_for(b"script").text()) | {"boundaries": boundaries}
    with pytest.raises((TypeError, KeyError)):
        parse_card(json.dumps(values))
