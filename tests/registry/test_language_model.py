"""The language model as a model of the site, through API and page."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from mnistweb import config
from mnistweb.app import create_app
from mnistweb.config import ConfigError
from mnistweb.extensions import db
from mnistweb.recognition import deadline
from mnistweb.recognition.llm.client import LanguageModel
from mnistweb.registry.recognizers import LANGUAGE_MODEL
from tests.support.clients import csrf_token, predict
from tests.support.drawings import data_url, digit_png
from tests.support.endpoint import KEY, MODEL, Endpoint, Reply, ask_locally, fails, reads, says, serve

PREDICTIONS = "/api/v1/predictions"
TIMEOUT = 20  # seconds; ample for every wait here, even on a busy machine


@pytest.fixture
def endpoint(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """The endpoint of the application's language model, which sends it two requests at a time."""
    ask_locally(monkeypatch)
    with serve() as endpoint:
        language_model = LanguageModel(endpoint.url, KEY, MODEL, TIMEOUT, places=2, sleep=lambda _: None)
        monkeypatch.setitem(app.extensions, LANGUAGE_MODEL, language_model)
        yield endpoint


def settings(base: dict[str, Any], **given: object) -> dict[str, Any]:
    named = {f"MNISTWEB_LLM_{name.upper()}": value for name, value in given.items()}
    return base | {"MNISTWEB_LLM_BASE_URL": "http://127.0.0.1:9/v1", "MNISTWEB_LLM_MODEL": MODEL} | named


def test_language_model_is_off_by_default(client: FlaskClient) -> None:
    assert "llm" not in [model["name"] for model in client.get("/api/v1/models").get_json()["items"]]
    assert 'value="llm"' not in client.get("/").text
    response = client.post(PREDICTIONS, json={"image": data_url(digit_png()), "model": "llm"})
    assert response.get_json()["error"]["code"] == "unknown_model"


def test_configured_language_model_is_offered(endpoint: Endpoint, client: FlaskClient) -> None:
    models = {model["name"]: model for model in client.get("/api/v1/models").get_json()["items"]}
    assert models["llm"]["version"] == MODEL
    assert models["llm"]["parameters"] is None
    assert models["llm"]["default"] is False
    assert 'value="llm"' in client.get("/").text
    assert endpoint.asked == []


def test_answer_is_logged(endpoint: Endpoint, client: FlaskClient) -> None:
    endpoint.reply = reads("3", 0.8)
    body = predict(client, 3, model="llm")
    assert (body["digit"], body["confidence"], body["saved"]) == (3, 0.8, True)
    assert (body["model"], body["model_version"]) == ("llm", MODEL)
    assert sum(body["probabilities"]) == pytest.approx(1)
    assert client.get(PREDICTIONS).get_json()["items"][0]["model"] == "llm"


def test_none_is_not_a_digit(endpoint: Endpoint, client: FlaskClient) -> None:
    endpoint.reply = reads("none", 0.8)
    body = predict(client, 3, model="llm")
    assert (body["digit"], body["not_a_digit"]) == (None, 0.8)
    assert body["reason"]


def test_default_model_is_another_one(endpoint: Endpoint, client: FlaskClient) -> None:
    assert predict(client)["model"] == "cnn"
    assert endpoint.asked == []


def test_slow_endpoint_times_out_and_is_not_logged(
    endpoint: Endpoint,
    app: Flask,
    client: FlaskClient,
    logged: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    language_model = LanguageModel(endpoint.url, KEY, MODEL, timeout=0.5, places=1)
    monkeypatch.setitem(app.extensions, LANGUAGE_MODEL, language_model)
    endpoint.gate.clear()
    response = client.post(PREDICTIONS, json={"image": data_url(digit_png()), "model": "llm"})
    assert response.status_code == 503
    assert_error_message(response.text, "model_timeout")
    endpoint.gate.set()
    assert logged() == 0


FAILURES = {
    "refusal": (says(None, refusal="No."), "model_refused"),
    "nonsense": (says("Seven, I think."), "model_nonsense"),
    "wrong JSON": (says('{"number": 3}'), "model_nonsense"),
    "no JSON": (Reply(b"<h1>Hello</h1>"), "model_nonsense"),
    "401": (fails(401), "model_unavailable"),
    "429": (fails(429), "model_rate_limited"),
    "500": (fails(500), "model_unavailable"),
}


def assert_error_message(text: str, code: str) -> None:
    assert code in text
    assert "language model" in text
    for secret in (KEY, "127.0.0.1", "Traceback", "api_key"):
        assert secret not in text


@pytest.mark.parametrize("name", FAILURES)
def test_failure_has_an_error_message_and_is_not_logged(
    endpoint: Endpoint,
    client: FlaskClient,
    logged: Callable[[], int],
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    endpoint.reply, code = FAILURES[name]
    response = client.post(PREDICTIONS, json={"image": data_url(digit_png()), "model": "llm"})
    assert (response.status_code, response.get_json()["error"]["code"]) == (503, code)
    assert_error_message(response.text, code)
    form = {"csrf_token": csrf_token(client), "image": data_url(digit_png()), "model": "llm"}
    for headers in ({}, {"X-Fragment": "true"}):
        page = client.post("/predictions", data=form, headers=headers)
        assert page.status_code == 503
        assert_error_message(page.text, f'data-error="{code}"')
    assert logged() == 0
    assert KEY not in caplog.text


def test_other_models_answer_while_the_endpoint_hangs(
    endpoint: Endpoint, app: Flask, client: FlaskClient, logged: Callable[[], int]
) -> None:
    endpoint.gate.clear()

    def ask_language_model() -> str:
        body = {"image": data_url(digit_png()), "model": "llm"}
        found = app.test_client().post(PREDICTIONS, json=body).get_json()
        code: str = found["error"]["code"] if "error" in found else "answered"
        return code

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask_language_model) for _ in range(4)]
        for _ in range(2):
            assert endpoint.arrived.acquire(timeout=TIMEOUT)
        assert [asked.result() for asked in islice(as_completed(asking), 2)] == ["model_busy"] * 2
        assert predict(client, 7)["digit"] == 7
        assert sum(asked.done() for asked in asking) == 2
        assert logged() == 1
        endpoint.gate.set()
        assert sorted(asked.result() for asked in asking) == [
            "answered",
            "answered",
            "model_busy",
            "model_busy",
        ]
    assert len(endpoint.asked) == 2


def test_retry_sends_no_second_request(endpoint: Endpoint, client: FlaskClient) -> None:
    headers = {"Idempotency-Key": "a key of this request"}

    def send(digit: int) -> Any:
        body = {"image": data_url(digit_png(digit)), "model": "llm"}
        return client.post(PREDICTIONS, json=body, headers=headers)

    client.get("/")
    first, again, other = send(3), send(3), send(7)
    assert [each.status_code for each in (first, again, other)] == [201, 200, 422]
    assert again.get_json() == first.get_json()
    assert len(endpoint.asked) == 1


def test_language_model_answers_without_the_database(
    endpoint: Endpoint, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("", None, Exception("away"))

    client.get("/")
    monkeypatch.setattr("mnistweb.predictions.idempotency.replay", fail)
    response = client.post(
        PREDICTIONS,
        json={"image": data_url(digit_png()), "model": "llm"},
        headers={"Idempotency-Key": "a key of this request"},
    )
    assert response.status_code == 201
    assert len(endpoint.asked) == 1


def test_no_connection_is_held_during_a_request(app: Flask, endpoint: Endpoint, client: FlaskClient) -> None:
    prediction = predict(client, 3)
    held: list[int] = []

    def look(_: dict[str, Any]) -> Reply:
        with app.app_context():
            held.append(db.engine.pool.checkedout())  # type: ignore[attr-defined]
        return reads("3")

    endpoint.reply = look
    client.post(f"{PREDICTIONS}/{prediction['id']}/comparison", json={})
    client.post(
        PREDICTIONS,
        json={"image": data_url(digit_png()), "model": "llm"},
        headers={"Idempotency-Key": "a key of this request"},
    )
    assert held == [0, 0]


def test_page_shows_the_answer(endpoint: Endpoint, client: FlaskClient) -> None:
    endpoint.reply = reads("3", 0.6)
    form = {"csrf_token": csrf_token(client), "image": data_url(digit_png()), "model": "llm"}
    page = client.post("/predictions", data=form, follow_redirects=True).text
    assert 'data-prediction="3"' in page
    assert MODEL in page
    # A language model gives no probabilities of other digits, so there is no second guess.
    assert "Perhaps a three" in page
    assert 'data-state="unsure"' in page
    assert "verdict-or" not in page.partition("<template")[0]


def test_api_key_is_on_no_page(endpoint: Endpoint, client: FlaskClient) -> None:
    predict(client, 3, model="llm")
    for address in ("/", "/history", "/models", "/models/llm", "/api/v1/models", "/readyz"):
        response = client.get(address)
        assert response.status_code in (200, 404)
        assert KEY not in response.text
        assert endpoint.url not in response.text


def test_settings_configure_the_language_model(unmigrated_settings: dict[str, Any]) -> None:
    app = create_app(settings(unmigrated_settings, api_key=KEY, timeout=3))
    assert app.extensions[LANGUAGE_MODEL].card.version == MODEL
    assert KEY not in repr(app.config)
    assert app.config["MNISTWEB_LLM_API_KEY"] == KEY


def test_missing_client_stops_the_start(
    unmigrated_settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "mnistweb.recognition.llm.client")
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ConfigError, match=r'pip install "mnistweb\[llm\]"'):
        create_app(settings(unmigrated_settings))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("base_url", "127.0.0.1:8080"),
        ("base_url", "ftp://host/v1"),
        ("base_url", "https:///v1"),
        ("base_url", "https://host:0/v1"),
        ("base_url", "https://host:port/v1"),
        ("base_url", "https://[::1/v1"),
        ("base_url", "https://me:secret@host/v1"),
        ("base_url", "https://host/v1?key=secret"),
        ("base_url", "https://host/v 1"),
        ("base_url", ""),
        ("model", ""),
        ("model", "m" * 65),
        ("model", "a\nb"),
        ("api_key", "two words"),
        ("api_key", "line\nbreak"),
        ("api_key", "schlüssel"),
        ("timeout", "0"),
        ("timeout", "19"),
        ("timeout", "1.5"),
        ("timeout", "soon"),
    ],
)
def test_invalid_setting_stops_the_start_and_names_its_key(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^MNISTWEB_LLM_{name.upper()} must be ") as caught:
        config.load(settings({}, **{name: value}))
    assert not value or value not in str(caught.value)


def test_api_key_needs_a_base_url() -> None:
    with pytest.raises(ConfigError, match=r"^MNISTWEB_LLM_BASE_URL must be set"):
        config.load({"MNISTWEB_LLM_API_KEY": KEY})


def test_language_model_needs_two_threads() -> None:
    with pytest.raises(ConfigError, match=r"^THREADS must be at least 2"):
        config.load(settings({"THREADS": "1"}))


def test_settings_are_in_the_example_file() -> None:
    example = Path(config.PACKAGE.parent, ".env.example").read_text()
    for setting in config.SETTINGS:
        if setting.key.startswith("MNISTWEB_LLM"):
            assert f"\n#{setting.key}=" in example
            assert not setting.default or f"{setting.key}={setting.default}\n" in example


def test_worker_threads_end(endpoint: Endpoint, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "IDLE_TIMEOUT", 0.05)
    before = set(threading.enumerate())
    predict(client, 3, model="llm")
    ends = time.monotonic() + TIMEOUT
    while any(thread.name == "bounded-call" for thread in set(threading.enumerate()) - before):
        assert time.monotonic() < ends
        time.sleep(0.01)
