"""Rounds of the challenge, played through a test client as the page's script does."""

import json
import re
from dataclasses import dataclass

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.clients import FRAGMENT, attribute, csrf_token
from tests.support.drawings import data_url, digit_png, strokes_json


@dataclass(frozen=True)
class PlayedRound:
    """A round that the client began."""

    client: FlaskClient
    prompts: list[int]
    addresses: list[str]
    results: str
    finish_address: str
    headers: dict[str, str]

    @property
    def id(self) -> str:
        """The id of the challenge."""
        return self.results.rpartition("/")[2]

    def draw(self, place: int, digit: int | None = None, /, **fields: str) -> TestResponse:
        """Send a drawing for a place: the digit that was asked for, or another one."""
        shown = self.prompts[place] if digit is None else digit
        body = {
            "prompt": str(self.prompts[place]),
            "image": data_url(digit_png(shown)),
            "strokes": json.dumps(strokes_json(shown)),
        }
        return self.client.post(self.addresses[place], json=body | fields, headers=self.headers)

    def finish(self, seconds: str = "0.001") -> TestResponse:
        """Finish the round."""
        return self.client.post(self.finish_address, json={"seconds": seconds}, headers=self.headers)


def begin(client: FlaskClient) -> PlayedRound:
    """Begin a round."""
    headers = FRAGMENT | {"X-CSRFToken": csrf_token(client)}
    response = client.post("/challenge", json={}, headers=headers)
    assert response.status_code == 201, response.text
    places = re.findall(r'data-prompt="(\d)" data-send="([^"]+)"', response.text)
    return PlayedRound(
        client,
        [int(prompt) for prompt, _ in places],
        [address for _, address in places],
        attribute(response, "data-results"),
        attribute(response, "data-finish"),
        headers,
    )


def play(client: FlaskClient, *misread: int, places: int = 10) -> PlayedRound:
    """Play a round; at the places `misread` the next digit is drawn instead."""
    game = begin(client)
    for place in range(places):
        digit = (game.prompts[place] + 1) % 10 if place in misread else None
        response = game.draw(place, digit)
        assert response.status_code == 201, response.text
    assert game.finish().status_code == 200
    return game
