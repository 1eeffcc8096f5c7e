"""Statistics of labels."""

import json

import numpy as np
import pytest
from flask import Flask

from mnistweb.database.models import Decision, Review
from mnistweb.datasets import statistics
from mnistweb.datasets.statistics import signature
from tests.support.data_sets import TESTING, drawing, run, small_log
from tests.support.rows import NOON, add


@pytest.fixture
def site(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr("mnistweb.cli.database.database_app", lambda: app)
    with app.app_context():
        add(
            *small_log(),
            drawing(3, 30, label=4, labelled_at=NOON, digit=4),
            drawing(3, 31, label=3, labelled_at=NOON),
            drawing(5, 32, decision=None, truth=None, prompt=5, digit=6),
            drawing(5, 33, TESTING, decision=None, truth=None, label=None, labelled_at=NOON, digit=None),
            drawing(5, 34, decision=Decision.REJECTED, truth=None),
            drawing(5, 35, review=Review.HIDDEN),
            drawing(5, 36, decision=None, truth=None),
        )
    return app


def test_labels_origins_and_agreement_are_counted(site: Flask) -> None:
    found = json.loads(run("stats", "--json").output)
    assert found["drawings"] == 28
    assert found["origins"] == {
        **{"reviewed": 23, "prompted": 1, "feedback": 1},
        **{"rejected": 1, "hidden": 1, "unlabelled": 1},
    }
    assert found["labels"]["3"] == {"reviewed": 4}
    assert found["labels"]["5"] == {"reviewed": 2, "prompted": 1}
    assert found["labels"]["not a digit"] == {"reviewed": 1, "feedback": 1}
    assert found["digits"]["not a digit"] == 2
    assert found["read_right"] == {
        "reviewed": {"right": 22, "of": 23},
        "prompted": {"right": 0, "of": 1},
        "feedback": {"right": 1, "of": 1},
    }
    assert found["claimed_right"] == {"right": 1, "of": 2}
    assert found["splits"] == {"train": 14, "test": 11}
    assert (found["visitors"], found["writers"]) == (2, 2)
    # Each drawing has one pixel of its own, which is too little to look different.
    assert found["alike"] >= 12


def test_table_is_printed(site: Flask) -> None:
    lines = run("stats").output.splitlines()
    assert lines[0] == "28 drawings of 2 visitors"
    assert "3                     4          0          0          3" in lines
    assert "50.0 % (9.5 % to 90.5 %; 1 of 2) of the claims that were reviewed are right" in lines


def test_empty_log_has_statistics(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnistweb.cli.database.database_app", lambda: app)
    assert run("stats").output.startswith("0 drawings of 0 visitors\n")


def test_images_are_alike_up_to_noise() -> None:
    image = np.frombuffer(drawing(3).input, np.uint8).reshape(28, 28)
    other = np.frombuffer(drawing(8).input, np.uint8).reshape(28, 28)
    noisy = image.copy()
    noisy[0, 1] = 3
    assert signature(image) == signature(noisy) != signature(other)
    assert signature(image) != signature(np.roll(image, 4, axis=1))


def test_numbers_grow() -> None:
    numbers = statistics._Numbers()
    for each in range(5000):
        numbers.add(2**63 + each % 3000)
    assert (len(numbers), numbers.distinct()) == (5000, 3000)
