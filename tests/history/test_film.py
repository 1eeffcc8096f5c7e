import time
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from numpy.typing import NDArray
from sqlalchemy import update

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.history.film import FRAMES, read_strokes
from mnistweb.recognition.model_card import ServiceCard
from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.registry.recognizers import LANGUAGE_MODEL, NETWORKS, local_network
from mnistweb.web.rate_limits import ENDPOINTS
from tests.support.clients import attribute, predict
from tests.support.drawings import STROKES, strokes_json

SECONDS = 2.0
"""Of the processor, for the worst film: ten times what it takes."""


def film(client: FlaskClient, prediction: dict[str, Any]) -> Any:
    response = client.get(f"/predictions/{prediction['id']}/film.json")
    assert response.status_code == 200
    return response.get_json()


def drawn(client: FlaskClient, digit: int) -> dict[str, Any]:
    return predict(client, digit, strokes=strokes_json(digit))


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of images that went through a network together."""
    made: list[int] = []
    logits = TorchScriptRecognizer.logits

    def count(network: TorchScriptRecognizer, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        made.append(len(images))
        return logits(network, images)

    monkeypatch.setattr(TorchScriptRecognizer, "logits", count)
    return made


@pytest.mark.parametrize("digit", STROKES)
def test_whole_strokes_are_read_as_the_drawing_was(app: Flask, client: FlaskClient, digit: int) -> None:
    saved = drawn(client, digit)
    with app.app_context():
        network = local_network(saved["model"])
        assert network
        whole = read_strokes(strokes_json(digit), network)[-1].answer  # type: ignore[arg-type]
    assert whole.digit == saved["digit"]
    assert whole.confidence == pytest.approx(saved["confidence"], abs=0.01)
    assert whole.probabilities == pytest.approx(saved["probabilities"], abs=0.01)


def test_points_follow_the_pen_and_end_with_the_saved_answer(client: FlaskClient) -> None:
    saved = drawn(client, 7)
    found = film(client, saved)
    assert (found["model"], found["model_version"]) == (saved["model"], saved["model_version"])
    places = [point["at"] for point in found["points"]]
    assert places == sorted(places)
    assert len(places) == FRAMES
    for point in found["points"]:
        assert sum(point["shares"]) == pytest.approx(1, abs=1e-3)
        assert point["seen"].startswith("data:image/png;base64,")
    last = found["points"][-1]
    words = last["words"]
    assert (last["at"], words["index"], words["headline"]) == (1, 7, "Certainly a seven")
    shares = [share * (1 - saved["not_a_digit"]) for share in saved["probabilities"]]
    assert last["shares"] == pytest.approx([*shares, saved["not_a_digit"]], abs=1e-4)
    first = found["points"][0]
    assert (first["words"]["index"], first["words"]["headline"], first["words"]["percent"]) == (
        10,
        "No digit so far…",
        "",
    )


def test_all_places_are_one_batch(client: FlaskClient, batches: list[int]) -> None:
    saved = drawn(client, 4)
    batches.clear()
    film(client, saved)
    assert len(batches) == 1
    assert 20 <= batches[0] <= FRAMES


def test_film_is_cached_while_the_model_is_the_same(client: FlaskClient) -> None:
    saved = drawn(client, 3)
    address = attribute(client.get(f"/predictions/{saved['id']}"), "data-film")
    assert address == f"/predictions/{saved['id']}/film.json?model={saved['model_version']}"
    assert client.get(address).headers["Cache-Control"] == "private, max-age=31536000, immutable"
    for other in (address.replace("model=", "model=x"), address.partition("?")[0]):
        assert client.get(other).headers["Cache-Control"] == "private, no-cache"


def test_strokes_of_another_drawing_have_no_film(client: FlaskClient) -> None:
    assert film(client, predict(client, 3, strokes=strokes_json(8))) is None


@pytest.mark.parametrize("strokes", [None, {"size": 280, "strokes": []}])
def test_drawing_without_strokes_has_no_film(client: FlaskClient, strokes: object) -> None:
    saved = predict(client, 3, strokes=strokes)
    assert film(client, saved) is None
    assert "data-film" not in client.get(f"/predictions/{saved['id']}").text


def test_language_model_has_no_film(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = drawn(client, 3)

    class Elsewhere:
        card = ServiceCard("cnn-elsewhere", "Language model", "", "1")

    with app.app_context():
        db.session.execute(update(Prediction).values(model="cnn-elsewhere"))
        db.session.commit()
    # No longer installed, so that the default model reads.
    assert film(client, saved)["model"] == "cnn"
    monkeypatch.setitem(app.extensions, LANGUAGE_MODEL, Elsewhere())
    assert film(client, saved) is None
    assert "data-film" not in client.get(f"/predictions/{saved['id']}").text


def test_models_on_a_server_have_no_film(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = drawn(client, 3)
    monkeypatch.setattr(app.extensions[NETWORKS], "local", False)
    assert film(client, saved) is None


@pytest.mark.parametrize("public_history", ["own", "off"])
def test_strangers_cannot_see_hidden_films(
    app: Flask, client: FlaskClient, stranger: FlaskClient, public_history: str
) -> None:
    saved = drawn(client, 3)
    address = f"/predictions/{saved['id']}/film.json"
    assert stranger.get(address).status_code == 200
    app.config["PUBLIC_HISTORY"] = public_history
    assert stranger.get(address).status_code == 404
    assert client.get(address).status_code == 200


def test_films_are_limited() -> None:
    assert "prediction.film" in ENDPOINTS["RATELIMIT_INSIDE"]


def zigzag(count: int) -> list[list[float]]:
    return [[float(10 + 260 * (number % 2)), 10 + 260 * number / count] for number in range(count)]


@pytest.mark.parametrize("width", [20, 10_000])
@pytest.mark.parametrize(
    "lines",
    [
        [[[140.0, 140.0]]],
        [[[-500.0, -500.0], [-400.0, -500.0]]],
        [zigzag(20_000)],
        [zigzag(100) for _ in range(200)],
        [[[float(number % 270), float(number)]] for number in range(200)],
        [[[-10_000.0, -10_000.0], [10_000.0, 10_000.0, 1.0], [140.0, 140.0, 0.0]]],
    ],
    ids=["a dot", "beside the slate", "20,000 points", "200 strokes", "200 dots", "far over the edge"],
)
def test_odd_strokes_are_read_in_bounded_time(
    app: Flask, batches: list[int], lines: list[list[list[float]]], width: float
) -> None:
    strokes: Any = {"size": 280, "strokes": [{"width": width, "points": line} for line in lines]}
    with app.app_context():
        network = local_network("cnn")
    assert network
    started = time.process_time()
    frames = read_strokes(strokes, network)
    assert time.process_time() - started < SECONDS
    assert len(frames) <= FRAMES
    assert batches in ([], [len(frames)])
