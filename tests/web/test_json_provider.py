"""JSON of responses is that of flask.jsonify."""

import uuid
from enum import StrEnum
from typing import Any

import pytest
from flask import Flask, jsonify

from mnistweb.app import Site


class Colour(StrEnum):
    RED = "red"


VALUES: list[Any] = [
    {"b": [1, 2.0, 1e-7, 0.1], "a": None, "c": {"z": True, "y": "’ü\n<"}},
    {"id": uuid.UUID(int=7), "colour": Colour.RED},
    [0.30000000000000004, 123456789.125, -0.0],
    "text",
]


@pytest.mark.parametrize("value", VALUES)
def test_response_says_what_flasks_own_says(value: Any) -> None:
    answers = []
    for site in (Flask("theirs"), Site("ours")):
        with site.test_request_context():
            answers.append(jsonify(value))
    theirs, ours = answers
    assert ours.get_json() == theirs.get_json()
    assert ours.headers["Content-Type"] == theirs.headers["Content-Type"] == "application/json"
    assert ours.get_data(as_text=True).endswith("\n")
    assert isinstance(ours, Site.response_class)


def test_keys_are_in_order() -> None:
    with Site("ours").test_request_context():
        response = jsonify({"b": 1, "a": {"d": 2, "c": 3}})
    assert response.get_data() == b'{"a":{"c":3,"d":2},"b":1}\n'
