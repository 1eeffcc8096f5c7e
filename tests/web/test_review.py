"""Drawings that the operator hid, or has not approved, reach nobody but their author at any address."""

import gzip
import re
import uuid

import pytest
from flask import Flask
from flask.testing import FlaskClient

from mnistweb.database.models import Prediction, Review
from mnistweb.extensions import db
from mnistweb.predictions.moderation import set_review
from tests.support.clients import correct, csrf_token, predict
from tests.support.databases import run_on_both_databases
from tests.support.quick import QUICK

pytest_generate_tests = run_on_both_databases
SINGLE = (
    "/predictions/{id}",
    "/predictions/{id}/strokes.json",
    "/predictions/{id}/film.json",
    "/predictions/{id}/drawing.png",
    "/predictions/{id}/input.png",
    "/predictions/{id}/preview.png",
    "/predictions/{id}/inside",
    "/api/v1/predictions/{id}",
)
QUERIES = (
    "",
    "sort=oldest",
    "sort=surest",
    "sort=least_sure",
    "digit={digit}",
    "label=8",
    "verdict=wrong",
    "verdict=labelled",
    "certainty={certainty}",
    "confidence_min=0",
    "model=cnn",
    "source=api",
    "from=2000-01-01",
)
LISTS = ("/history", "/history?view=gallery", "/history.csv", "/history.jsonl", "/api/v1/predictions")
WITHHELD = {"everyone": Review.HIDDEN, "reviewed": None}
"""Audiences, and a review with which they don't see a drawing."""
STROKES = {
    "size": 280,
    "strokes": [{"width": 20, "points": [[10.0, 10.0], [77.25, 99.75]]}],
}


def with_query(path: str, query: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{query}"


def review(app: Flask, prediction_id: str, word: Review | None) -> None:
    with app.app_context():
        if word is not None:
            assert set_review([uuid.UUID(prediction_id)], word)


def others(app: Flask, stranger: FlaskClient) -> list[FlaskClient]:
    stranger.get("/")
    return [stranger, app.test_client(use_cookies=False)]


@pytest.fixture(params=["everyone", "reviewed"])
def withheld(app: Flask, client: FlaskClient, request: pytest.FixtureRequest) -> dict[str, object]:
    """A wrong answer of the client, which the audience does not see, beside one that it sees."""
    made = predict(client, 3)
    correct(client, made["id"], "8")
    app.config["PUBLIC_HISTORY"] = request.param
    review(app, made["id"], WITHHELD[request.param])
    return made


@pytest.mark.parametrize("path", SINGLE)
def test_addresses_of_one_drawing_are_not_found(
    app: Flask, client: FlaskClient, stranger: FlaskClient, withheld: dict[str, str], path: str
) -> None:
    address = path.format(**withheld)
    nothing = path.format(id=uuid.uuid4())
    for other in others(app, stranger):
        refused, missing = other.get(address), other.get(nothing)
        assert refused.status_code == missing.status_code == 404
        # Not even that it exists.
        assert unnumbered(refused.text, address) == unnumbered(missing.text, nothing)
    assert client.get(address).status_code == 200
    review(app, withheld["id"], Review.APPROVED)
    assert stranger.get(address).status_code == 200


def unnumbered(text: str, address: str) -> str:
    """Return the text without the address and what is new in each response."""
    return re.sub(r'value="[^"]+"|"request_id": "[^"]+"|request [0-9a-f-]+', "", text.replace(address, ""))


def test_answers_and_comparisons_are_not_found(
    app: Flask, client: FlaskClient, stranger: FlaskClient, withheld: dict[str, str]
) -> None:
    number = withheld["id"]
    for other in others(app, stranger):
        page = other.get(f"/?answer={number}")
        assert page.status_code == 200
        assert number not in page.text
        assert other.post(f"/api/v1/predictions/{number}/comparison", json={}).status_code == 404
    form = {"csrf_token": csrf_token(stranger)}
    assert stranger.post(f"/predictions/{number}/comparison", data=form).status_code == 404
    assert client.post(f"/api/v1/predictions/{number}/comparison", json={}).status_code == 200


@pytest.mark.parametrize("path", LISTS)
def test_lists_leave_it_out(
    app: Flask, client: FlaskClient, stranger: FlaskClient, withheld: dict[str, str], path: str
) -> None:
    queries = QUERIES[LISTS.index(path) % 3 :: 3] if QUICK else QUERIES
    addresses = [with_query(path, query.format(**withheld)) for query in queries]
    for address in addresses:
        for other in others(app, stranger):
            assert withheld["id"] not in text_of(other, address)
            assert withheld["id"] not in text_of(other, with_query(address, "mine=1"))
        assert withheld["id"] in text_of(client, with_query(address, "mine=1"))
    review(app, withheld["id"], Review.APPROVED)
    for address in addresses:
        assert withheld["id"] in text_of(stranger, address)


def text_of(client: FlaskClient, address: str) -> str:
    """Return the whole text of a page or a download."""
    response = client.get(address)
    assert response.status_code == 200
    return response.text


def test_author_finds_a_hidden_drawing_in_the_lists_of_everyone(app: Flask, client: FlaskClient) -> None:
    made = predict(client)
    review(app, made["id"], Review.HIDDEN)
    for path in LISTS:
        assert made["id"] in client.get(path).text


def test_training_file_leaves_it_out(app: Flask, client: FlaskClient, stranger: FlaskClient) -> None:
    made = predict(client, 3, strokes=STROKES)
    correct(client, made["id"], "3")
    assert b"77.25" in gzip.decompress(stranger.get("/history.strokes.json.gz").data)
    review(app, made["id"], Review.HIDDEN)
    assert gzip.decompress(stranger.get("/history.strokes.json.gz").data) == b"[]\n"


def test_pages_of_a_list_do_not_lead_to_it(app: Flask, client: FlaskClient, stranger: FlaskClient) -> None:
    made = [predict(client)["id"] for _ in range(5)]
    for number in made[1:4]:
        review(app, number, Review.HIDDEN)
    found, cursor = [], ""
    while True:
        page = stranger.get(f"/api/v1/predictions?limit=1&cursor={cursor}").get_json()
        found += [each["id"] for each in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert found == [made[4], made[0]]


def test_hardest_drawings_leave_it_out(app: Flask, stranger: FlaskClient, withheld: dict[str, str]) -> None:
    for other in others(app, stranger):
        assert "/predictions/" not in other.get("/insights").text
    review(app, withheld["id"], Review.APPROVED)
    assert f"/predictions/{withheld['id']}" in stranger.get("/insights").text


def test_counts_are_of_what_is_listed(app: Flask, client: FlaskClient, stranger: FlaskClient) -> None:
    made = [predict(client)["id"] for _ in range(3)]
    review(app, made[0], Review.HIDDEN)
    review(app, made[1], Review.APPROVED)
    for query in ("", "?source=api", "?confidence_min=0", "?model=cnn"):
        assert re.search(r">\s*2 (of 2 )?drawings", stranger.get(f"/history{query}").text), query
    assert re.search(r">\s*3 drawings", client.get("/history").text)
    app.config["PUBLIC_HISTORY"] = "reviewed"
    for query in ("", "?source=api", "?confidence_min=0", "?model=cnn"):
        assert re.search(r">\s*1 (of 1 )?drawing[^s]", stranger.get(f"/history{query}").text), query
    assert "3 of 3 drawings" in client.get("/history?mine=1").text


@pytest.mark.parametrize(
    ("audience", "word", "note"),
    [
        ("everyone", None, None),
        ("everyone", Review.APPROVED, None),
        ("everyone", Review.HIDDEN, "hidden by the operator"),
        ("reviewed", None, "not public yet"),
        ("reviewed", Review.APPROVED, None),
        ("reviewed", Review.HIDDEN, "hidden by the operator"),
        ("own", None, None),
        ("own", Review.HIDDEN, "hidden by the operator"),
        ("off", None, None),
    ],
)
def test_author_is_told_that_it_is_not_public(
    app: Flask, client: FlaskClient, audience: str, word: Review | None, note: str | None
) -> None:
    made = predict(client)
    app.config["PUBLIC_HISTORY"] = audience
    review(app, made["id"], word)
    pages = ["/", f"/predictions/{made['id']}", "/history?mine=1", "/history?mine=1&view=gallery"]
    for page in pages if audience != "off" else pages[:2]:
        text = client.get(page).text
        assert ("hidden by the operator" in text) == (note == "hidden by the operator"), page
        assert ("not public yet" in text) == (note == "not public yet"), page
    # A link to share is offered where others can open it.
    public = audience in ("everyone", "reviewed") and note is None
    shared = f'data-share="/predictions/{made["id"]}"'
    assert (shared in client.get(f"/predictions/{made['id']}").text) == public


def test_review_does_not_change_who_may_judge_and_delete(
    app: Flask, client: FlaskClient, stranger: FlaskClient, withheld: dict[str, str]
) -> None:
    stranger.get("/")
    address = f"/api/v1/predictions/{withheld['id']}"
    for word in (Review.APPROVED, Review.HIDDEN):
        review(app, withheld["id"], word)
        assert stranger.post(f"{address}/feedback", json={"label": 3}).status_code == 404
        assert stranger.delete(address).status_code == 404
        assert client.post(f"{address}/feedback", json={"label": 3}).status_code == 200
    assert client.delete(address).status_code == 204
    with app.app_context():
        assert db.session.scalar(db.select(db.func.count(Prediction.id))) == 0
