"""A site whose models run on a model server."""

import dataclasses
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mnistweb.app import create_app, create_database_app
from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.recognition.decoding import read_drawing
from mnistweb.recognition.preprocessing import normalize
from mnistweb.recognition.recognizer import TorchScriptRecognizer
from mnistweb.recognition.remote.protocol import write_metadata
from mnistweb.recognition.zoo import ModelFileError
from mnistweb.registry import refresh
from mnistweb.registry.recognizers import ZOO
from mnistweb.registry.versions import add_version, promote
from tests.support.clients import csrf_token, predict
from tests.support.drawings import data_url, digit_png
from tests.support.model_server import StandIn, serve
from tests.support.networks import other_version
from tests.support.sites import SECRET, make_tables


@pytest.fixture
def server() -> Iterator[StandIn]:
    with serve() as server:
        yield server


@pytest.fixture(scope="module")
def empty_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with empty tables."""
    folder = tmp_path_factory.mktemp("empty")
    file = folder / "site.sqlite3"
    make_tables(create_database_app({"DATABASE_URL": f"sqlite:///{file}", "INSTANCE_PATH": str(folder)}))
    return file


@pytest.fixture
def settings(server: StandIn, empty_sqlite_file: Path, tmp_path: Path) -> dict[str, Any]:
    shutil.copy(empty_sqlite_file, tmp_path)
    return {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'site.sqlite3'}",
        "DEFAULT_MODEL": "lenet5",
        "INSTANCE_PATH": str(tmp_path),
        "MODEL_URL": server.url,
        "RATELIMIT_ENABLED": "false",
        "SECRET_KEY": SECRET,
        "TESTING": True,
    }


def test_prediction_comes_from_the_server_and_stores_its_version(
    server: StandIn, settings: dict[str, Any]
) -> None:
    app = create_app(settings)
    answer = predict(app.test_client(), 3)
    assert (answer["digit"], answer["model"]) == (3, "lenet5")
    assert server.asked == ["/v2/models/lenet5/infer"]
    with app.app_context():
        row = db.session.query(Prediction).one()
        assert row.model_version == server.network.card.version


def test_request_id_is_sent_to_the_server(server: StandIn, settings: dict[str, Any]) -> None:
    response = (
        create_app(settings)
        .test_client()
        .post(
            "/api/v1/predictions",
            json={"image": data_url(digit_png(3))},
            headers={"X-Request-ID": "of-a-visitor"},
        )
    )
    assert response.status_code == 201
    assert server.ids == ["of-a-visitor"]


@pytest.mark.parametrize("traced", [True, False])
def test_trace_context_is_sent_if_tracing_is_on(
    server: StandIn, settings: dict[str, Any], traced: bool
) -> None:
    app = create_app(
        settings | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"} if traced else settings
    )
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    body = {"image": data_url(digit_png(3))}
    headers = {"traceparent": f"00-{trace}-{parent}-01"}
    assert app.test_client().post("/api/v1/predictions", json=body, headers=headers).status_code == 201
    sent = server.heads[0].get("traceparent")
    if traced:
        assert sent is not None
        assert sent.split("-")[1] == trace
        assert sent.split("-")[2] != parent  # the span of the request is the parent
    else:
        assert sent is None


def test_server_failure_gives_503_and_logs_nothing(server: StandIn, settings: dict[str, Any]) -> None:
    app = create_app(settings)
    client = app.test_client()
    token = csrf_token(client)
    server.failures = [400, 400]
    image = data_url(digit_png(3))
    response = client.post("/api/v1/predictions", json={"image": image})
    assert response.status_code == 503
    assert response.get_json()["error"]["code"] == "model_unavailable"
    page = client.post("/predictions", data={"image": image, "csrf_token": token})
    assert page.status_code == 503
    assert "The model server failed with status 400." in page.text
    with app.app_context():
        assert db.session.query(Prediction).count() == 0


def test_local_models_are_the_fallback(server: StandIn, settings: dict[str, Any]) -> None:
    app = create_app(settings | {"MODEL_FALLBACK": "local"})
    client = app.test_client()
    server.failures = [400]
    answer = predict(client, 3)
    assert answer["digit"] == 3
    assert len(server.asked) == 1
    inside = client.get(f"/predictions/{answer['id']}/inside")
    assert inside.status_code == 200
    named = client.get(f"/predictions/{answer['id']}/inside?model=cnn")
    assert named.status_code == 200


def test_remote_models_cannot_be_explained(settings: dict[str, Any]) -> None:
    client = create_app(settings).test_client()
    answer = predict(client, 3)
    response = client.get(f"/predictions/{answer['id']}/inside")
    assert response.status_code == 404
    assert 'data-error="nothing_inside"' in response.text
    assert "on another machine" in response.text


def test_guesses_and_comparisons_use_the_server(server: StandIn, settings: dict[str, Any]) -> None:
    client = create_app(settings).test_client()
    ink = normalize(read_drawing(digit_png(7), 10**6)).tobytes()
    guess = client.post("/guess?width=28", data=ink, content_type="application/octet-stream")
    assert (guess.status_code, guess.get_json()["digit"]) == (200, 7)
    assert server.asked == ["/v2/models/lenet5/infer"]
    answer = predict(client, 7)
    server.asked.clear()
    server.says = {"model_name": None}
    data = {"csrf_token": csrf_token(client)}
    compared = client.post(f"/predictions/{answer['id']}/comparison", data=data)
    assert compared.status_code == 200
    assert compared.text.count("makes no sense") >= 3
    assert sorted(server.asked) == [f"/v2/models/{name}/infer" for name in ("cnn", "lenet5", "vit")]


def test_pages_without_recognition_send_no_requests(server: StandIn, settings: dict[str, Any]) -> None:
    app = create_app(settings)
    for path in ("/", "/models", "/models/cnn", "/history", "/insights", "/readyz", "/api/v1/models"):
        assert app.test_client().get(path).status_code == 200, path
    assert server.asked == []


def test_default_model_needs_a_local_card(settings: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError, match="missing"):
        create_app(settings | {"DEFAULT_MODEL": "missing"})


@pytest.fixture
def new(settings: dict[str, Any]) -> str:
    """A second version, live in the database; the model server may have it or not."""
    file, card = other_version("lenet5")
    operator = create_database_app(settings)
    with operator.app_context():
        add_version(file, card, None, None, "ada")
        promote("lenet5", card.version, None, by="ada", reason="a test", force=True)
        db.engine.dispose()
    return card.version


@pytest.mark.parametrize("ahead", [True, False], ids=["server first", "site first"])
def test_a_row_names_the_version_that_the_server_answered_with(
    server: StandIn, settings: dict[str, Any], new: str, ahead: bool
) -> None:
    file, card = other_version("lenet5")
    installed, server_has = server.network.card, server.network
    # Another temperature: with the wrong card the probabilities would be others.
    card = dataclasses.replace(card, temperature=2.0)
    if ahead:
        server_has = server.network = TorchScriptRecognizer.from_bytes(card, file)
        server.pages[f"/v2/models/lenet5/versions/{new}"] = write_metadata(card)
    app = create_app(settings | {"SURE_FROM": "0.97"})
    if not ahead:
        follower = refresh.make_follower(app)
        follower.refresh()
        follower.stop()
        assert app.extensions[ZOO].get("lenet5").card.version == new
    answer = predict(app.test_client(), 3)
    assert answer["model_version"] == (new if ahead else installed.version)
    image = normalize(read_drawing(digit_png(3), 10**6))
    expected = server_has.recognize(image)
    assert answer["probabilities"] == pytest.approx(expected.probabilities)
    with app.app_context():
        assert db.session.query(Prediction).one().model_version == answer["model_version"]
        db.engine.dispose()


WITHOUT_TORCH = """
import sys
from mnistweb.app import create_app
from mnistweb.registry import refresh
from tests.support.drawings import data_url, digit_png
app = create_app({settings!r})
assert refresh.make_follower(app).refresh()
assert app.extensions["mnistweb-zoo"].get("lenet5").card.version == {version!r}
client = app.test_client()
answer = client.post("/api/v1/predictions", json={{"image": data_url(digit_png(3))}})
assert (answer.status_code, answer.get_json()["digit"]) == (201, 3), answer.text
assert client.get("/predictions/" + answer.get_json()["id"] + "/inside").status_code == 404
assert client.get("/").status_code == client.get("/models").status_code == 200
print(*sorted({{"torch", "mnistweb.recognition.recognizer"}} & set(sys.modules)))
"""


@pytest.mark.process
def test_site_with_a_model_server_never_imports_torch(settings: dict[str, Any], new: str) -> None:
    program = WITHOUT_TORCH.format(settings=settings, version=new)
    command = [sys.executable, "-W", "ignore", "-c", program]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.stdout.split(), found.returncode) == ([], 0), found.stderr
