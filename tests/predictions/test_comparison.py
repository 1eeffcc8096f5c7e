from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mnistweb.registry.recognizers import ZOO
from tests.support.clients import FRAGMENT, assert_refused, attribute, csrf_token, predict
from tests.support.networks import FAILURE, asleep, nine, with_second


@pytest.fixture
def second(app: Flask) -> Iterator[None]:
    with with_second(app, nine()):
        yield


def compare(client: FlaskClient, prediction_id: str, fragment: bool = True, **fields: object) -> TestResponse:
    form = {"csrf_token": csrf_token(client), **fields}
    headers = FRAGMENT if fragment else {}
    return client.post(f"/predictions/{prediction_id}/comparison", data=form, headers=headers)


def compare_by_api(client: FlaskClient, prediction_id: str) -> TestResponse:
    return client.post(f"/api/v1/predictions/{prediction_id}/comparison", json={})


@pytest.mark.usefixtures("second")
def test_comparison_asks_every_model_and_logs_nothing(client: FlaskClient, logged: Callable[[], int]) -> None:
    prediction_id = predict(client, 3)["id"]
    response = compare(client, prediction_id)
    assert response.status_code == 200
    assert "<html" not in response.text
    assert response.text.count("data-opinion=") == 2
    assert 'data-digit="3"' in response.text
    assert 'data-digit="9"' in response.text
    assert response.text.count("your answer</p>") == 1
    assert logged() == 1


@pytest.mark.usefixtures("second")
def test_comparison_can_ask_one_model(client: FlaskClient) -> None:
    prediction_id = predict(client)["id"]
    response = compare(client, prediction_id, model=["second", "second"])
    assert response.text.count("data-opinion=") == 1
    assert attribute(response, "data-digit") == "9"
    assert_refused(compare(client, prediction_id, model="nothing"), 422, "unknown_model")


@pytest.mark.usefixtures("second")
def test_comparison_without_javascript_is_a_page(client: FlaskClient) -> None:
    prediction_id = predict(client)["id"]
    page = client.get(f"/?answer={prediction_id}")
    assert f'action="/predictions/{prediction_id}/comparison"' in page.text
    page = compare(client, prediction_id, fragment=False)
    assert "<html" in page.text
    assert page.text.count("data-opinion=") == 2
    assert f'href="/?answer={prediction_id}"' in page.text


@pytest.mark.usefixtures("second")
def test_api_returns_the_comparison(client: FlaskClient, logged: Callable[[], int]) -> None:
    prediction = predict(client, 3)
    first, other = compare_by_api(client, prediction["id"]).get_json()["items"]
    for key in ("model", "model_version", "digit", "confidence", "not_a_digit", "probabilities"):
        assert first[key] == prediction[key]
    assert first["milliseconds"] > 0
    assert (other["model"], other["model_version"], other["digit"]) == ("second", "2", 9)
    assert sum(other["probabilities"]) == pytest.approx(1)
    assert other["error"] is None
    assert logged() == 1


@pytest.mark.parametrize(
    ("failure", "sentence"), [(asleep(), FAILURE), (ZeroDivisionError("inside"), "It failed to answer.")]
)
def test_failing_model_leaves_other_answers_intact(
    app: Flask, client: FlaskClient, failure: Exception, sentence: str
) -> None:
    prediction_id = predict(client, 3)["id"]
    with with_second(app, failure):
        response = compare(client, prediction_id)
        assert response.status_code == 200
        assert 'data-digit="3"' in response.text
        assert 'data-state="failed"' in response.text
        assert sentence in response.text
        assert "inside" not in response.text
        first, other = compare_by_api(client, prediction_id).get_json()["items"]
    assert (first["digit"], first["error"]) == (3, None)
    assert (other["digit"], other["probabilities"]) == (None, None)
    assert other["error"].startswith(sentence)


@pytest.mark.usefixtures("second")
def test_drawings_of_others_can_be_compared(client: FlaskClient, stranger: FlaskClient) -> None:
    prediction_id = predict(client)["id"]
    address = f"/predictions/{prediction_id}"
    assert f'action="{address}/comparison"' in stranger.get(address).text
    page = compare(stranger, prediction_id, fragment=False)
    assert page.text.count("data-opinion=") == 2
    assert "All models on this drawing" in page.text
    assert "the saved answer" in page.text
    assert f'href="{address}">Back to the answer' in page.text
    assert len(compare_by_api(stranger, prediction_id).get_json()["items"]) == 2


@pytest.mark.parametrize("public_history", ["own", "off"])
def test_private_drawings_of_others_cannot_be_compared(
    app: Flask, client: FlaskClient, stranger: FlaskClient, public_history: str
) -> None:
    app.config["PUBLIC_HISTORY"] = public_history
    prediction_id = predict(client)["id"]
    assert_refused(compare(stranger, prediction_id), 404, "not_found")
    assert compare_by_api(stranger, prediction_id).status_code == 404


def test_comparison_needs_csrf_token_or_json(client: FlaskClient) -> None:
    prediction_id = predict(client)["id"]
    assert_refused(compare(client, prediction_id, csrf_token="nonsense"), 400, "csrf")
    assert client.post(f"/api/v1/predictions/{prediction_id}/comparison", data="{}").status_code == 415


@pytest.mark.parametrize("several", [False, True])
def test_button_appears_only_with_several_models(app: Flask, client: FlaskClient, several: bool) -> None:
    only = app.extensions[ZOO]
    single = type(only)({only.default: only.get()}, only.default)
    more: AbstractContextManager[None] = with_second(app, nine()) if several else nullcontext()
    app.extensions[ZOO] = single
    try:
        with more:
            page = client.get("/")
    finally:
        app.extensions[ZOO] = only
    assert ("Compare all models" in page.text) == several
    assert ('name="model"' in page.text) == several


@pytest.mark.usefixtures("second")
def test_chosen_model_is_remembered(client: FlaskClient) -> None:
    def chosen(address: str) -> bool:
        return '<option value="second" selected>' in client.get(address).text

    assert not chosen("/")
    assert chosen("/?model=second")
    # Without JavaScript: the model that answered.
    prediction_id = predict(client, model="second")["id"]
    assert chosen(f"/?answer={prediction_id}")
    client.set_cookie("network", "second")
    assert chosen("/")
    client.set_cookie("network", "one that went away")
    assert not chosen("/")
