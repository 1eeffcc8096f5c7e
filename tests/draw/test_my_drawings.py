import base64
import json
import re
import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mnistweb.database.models import Prediction, Review, Tally
from mnistweb.draw import own_export
from mnistweb.extensions import db
from mnistweb.predictions import aggregates, store
from mnistweb.predictions.moderation import set_review
from tests.support.challenges import play
from tests.support.clients import FRAGMENT, assert_refused, attribute, correct, csrf_token, predict
from tests.support.databases import run_on_both_databases
from tests.support.drawings import strokes_json
from tests.support.rows import NOON, add, row

DELETE_ALL = "/predictions/delete"
MINE = "/predictions/mine.jsonl"
pytest_generate_tests = run_on_both_databases


def delete_address(prediction: dict[str, Any]) -> str:
    return f"/predictions/{prediction['id']}/delete"


def remaining(app: Flask) -> set[str]:
    with app.app_context():
        return {str(prediction_id) for prediction_id in db.session.scalars(db.select(Prediction.id))}


def test_deletion_removes_the_prediction_from_log_and_accuracy(app: Flask, client: FlaskClient) -> None:
    first, second = predict(client, 3), predict(client, 8)
    correct(client, first["id"], "3")
    correct(client, second["id"], "9")
    form = {"csrf_token": csrf_token(client)}
    response = client.post(delete_address(second), data=form, headers=FRAGMENT)
    assert response.status_code == 200
    assert "<html" not in response.text
    assert second["id"] not in response.text
    assert (attribute(response, "data-labelled"), attribute(response, "data-accuracy")) == ("1", "1.0")
    assert remaining(app) == {first["id"]}
    assert client.get(f"/predictions/{second['id']}/drawing.png").status_code == 404
    assert 'data-prediction="' not in client.get(f"/?answer={second['id']}").text
    assert_refused(client.post(delete_address(second), data=form), 404, "not_found")


def test_delete_all_deletes_only_own_predictions(
    app: Flask, client: FlaskClient, stranger: FlaskClient
) -> None:
    theirs = predict(stranger, 3)
    for digit in (3, 8):
        predict(client, digit)
    response = client.post(DELETE_ALL, data={"csrf_token": csrf_token(client)})
    assert response.status_code == 303
    assert response.headers["Location"] == "/#own"
    assert remaining(app) == {theirs["id"]}
    assert "data-prediction-row" not in client.get("/").text


def test_deletion_updates_the_aggregates(app: Flask, client: FlaskClient) -> None:
    first = predict(client, 3)
    correct(client, first["id"], "8")
    predict(client, 8)
    form = {"csrf_token": csrf_token(client)}
    for address in (delete_address(first), DELETE_ALL):
        assert client.post(address, data=form).status_code == 303
    with app.app_context():
        assert set(db.session.scalars(db.select(Tally.count))) <= {0}


def test_only_the_author_can_delete(app: Flask, client: FlaskClient, stranger: FlaskClient) -> None:
    mine = predict(client, 3)
    form = {"csrf_token": csrf_token(stranger)}
    assert_refused(stranger.post(delete_address(mine), data=form, headers=FRAGMENT), 404, "not_found")
    nothing = {"id": uuid.uuid4()}
    assert_refused(stranger.post(delete_address(nothing), data=form), 404, "not_found")
    assert stranger.post(DELETE_ALL, data=form).status_code == 303
    assert remaining(app) == {mine["id"]}


def test_deletion_needs_the_csrf_token_of_the_session(
    app: Flask, client: FlaskClient, stranger: FlaskClient
) -> None:
    mine = predict(client, 3)
    for address in (delete_address(mine), DELETE_ALL):
        for token in ("", "nonsense", csrf_token(stranger)):
            assert_refused(client.post(address, data={"csrf_token": token}), 400, "csrf")
        client.get(address)
    assert remaining(app) == {mine["id"]}


def test_confirmation_names_the_number_and_deletes_nothing(
    app: Flask, client: FlaskClient, stranger: FlaskClient
) -> None:
    for digit in (3, 8, 5):
        predict(client, digit)
    predict(stranger)
    page = client.get(DELETE_ALL).text
    assert "all 3 of your drawings" in page
    assert page.count('method="post"') == 1
    assert 'name="csrf_token"' in page
    assert "your only drawing" in stranger.get(DELETE_ALL).text
    assert "You have no drawings here." in app.test_client().get(DELETE_ALL).text
    assert len(remaining(app)) == 4


def test_many_drawings_are_deleted_in_batches(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "DELETION_BATCH", 4)
    predict(client, 3)
    with app.app_context():
        visitor = db.session.query(Prediction.visitor).scalar()
        kept = add(row(visitor="another"))
        add(*(row(visitor=visitor, label=number % 10, labelled_at=NOON) for number in range(21)))
        aggregates.recount(db.session())
        db.session.commit()
    assert client.post(DELETE_ALL, data={"csrf_token": csrf_token(client)}).status_code == 303
    assert remaining(app) == {str(kept[0])}
    with app.app_context():
        assert sum(db.session.scalars(db.select(Tally.count).where(Tally.span == "day"))) == 1


def test_all_own_drawings_are_downloaded(app: Flask, client: FlaskClient, stranger: FlaskClient) -> None:
    made = [predict(client, digit, strokes=strokes_json(digit))["id"] for digit in (3, 8)]
    correct(client, made[0], "5")
    predict(stranger, 7)
    with app.app_context():
        set_review([uuid.UUID(made[1])], Review.HIDDEN)
    for public_history in ("everyone", "reviewed", "own", "off"):
        app.config["PUBLIC_HISTORY"] = public_history
        response = client.get(MINE)
        assert response.mimetype == "application/x-ndjson"
        assert response.headers["Content-Disposition"] == 'attachment; filename="my-drawings.jsonl"'
        second, first = (json.loads(line) for line in response.text.splitlines())
        assert [first["id"], second["id"]] == made
        assert (first["label"], first["correct"], first["hidden"]) == (5, False, False)
        assert (second["labelled"], second["hidden"]) == (False, True)
        assert first["strokes"] == strokes_json(3)
        assert len(first["input"]) == 784
        picture = base64.b64decode(first["drawing"].removeprefix("data:image/png;base64,"))
        assert picture == client.get(f"/predictions/{made[0]}/drawing.png").data
        assert "visitor" not in first
    assert app.test_client().get(MINE).text == ""


def test_challenges_are_downloaded_and_deleted_with_the_drawings(
    app: Flask, client: FlaskClient, stranger: FlaskClient
) -> None:
    theirs, game = play(stranger, places=1), play(client, places=2)
    predict(client)
    *drawings, challenge = (json.loads(line) for line in client.get(MINE).text.splitlines())
    assert [each["challenge"] for each in drawings] == [None, game.id, game.id]
    assert [each["prompt"] for each in drawings] == [None, *reversed(game.prompts[:2])]
    assert (challenge["challenge"], challenge["prompts"]) == (game.id, game.prompts)
    assert (challenge["drawn"], challenge["seconds"]) == (2, 0.001)
    assert challenge["started_at"] < challenge["finished_at"]
    page = client.get(DELETE_ALL).text
    assert "all 3 of your drawings" in page
    assert "the results of your challenge" in page
    for each in drawings:
        client.post(delete_address(each), data={"csrf_token": csrf_token(client)})
    assert "This permanently deletes the results of your challenge." in " ".join(
        client.get(DELETE_ALL).text.split()
    )
    assert client.post(DELETE_ALL, data={"csrf_token": csrf_token(client)}).status_code == 303
    assert client.get(MINE).text == ""
    assert client.get(game.results).status_code == 404
    assert stranger.get(theirs.results).status_code == 200


def test_download_reads_few_drawings_at_a_time(app: Flask, client: FlaskClient) -> None:
    predict(client)
    with app.app_context():
        visitor = db.session.query(Prediction.visitor).scalar()
        add(*(row(visitor=visitor) for _ in range(3 * own_export.BATCH)))
        sizes = [len(batch) for batch in own_export.own_batches(visitor)]
    assert sizes == [own_export.BATCH] * 3 + [1]
    assert client.get(MINE).text.count("\n") == 3 * own_export.BATCH + 1


def test_page_offers_both_for_all_own_drawings(app: Flask, client: FlaskClient) -> None:
    predict(client)
    offered = f'href="{MINE}"', f'href="{DELETE_ALL}"'
    for page in ("/", "/history?mine=1"):
        assert all(each in client.get(page).text for each in offered)
    assert not any(each in client.get("/history").text for each in offered)
    app.config["PUBLIC_HISTORY"] = "own"
    assert all(each in client.get("/history").text for each in offered)


def test_api_deletes_all_own_predictions(app: Flask, client: FlaskClient, stranger: FlaskClient) -> None:
    theirs = predict(stranger)
    for _ in range(2):
        predict(client)
    address = "/api/v1/predictions"
    for query in ("", "?mine=", "?mine=0", "?digit=3"):
        response = client.delete(address + query)
        assert (response.status_code, response.get_json()["error"]["code"]) == (400, "invalid_filter")
    assert len(remaining(app)) == 3
    assert client.delete(f"{address}?mine=1").get_json() == {"deleted": 2}
    assert client.delete(f"{address}?mine=1").get_json() == {"deleted": 0}
    assert app.test_client().delete(f"{address}?mine=1").get_json() == {"deleted": 0}
    assert remaining(app) == {theirs["id"]}


def test_api_deletes_own_predictions(app: Flask, client: FlaskClient, stranger: FlaskClient) -> None:
    mine = predict(client, 3)
    address = f"/api/v1/predictions/{mine['id']}"
    for who, status in ((stranger, 404), (app.test_client(), 404), (client, 204), (client, 404)):
        assert who.delete(address).status_code == status
    assert remaining(app) == set()


@pytest.mark.parametrize("public_history", ["everyone", "own", "off"])
def test_many_drawings_are_paginated(app: Flask, client: FlaskClient, public_history: str) -> None:
    app.config["PUBLIC_HISTORY"] = public_history
    predict(client, 3)
    with app.app_context():
        visitor = db.session.query(Prediction.visitor).scalar()
        add(*(row(visitor=visitor) for _ in range(60)))
    page = client.get("/")
    assert page.text.count("data-prediction-row=") == 50
    following = re.search(r'rel="next" href="([^"#]+)', page.text)
    assert following
    page = client.get(following[1].replace("&amp;", "&"))
    assert page.text.count("data-prediction-row=") == 11
    # Deletion returns to the same page.
    delete = re.search(r'formaction="([^"]+)"', page.text)
    assert delete
    form = {"csrf_token": csrf_token(client)}
    response = client.post(delete[1].replace("&amp;", "&"), data=form)
    assert client.get(response.headers["Location"]).text.count("data-prediction-row=") == 10


def test_accuracy_has_counts_and_from_five_on_its_interval(client: FlaskClient) -> None:
    for label in ("3", "3", "8", "3"):
        response = correct(client, predict(client, 3)["id"], label)
    assert ">3 of 4 right</p>" in response.text
    response = correct(client, predict(client, 3)["id"], "3")
    assert "4 of 5 right: <strong>80.0 %</strong> <span>(95 % interval: 38 % to 96 %)</span>" in response.text
