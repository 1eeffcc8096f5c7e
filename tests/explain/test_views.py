import base64
import io
import re
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image, ImageDraw
from werkzeug.test import TestResponse

from mnistweb.explain.images import attention_overlays, contact_sheet, contributions, heat_paths
from mnistweb.recognition.attribution import Vote
from mnistweb.recognition.model_card import ServiceCard
from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.recognition.zoo import Zoo
from mnistweb.registry.recognizers import LANGUAGE_MODEL, ZOO
from tests.support.clients import FRAGMENT, assert_refused
from tests.support.drawings import data_url, digit_png, encode
from tests.support.networks import untrained


class ServiceRecognizer:
    """A recognizer that runs elsewhere."""

    card = ServiceCard("llm", "Language model", "", "1")


@pytest.fixture
def three_models(app: Flask) -> Iterator[None]:
    """The default model, and untrained ones of the other two architectures."""
    zoo = cast(Zoo, app.extensions[ZOO])
    app.extensions[ZOO] = Zoo(
        {zoo.default: zoo.get(), "lenet5": untrained("lenet5"), "vit": untrained("vit")}, zoo.default
    )
    yield
    app.extensions[ZOO] = zoo


def look(
    client: FlaskClient, prediction: dict[str, Any], fragment: bool = True, **query: str
) -> TestResponse:
    path = f"/predictions/{prediction['id']}/inside"
    return client.get(path, query_string=query, headers=FRAGMENT if fragment else {})


def plus_png() -> bytes:
    picture = Image.new("L", (280, 280))
    for line in ((140, 40, 140, 240), (40, 140, 240, 140)):
        ImageDraw.Draw(picture).line(line, fill=255, width=18)
    return encode(picture)


def shown_model(response: TestResponse) -> str:
    found = re.search(r'data-model="([^"]+)"', response.text)
    assert found
    return found[1]


def test_default_is_the_model_that_answered_and_nothing_is_logged(
    client: FlaskClient, predicted: dict[str, Any], logged: Callable[[], int]
) -> None:
    response = look(client, predicted)
    assert response.status_code == 200
    assert "<html" not in response.text
    assert shown_model(response) == "cnn"
    assert "Convolution 1: 32 maps" in response.text
    assert "for a three" in response.text
    assert response.text.count('<path class="heat-for"') > 1
    assert logged() == 1


@pytest.mark.usefixtures("three_models")
@pytest.mark.parametrize(
    ("model", "words"),
    [("lenet5", "Convolution 3: 120 maps of 1×1"), ("vit", "4 attention heads"), ("cnn", "Detector")],
)
def test_every_model_can_be_explained(
    client: FlaskClient, predicted: dict[str, Any], model: str, words: str
) -> None:
    response = look(client, predicted, model=model)
    assert shown_model(response) == model
    assert words in response.text
    assert response.text.count("data-look>") == 3
    assert ("rollout" in response.text) == (model == "vit")


def test_explanation_without_javascript_is_a_page(client: FlaskClient, predicted: dict[str, Any]) -> None:
    assert f'action="/predictions/{predicted["id"]}/inside"' in client.get(f"/?answer={predicted['id']}").text
    page = look(client, predicted, fragment=False)
    assert "<html" in page.text
    assert "explain.css" in page.text
    assert f'href="/?answer={predicted["id"]}"' in page.text


def test_drawings_of_others_can_be_looked_into(stranger: FlaskClient, predicted: dict[str, Any]) -> None:
    page = look(stranger, predicted, fragment=False)
    assert page.status_code == 200
    assert "This drawing, shrunk to 28 by 28 grey pixels." in page.text
    assert "our drawing" not in page.text
    assert f'href="/predictions/{predicted["id"]}">Back to the answer' in page.text


@pytest.mark.parametrize("public_history", ["own", "off"])
def test_private_drawings_of_others_cannot_be_looked_into(
    app: Flask, stranger: FlaskClient, predicted: dict[str, Any], public_history: str
) -> None:
    app.config["PUBLIC_HISTORY"] = public_history
    assert_refused(look(stranger, predicted), 404, "not_found")


def test_each_layer_says_how_much_its_detectors_see(client: FlaskClient, predicted: dict[str, Any]) -> None:
    text = look(client, predicted).text
    for sentence in (
        "one detector, which sees 6×6 pixels of your drawing at a time.",
        "Each sees 10×10 pixels of your drawing.",
        "A coarser grid, 7×7: each detector now sees 20×20 pixels of your drawing.",
        "Position hardly matters now: a bright map says “this digit has my feature”.",
    ):
        assert text.count(sentence) == 1


def test_votes_of_all_detectors_add_up(client: FlaskClient, predicted: dict[str, Any]) -> None:
    text = look(client, predicted).text
    first, rest = (
        table.split("</table>")[0] for table in text.split('<table class="votes" aria-label="Votes')[1:]
    )
    assert len(re.findall("Neuron [0-9]+</th>", first)) == 8
    assert len(re.findall("Neuron [0-9]+</th>", rest)) == 120
    cells = re.findall(r"</th><td>([^<]+)</td>", rest)
    column = [float(cell.replace("\N{MINUS SIGN}", "-")) for cell in cells]
    assert sum(column[:-1]) == pytest.approx(column[-1], abs=0.005 * 120)
    assert "The other 120, one by one" in text


@pytest.mark.parametrize(
    ("digit", "boundary", "refused", "sentence"),
    [
        (3, 0.84, False, "The answer with the most points wins."),
        (None, 0.84, True, "The answer with the most points wins."),
        (3, 0.0, True, "A three has the most points, but “not a digit” has enough to reach its boundary"),
        (None, 1.0, False, "“Not a digit” has the most points, but too few to reach its boundary, 100.0"),
    ],
)
def test_points_are_told_as_they_are_where_a_boundary_decides(
    app: Flask,
    client: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    digit: int | None,
    boundary: float,
    refused: bool,
    sentence: str,
) -> None:
    network = cast(TorchScriptRecognizer, cast(Zoo, app.extensions[ZOO]).get())
    moved = network.with_card(network.card.with_boundaries(None, boundary))
    monkeypatch.setitem(app.extensions, ZOO, Zoo({"cnn": moved}, "cnn"))
    image = data_url(plus_png() if digit is None else digit_png(digit))
    made = client.post("/api/v1/predictions", json={"image": image}).get_json()
    assert (made["digit"] is None) == refused
    text = look(client, made).text
    assert sentence in text
    assert text.count("the most points") == 1


def test_only_a_part_of_a_page_can_be_closed(client: FlaskClient, predicted: dict[str, Any]) -> None:
    assert "data-close" in look(client, predicted).text
    assert "data-close" not in look(client, predicted, fragment=False).text


def test_language_model_cannot_be_explained(
    app: Flask, client: FlaskClient, predicted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_refused(look(client, predicted, model="none such"), 422, "unknown_model")
    monkeypatch.setitem(app.extensions, LANGUAGE_MODEL, ServiceRecognizer())
    response = look(client, predicted, model="llm")
    assert_refused(response, 404, "nothing_inside")
    assert "this site can’t look inside it" in response.text


@pytest.mark.parametrize(
    ("count", "side", "columns"),
    [(32, 28, 8), (64, 14, 16), (128, 7, 16), (6, 28, 6), (16, 10, 8), (120, 1, 20), (24, 14, 8), (7, 3, 7)],
)
def test_contact_sheet_contains_every_map(count: int, side: int, columns: int) -> None:
    maps = np.random.default_rng(0).integers(0, 255, (count, side, side)).astype(np.uint8)
    maps[count // 2] = 255
    sheet = contact_sheet(maps)
    assert (sheet.count, sheet.columns, sheet.strongest) == (count, columns, count // 2)
    picture = Image.open(io.BytesIO(base64.b64decode(sheet.url.split(",")[1])))
    assert picture.size == (sheet.width, sheet.height)
    light, opacity = np.asarray(picture)[..., 0], np.asarray(picture)[..., 1]
    step = sheet.tile + sheet.gap
    for number, each in enumerate(maps):
        y, x = number // columns * step, number % columns * step
        tile = light[y : y + sheet.tile, x : x + sheet.tile]
        assert np.array_equal(tile, each.repeat(sheet.tile // side, 0).repeat(sheet.tile // side, 1))
    assert (opacity == 255).sum() == count * sheet.tile**2


def test_heat_map_has_squares_for_and_hatching_against() -> None:
    heat = np.zeros((28, 28), np.float32)
    heat[3, 5], heat[4, 6], heat[5, 7] = 1.0, -1.0, 0.001
    paths = heat_paths(heat)
    assert paths["for"] == [(1.0, "M5 3h1v1h-1z")]
    assert [opacity for opacity, _ in paths["against"]] == [1.0]
    assert paths["against"][0][1].startswith("M6 4.5l.5-.5M6 5l1-1")
    assert heat_paths(np.zeros((28, 28), np.float32)) == {"for": [], "against": []}


def test_contributions_sum_to_the_logit() -> None:
    parts = np.random.default_rng(0).normal(size=(2, 40)).astype(np.float32)
    winner = Vote(7, float(parts[0].sum()) + 0.5, 0.5, parts[0])
    runner_up = Vote(1, float(parts[1].sum()) - 0.5, -0.5, parts[1])
    votes = contributions(winner, runner_up, None)
    assert (len(votes.largest), len(votes.rest)) == (8, 32)
    for rows in ([*votes.largest, *votes.rest, votes.bias], [*votes.largest, votes.others, votes.bias]):
        assert sum(row.winner for row in rows) == pytest.approx(winner.score, abs=1e-4)
        assert sum(row.runner_up for row in rows) == pytest.approx(runner_up.score, abs=1e-4)
    assert votes.scale == max(abs(value) for row in votes.largest for value in (row.winner, row.runner_up))
    apart = [abs(row.winner - row.runner_up) for row in (*votes.largest, *votes.rest)]
    assert apart == sorted(apart, reverse=True)


def test_contributions_of_nothing_have_a_scale() -> None:
    nothing = Vote(0, 0.0, 0.0, np.zeros(10, np.float32))
    assert contributions(nothing, nothing, None).scale == 1


def test_attention_overlay_lights_attended_ink() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[:, 14] = 255
    attention = np.zeros((1, 7, 7), np.float32)
    attention[0, 0] = 0.5
    lit = attention_overlays(attention, image)[0]
    assert lit[0, 14] == 255
    assert 0 < lit[27, 14] < 64
    assert lit[27, 0] == 0
