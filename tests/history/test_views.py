import csv
import gzip
import html
import io
import json
import re
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.history.prediction import page_of
from mnistweb.predictions import aggregates, counts
from mnistweb.training.data import load_drawings
from mnistweb.training.pen_strokes import USUAL_VARIATION, redraw
from mnistweb.web.visitors import COOKIE
from tests.support.clients import predict
from tests.support.databases import on_both_databases
from tests.support.drawings import digit_png, pixels, strokes_json
from tests.support.rows import NOON, add, row

TRAINING_FILE = "/history.strokes.json.gz"
LISTINGS = ("/history", "/history.csv", "/history.jsonl", "/api/v1/predictions")


def ids(page: TestResponse) -> list[str]:
    return re.findall(r'data-prediction-row="([^"]+)"', page.text)


def words(page: TestResponse) -> str:
    """Return what the page says about the filter and its hits."""
    [found] = re.findall(r'<p class="filter-words">(.*?)</p>', page.text, re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", found)).split())


def pager(page: TestResponse) -> dict[str, str]:
    """Return the addresses in the pager by their words."""
    [found] = re.findall(r'<nav class="pager".*?</nav>', page.text, re.DOTALL)
    return {text: html.unescape(address) for address, text in re.findall(r'href="([^"]+)">([^<]+)<', found)}


def addresses(prediction_id: str) -> list[str]:
    parts = ("", "/strokes.json", "/drawing.png", "/input.png", "/preview.png", "/inside")
    own = [f"/predictions/{prediction_id}{part}" for part in parts]
    return [*own, f"/api/v1/predictions/{prediction_id}"]


def give_feedback(client: FlaskClient, prediction: dict[str, Any], label: int | None) -> None:
    client.post(f"/api/v1/predictions/{prediction['id']}/feedback", json={"label": label})


@on_both_databases
def test_filters_are_kept_in_links_to_further_pages(client: FlaskClient) -> None:
    made = [predict(client, digit) for digit in (3, 8, 3, 3)]
    give_feedback(client, made[0], 8)
    page = client.get("/history?digit=3&limit=2")
    assert ids(page) == [made[3]["id"], made[2]["id"]]
    assert "read as 3" in page.text
    following = re.search(r'rel="next" href="([^"]+)"', page.text)
    assert following
    page = client.get(following[1].replace("&amp;", "&"))
    assert ids(page) == [made[0]["id"]]
    assert ids(client.get("/history?digit=3&verdict=wrong&label=8")) == [made[0]["id"]]
    assert ids(client.get("/history?from=2000-01-01&to=2000-01-02")) == []


@on_both_databases
def test_hits_are_counted(client: FlaskClient, stranger: FlaskClient) -> None:
    for digit in (3, 8, 3):
        predict(client, digit)
    predict(stranger, 3)
    assert words(client.get("/history")) == "4 drawings"
    assert words(client.get("/history?digit=3")) == "3 of 4 drawings: read as 3. Clear filters"
    assert words(client.get("/history?digit=3&mine=1")).startswith("2 of 4 drawings: your own · read as 3.")
    assert words(client.get("/history?digit=5")).startswith("0 of 4 drawings: read as 5.")


def test_hits_are_counted_among_the_visitors_own(
    app: Flask, client: FlaskClient, stranger: FlaskClient
) -> None:
    app.config["PUBLIC_HISTORY"] = "own"
    for who, digit in ((client, 3), (stranger, 3), (stranger, 8)):
        predict(who, digit)
    assert words(client.get("/history")) == "1 drawing"
    assert words(stranger.get("/history?digit=8")).startswith("1 of 2 drawings")


def test_bounded_count_is_at_least_the_page(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "MAX_COUNTED", 2)
    monkeypatch.setattr(counts, "MAX_CHECKED", 2)
    with app.app_context():
        add(*(row(NOON - timedelta(minutes=minute), digit=minute // 3) for minute in range(6)))
        aggregates.recount(db.session())
        db.session.commit()
    assert words(client.get("/history?source=slate")).startswith("At least 6 of 6 drawings")
    assert words(client.get("/history?source=slate&digit=1")).startswith("At least 3 of 6 drawings")


@on_both_databases
def test_predictions_are_sorted_alike_everywhere(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        made = add(*(row(confidence=confidence) for confidence in (0.7, 0.9, 0.3)))
    surest = [str(made[number]) for number in (1, 0, 2)]
    assert ids(client.get("/history?sort=surest")) == surest
    assert ids(client.get("/history?sort=least_sure&view=gallery")) == surest[::-1]
    listed = client.get("/api/v1/predictions?sort=surest&limit=2").get_json()
    rest = client.get(f"/api/v1/predictions?sort=surest&cursor={listed['next']}").get_json()
    assert [item["id"] for item in (*listed["items"], *rest["items"])] == surest
    lines = client.get("/history.jsonl?sort=surest").text.splitlines()
    assert [json.loads(line)["id"] for line in lines] == surest


@pytest.mark.parametrize("address", LISTINGS)
def test_unknown_order_is_rejected(client: FlaskClient, address: str) -> None:
    response = client.get(f"{address}?sort=best", headers={"Accept": "application/json"})
    assert response.status_code == 400
    assert response.get_json()["error"]["code"] == "invalid_sort"
    assert "newest, oldest, surest, least_sure" in response.get_json()["error"]["message"]


@pytest.mark.parametrize(
    ("sort", "first", "before", "after"),
    [("newest", "Newest", "Newer", "Older"), ("least_sure", "Least sure", "Less sure", "Surer")],
)
def test_pager_leads_in_both_directions(
    app: Flask, client: FlaskClient, sort: str, first: str, before: str, after: str
) -> None:
    with app.app_context():
        add(*(row(NOON + timedelta(minutes=minute), confidence=minute / 10) for minute in range(6)))
    start = client.get(f"/history?limit=2&sort={sort}")
    assert list(pager(start)) == [after]
    second = client.get(pager(start)[after])
    assert list(pager(second)) == [first, before, after]
    third = client.get(pager(second)[after])
    assert list(pager(third)) == [first, before]
    assert ids(client.get(pager(third)[before])) == ids(second)
    assert ids(client.get(pager(second)[before])) == ids(client.get(pager(third)[first])) == ids(start)


def test_gallery_keeps_filter_order_and_page(client: FlaskClient) -> None:
    made = [predict(client, 3) for _ in range(3)]
    give_feedback(client, made[0], 8)
    give_feedback(client, made[1], 3)
    page = client.get("/history?view=gallery&digit=3&sort=oldest&limit=2")
    assert ids(page) == [made[0]["id"], made[1]["id"]]
    assert "<table" not in page.text
    wrong, right = re.findall(r'<li class="gallery-tile".*?</li>', page.text, re.DOTALL)
    assert f'href="/predictions/{made[0]["id"]}"' in wrong
    assert re.search("read as.*>3<.*wrong.*it was.*>8<", wrong, re.DOTALL)
    assert re.search("read as.*>3<.*right", right, re.DOTALL)
    following = client.get(pager(page)["Newer"])
    assert ids(following) == [made[2]["id"]]
    assert "not rated" in following.text
    assert 'class="gallery"' in following.text
    lists = re.search(r'href="([^"]+)">List', page.text)
    assert lists
    assert ids(client.get(html.unescape(lists[1]))) == ids(page)


def test_filter_form_shows_what_is_filtered(client: FlaskClient) -> None:
    predict(client, 3)
    page = client.get("/history?refused=1&confidence_min=0.8&sort=surest&view=gallery").text
    assert re.findall(r'<option value="([^"]+)" selected', page) == ["none", "0.8", "surest"]
    assert '<input type="hidden" name="view" value="gallery">' in page
    assert "read as not a digit" in page
    assert "at least 80&nbsp;% sure" in page


def test_model_title_is_the_same_in_filter_and_table(client: FlaskClient) -> None:
    predict(client, 3)
    page = client.get("/history?model=cnn").text
    assert "<strong>read by Convolutional network</strong>" in page
    assert re.search(r'class="cell-model"[^>]*>Convolutional network<', page)


def test_empty_parameters_are_removed_by_a_redirect(client: FlaskClient) -> None:
    response = client.get("/history?mine=&model=a%26b&digit=&_external=1&limit=")
    assert response.status_code == 302
    assert response.headers["Location"] == "/history?model=a%26b&_external=1"
    assert client.get("/history?digit=").headers["Location"] == "/history"


@pytest.mark.parametrize("address", LISTINGS)
def test_listings_reject_a_bad_filter_alike(client: FlaskClient, address: str) -> None:
    response = client.get(f"{address}?digit=ten", headers={"Accept": "application/json"})
    assert response.status_code == 400
    assert response.get_json()["error"]["code"] == "invalid_filter"
    assert "“digit” must be a digit" in response.get_json()["error"]["message"]


def test_api_list_accepts_the_same_filters(client: FlaskClient, stranger: FlaskClient) -> None:
    mine, theirs = predict(client, 3), predict(stranger, 3)
    listed = client.get("/api/v1/predictions?digit=3").get_json()["items"]
    assert [item["id"] for item in listed] == [theirs["id"], mine["id"]]
    listed = client.get("/api/v1/predictions?digit=3&mine=1").get_json()["items"]
    assert [item["id"] for item in listed] == [mine["id"]]


def test_empty_history_suggests_an_action(client: FlaskClient) -> None:
    assert "Draw the first digit" in client.get("/history").text
    page = client.get("/history?digit=3").text
    assert "No drawings match these filters" in page
    assert page.count("Clear filters") == 1


def test_prediction_page_shows_drawing_and_answer(client: FlaskClient) -> None:
    made = predict(client, 3, strokes=strokes_json(3))
    page = client.get(f"/predictions/{made['id']}")
    assert page.status_code == 200
    assert f'data-replay="/predictions/{made["id"]}/strokes.json"' in page.text
    assert f'data-prediction-id="{made["id"]}"' in page.text
    assert client.get(f"/predictions/{made['id']}/strokes.json").get_json() == strokes_json(3)


@on_both_databases
def test_strokes_are_sent_as_they_are_stored(app: Flask, client: FlaskClient) -> None:
    strokes = {"size": 280, "strokes": [{"width": 20, "points": [[1.25, 2.0], [3.0, 4.5, 0.5]]}]}
    with app.app_context():
        [drawn] = add(row(strokes=strokes))
    response = client.get(f"/predictions/{drawn}/strokes.json")
    assert (response.mimetype, response.text) == (
        "application/json",
        json.dumps(strokes, separators=(",", ":")),
    )
    assert "immutable" in response.headers["Cache-Control"]
    assert "data-replay" in client.get(f"/predictions/{drawn}").text


@on_both_databases
@pytest.mark.parametrize("strokes", [None, {"size": 280, "strokes": []}])
def test_prediction_page_without_strokes_shows_the_image(client: FlaskClient, strokes: object) -> None:
    made = predict(client, 3, strokes=strokes)
    page = client.get(f"/predictions/{made['id']}").text
    assert "data-replay" not in page
    assert f'src="/predictions/{made["id"]}/drawing.png"' in page
    assert client.get(f"/predictions/{made['id']}/strokes.json").get_json() == strokes


def test_only_the_author_can_rate_and_delete(client: FlaskClient, stranger: FlaskClient) -> None:
    made = predict(client, 3)
    give_feedback(client, made, 8)
    address = f"/predictions/{made['id']}"
    page = client.get(address).text
    for action in ("feedback", "delete", "inside"):
        assert f'action="{address}/{action}' in page
    page = stranger.get(address).text
    assert re.findall(r'action="([^"]+)"', page)[0] == f"{address}/inside"
    assert f"{address}/feedback" not in page
    assert f"{address}/delete" not in page
    assert "Its author says: an eight." in page


@pytest.mark.parametrize("public_history", ["everyone", "own", "off"])
def test_link_is_offered_where_others_can_open_it(
    app: Flask, client: FlaskClient, public_history: str
) -> None:
    app.config["PUBLIC_HISTORY"] = public_history
    made = predict(client, 3)
    offered = f'data-share="/predictions/{made["id"]}"'
    for address in (f"/predictions/{made['id']}", f"/?answer={made['id']}"):
        assert (offered in client.get(address).text) == (public_history == "everyone")


def test_feedback_redirects_to_the_prediction_page(client: FlaskClient) -> None:
    made = predict(client, 3)
    address = f"/predictions/{made['id']}"
    form = re.search(r'action="([^"]*/feedback[^"]*)"', client.get(address).text)
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(address).text)
    assert form
    assert token
    response = client.post(form[1], data={"csrf_token": token[1], "label": "8"})
    assert response.status_code == 303
    assert response.headers["Location"].startswith(address)
    assert "Saved: it was an eight." in client.get(address).text


def test_unknown_prediction_is_not_found(client: FlaskClient) -> None:
    for address in addresses(str(uuid.uuid4())):
        assert client.get(address).status_code == 404


@on_both_databases
def test_csv_contains_the_filtered_predictions(client: FlaskClient, stranger: FlaskClient) -> None:
    made = [predict(who, digit) for who, digit in ((client, 3), (stranger, 8), (client, 3))]
    give_feedback(client, made[0], None)
    response = client.get("/history.csv?digit=3")
    assert response.mimetype == "text/csv"
    assert response.headers["Content-Disposition"] == 'attachment; filename="mnistweb-history.csv"'
    newest, oldest = csv.DictReader(io.StringIO(response.text))
    assert (newest["id"], oldest["id"]) == (made[2]["id"], made[0]["id"])
    assert (newest["digit"], newest["label"], newest["labelled"], newest["correct"]) == ("3", "", "False", "")
    assert (oldest["label"], oldest["labelled"], oldest["correct"]) == ("", "True", "False")
    assert float(newest["probability_3"]) == made[2]["probabilities"][3]


def test_doubt_is_shown_filtered_and_exported(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        add(row(doubtful=True, confidence=0.6), row(), row(digit=None))
        aggregates.recount(db.session())
        db.session.commit()
    page = client.get("/history?certainty=doubtful")
    assert page.text.count("data-prediction-row") == page.text.count('class="doubt"') == 1
    assert "<strong>in doubt</strong>" in page.text
    assert '<option value="doubtful" selected>' in page.text
    assert "1 of 3 drawings" in page.text
    assert client.get("/history?view=gallery").text.count('class="doubt"') == 1
    table = list(csv.DictReader(io.StringIO(client.get("/history.csv").text)))
    assert list(table[0])[-2:] == ["certainty", "prompt"]
    assert sorted(each["certainty"] for each in table) == ["doubtful", "not_a_digit", "sure"]
    lines = client.get("/history.jsonl?certainty=doubtful").text.splitlines()
    assert [json.loads(line)["certainty"] for line in lines] == ["doubtful"]
    found = client.get("/api/v1/predictions?certainty=not_a_digit").get_json()["items"]
    assert [each["digit"] for each in found] == [None]
    assert client.get("/api/v1/predictions?certainty=none").get_json()["error"]["code"] == "invalid_filter"


@on_both_databases
def test_pages_and_downloads_say_what_was_asked_for(app: Flask, client: FlaskClient) -> None:
    challenge = uuid.uuid4()
    with app.app_context():
        asked, *_ = add(row(prompt=8, challenge=challenge), row(prompt=4, challenge=challenge), row())
        aggregates.recount(db.session())
        db.session.commit()
    for view in ("list", "gallery"):
        page = client.get(f"/history?view={view}")
        assert sorted(re.findall("asked for an? [0-9]", page.text)) == ["asked for a 4", "asked for an 8"]
    page = client.get("/history?prompt=8")
    assert ids(page) == [str(asked)]
    assert words(page) == "1 of 3 drawings: asked for an 8. Clear filters"
    page = client.get(f"/predictions/{asked}")
    assert "asked for an 8" in page.text
    # The challenge would tell which drawings are by the same person.
    assert str(challenge) not in page.text
    table = list(csv.DictReader(io.StringIO(client.get("/history.csv").text)))
    assert sorted(each["prompt"] for each in table) == ["", "4", "8"]
    lines = [json.loads(line) for line in client.get("/history.jsonl?prompt=8").text.splitlines()]
    assert [(line["prompt"], line["label"], line["labelled"]) for line in lines] == [(8, None, False)]
    assert "challenge" not in lines[0]
    (found,) = client.get("/api/v1/predictions?prompt=4").get_json()["items"]
    assert found["prompt"] == 4
    assert "challenge" not in found


def test_csv_escapes_formulas(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        add(row(reason='=HYPERLINK("https://elsewhere.example")', model="@model", model_version="-1"))
    [found] = csv.DictReader(io.StringIO(client.get("/history.csv").text))
    assert (found["reason"][:3], found["model"], found["model_version"]) == ("'=H", "'@model", "'-1")


@on_both_databases
def test_json_lines_contain_strokes_and_pixels(client: FlaskClient) -> None:
    made = predict(client, 3, strokes=strokes_json(3))
    predict(client, 8)
    response = client.get("/history.jsonl?digit=3")
    assert response.mimetype == "application/x-ndjson"
    found = json.loads(response.text)
    assert response.text.endswith("}\n")
    assert {name: found[name] for name in found if name not in ("strokes", "input")} == {
        name: value for name, value in made.items() if name != "saved"
    }
    assert found["strokes"] == strokes_json(3)
    assert len(found["input"]) == 784
    assert max(found["input"]) > 200


@on_both_databases
def test_downloads_span_several_batches(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        made = add(*(row() for _ in range(250)))
    lines = [json.loads(line)["id"] for line in client.get("/history.jsonl").text.splitlines()]
    assert sorted(lines) == sorted(map(str, made))
    assert client.get("/history.csv?digit=9").text.count("\n") == 1


def training_entries(response: TestResponse) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(gzip.decompress(response.data))
    return found


@on_both_databases
def test_training_file_is_read_by_training(app: Flask, client: FlaskClient, tmp_path: Path) -> None:
    with app.app_context():
        labelled: dict[str, Any] = {"labelled_at": NOON, "strokes": strokes_json(3)}
        add(
            row(label=3, digit=8, **labelled),
            row(label=3, visitor="another", **labelled),
            *(row(label=4, **labelled) for _ in range(150)),
            row(label=5, labelled_at=NOON),  # an uploaded picture
            row(label=6, labelled_at=NOON, strokes={"size": 280, "strokes": []}),
            row(label=None, **labelled),  # not a digit
            row(strokes=strokes_json(3)),  # not rated
        )
    response = client.get(TRAINING_FILE)
    assert response.mimetype == "application/gzip"
    disposition = 'attachment; filename="mnistweb-history.strokes.json.gz"'
    assert response.headers["Content-Disposition"] == disposition
    file = tmp_path / "history.strokes.json.gz"
    file.write_bytes(response.data)
    drawings = load_drawings([file])
    assert sorted(sample.label for sample in drawings.train) == [3, 3, *[4] * 150]
    assert (drawings.validation, drawings.test) == ((), ())
    [points] = next(sample for sample in drawings.train if sample.label == 3).strokes
    assert points.tolist() == [point[:2] for point in strokes_json(3)["strokes"][0]["points"]]
    image = redraw(drawings.train[0].strokes, np.random.default_rng(1), USUAL_VARIATION)
    assert len(image) == 1


def test_training_file_follows_the_filter(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        labelled: dict[str, Any] = {"labelled_at": NOON, "strokes": strokes_json(3)}
        add(row(label=3, **labelled), row(label=8, **labelled), row(label=None, **labelled))
    for query, labels in (
        ("verdict=wrong", [8]),
        ("label=3", [3]),
        ("label=none", []),
        ("verdict=unlabelled", []),
        ("digit=5", []),
    ):
        assert [
            entry["label"] for entry in training_entries(client.get(f"{TRAINING_FILE}?{query}"))
        ] == labels


def test_writers_are_numbers_that_name_nobody(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        visitors = [f"visitor {number % 3}" for number in range(9)]
        labelled: dict[str, Any] = {"label": 3, "labelled_at": NOON, "strokes": strokes_json(3)}
        add(
            *(
                row(NOON - timedelta(minutes=minute), visitor=visitor, **labelled)
                for minute, visitor in enumerate(visitors)
            )
        )
    files = [[entry["writer"] for entry in training_entries(client.get(TRAINING_FILE))] for _ in range(2)]
    for writers in files:
        assert len(set(writers)) == 3
        assert writers == writers[:3] * 3
    assert not set(files[0]) & set(files[1])


@pytest.mark.parametrize("public_history", ["everyone", "own", "off"])
def test_visitor_ids_are_never_disclosed(
    app: Flask, client: FlaskClient, stranger: FlaskClient, public_history: str
) -> None:
    app.config["PUBLIC_HISTORY"] = public_history
    made = predict(client, 3, strokes=strokes_json(3))
    with app.app_context():
        visitor = db.session.query(Prediction.visitor).scalar()
    cookie = client.get_cookie(COOKIE)
    assert cookie
    for who in (client, stranger):
        for address in ("/", *LISTINGS, *addresses(made["id"])):
            assert visitor.encode() not in who.get(address).data
            assert cookie.value.encode() not in who.get(address).data


@on_both_databases
def test_own_history_hides_other_predictions(app: Flask, client: FlaskClient, stranger: FlaskClient) -> None:
    app.config["PUBLIC_HISTORY"] = "own"
    mine, theirs = (predict(who, 3, strokes=strokes_json(3)) for who in (client, stranger))
    for address in LISTINGS:
        for query in ("", "?digit=3", "?mine=1"):
            text = client.get(address + query).text
            assert mine["id"] in text
            assert theirs["id"] not in text
    for who in (client, stranger):
        for made in (mine, theirs):
            give_feedback(who, made, 3)
    assert len(training_entries(client.get(TRAINING_FILE))) == 1
    for address in addresses(theirs["id"]):
        assert client.get(address).status_code == 404
        assert stranger.get(address).status_code == 200


def test_own_drawings_remain_without_a_history(
    app: Flask, client: FlaskClient, stranger: FlaskClient
) -> None:
    app.config["PUBLIC_HISTORY"] = "off"
    mine = predict(client, 3)
    for address in (*LISTINGS, TRAINING_FILE):
        assert client.get(address).status_code == 404
    page = client.get("/").text
    assert 'href="/history"' not in page
    assert f'data-prediction-row="{mine["id"]}"' in page
    drawing = client.get(f"/predictions/{mine['id']}/drawing.png")
    assert pixels(drawing.data) == pixels(digit_png(3))
    for address in addresses(mine["id"]):
        assert client.get(address).status_code == 200
        assert stranger.get(address).status_code == 404


def test_address_of_a_prediction_is_that_of_its_page(app: Flask) -> None:
    drawn = [row(), row()]
    for prefix in ("", "/digits", "/größe"):
        with app.test_request_context(environ_overrides={"SCRIPT_NAME": prefix.encode().decode("latin1")}):
            for each in drawn:
                assert page_of(each) == url_for("prediction.show", prediction_id=each.id)
