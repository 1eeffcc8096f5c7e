"""The grid of the review, and decisions through forms."""

import html
import re
import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mnistweb.database.models import Decision, Prediction, Review
from mnistweb.predictions import moderation, queries, review
from mnistweb.predictions.feedback import give_feedback
from mnistweb.predictions.store import delete_own
from mnistweb.recognition.types import SIDE
from mnistweb.review import second_opinions
from tests.support.clients import FRAGMENT, csrf_token, predict
from tests.support.databases import on_both_databases
from tests.support.drawings import digit_png
from tests.support.rows import NOON, add, row

NOTHING = uuid.UUID(int=1)
"""The id of no drawing."""


def tiles(page: TestResponse) -> dict[str, str]:
    """Return the reasons of each tile by its value, in order."""
    found = re.findall(r'name="drawing" value="([^"]+)".*?<ul[^>]*>(.*?)</ul>', page.text, re.DOTALL)
    return {
        value: "; ".join(
            re.sub(r"<[^>]+>", "", html.unescape(each)) for each in re.findall("<li>(.*?)</li>", why)
        )
        for value, why in found
    }


def shown(page: TestResponse) -> list[str]:
    return [value.partition(":")[0] for value in tiles(page)]


def decide(client: FlaskClient, decision: str, *values: object, **more: str) -> TestResponse:
    form = {"csrf_token": csrf_token(client), "decision": decision, "drawing": [*map(str, values)], **more}
    return client.post("/review/decide", data=form)


def undo(client: FlaskClient, page: TestResponse, **more: str) -> TestResponse:
    """Undo what the page says was decided, and return the next page."""
    moment = re.search(r'data-moment="([^"]+)"', page.text)
    assert moment
    form = {"csrf_token": csrf_token(client), "moment": html.unescape(moment[1]), **more}
    return client.get(client.post("/review/undo", data=form).location)


def moderation_of(app: Flask, drawing: uuid.UUID) -> Review | None:
    with app.app_context():
        return queries.get(drawing).review


def label(app: Flask, drawing: uuid.UUID) -> str:
    with app.app_context():
        return review.labels_of([drawing])[drawing].code


def message(page: TestResponse) -> str:
    found = re.search(r'class="review-words">(.*?)</p>', page.text)
    return html.unescape(found[1]) if found else ""


@on_both_databases
def test_each_drawing_says_why_it_is_shown_and_what_accepting_means(app: Flask, ada: FlaskClient) -> None:
    with app.app_context():
        ids = add(
            row(digit=3, label=8, labelled_at=NOON, confidence=0.97),
            row(digit=None, prompt=4, confidence=0.8),
            row(digit=5, doubtful=True, confidence=0.61),
            row(digit=None, confidence=0.7),
            row(digit=7, label=7, labelled_at=NOON, created_at=NOON + timedelta(1)),
            row(digit=6),
        )
    assert tiles(ada.get("/review")) == {
        f"{ids[0]}::8": "Read as 3 (97\xa0%), but the author says 8",
        f"{ids[1]}::4": "Asked for 4, but read as not a digit (80\xa0%)",
        f"{ids[2]}::5": "In doubt (61\xa0%)",
        f"{ids[3]}::none": "Refused (70\xa0%)",
        f"{ids[4]}::7": "The author agrees",
        f"{ids[5]}::6": "Not rated",
    }
    assert shown(ada.get("/review?part=refused")) == [str(ids[3])]
    assert shown(ada.get("/review?digit=3&label=8")) == [str(ids[0])]
    page = ada.get("/review?limit=2")
    more = re.search(r'rel="next" href="([^"]+)"', page.text)
    assert more
    assert shown(ada.get(html.unescape(more[1]))) == [str(ids[2]), str(ids[3])]


def test_other_networks_are_asked(app: Flask, ada: FlaskClient) -> None:
    blank = bytes(SIDE * SIDE)
    with app.app_context():
        add(row(digit=3, input=blank, model="gone", model_version="0"), row(digit=3))
    reasons = [*tiles(ada.get("/review")).values()]
    assert reasons[0].count(" reads ") == 3
    assert reasons[1] == "Not rated"


def test_networks_that_run_elsewhere_are_not(
    app: Flask, ada: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_opinions, "local_network", lambda _: None)
    with app.app_context():
        add(row(digit=3, input=bytes(SIDE * SIDE)))
    assert [*tiles(ada.get("/review")).values()] == ["Not rated"]


def test_visitors_who_draw_and_claim_the_same_stand_out(app: Flask, ada: FlaskClient) -> None:
    random = np.random.default_rng(1)
    image = random.integers(0, 256, SIDE * SIDE).astype(np.uint8)
    nearly = np.clip(image + random.integers(0, 9, SIDE * SIDE), 0, 255).astype(np.uint8)
    other = random.integers(0, 256, SIDE * SIDE).astype(np.uint8)

    def claim(visitor: str, pixels: np.ndarray, label: int = 8, days: int = 0) -> Prediction:
        when = NOON + timedelta(days)
        return row(when, visitor, digit=3, label=label, labelled_at=NOON, input=pixels.tobytes())

    with app.app_context():
        ids = add(
            claim("one", image),
            claim("one", image),
            claim("two", nearly),
            claim("three", other),
            claim("four", image, label=9),
            claim("five", image, days=3),
        )
    reasons = {value.partition(":")[0]: why for value, why in tiles(ada.get("/review")).items()}
    alike = ["drew almost the same" in reasons[str(each)] for each in ids]
    assert alike == [True, True, True, False, False, False]
    assert "Another visitor drew almost the same and said the same" in reasons[str(ids[0])]


def test_claims_of_a_distrusted_author_come_first(app: Flask, ada: FlaskClient) -> None:
    with app.app_context():
        lies = add(*(row(visitor="liar", digit=1, label=3, labelled_at=NOON) for _ in range(2)))
        review.decide(lies, Decision.DIGIT, 1, "Bob")
        [claim, other] = add(
            row(visitor="liar", digit=3, label=3, labelled_at=NOON),
            row(digit=1, label=3, labelled_at=NOON, confidence=1.0),
        )
    found = tiles(ada.get("/review"))
    assert [*found] == [f"{claim}::3", f"{other}::3"]
    assert "2 of 2 claims of this author were wrong" in found[f"{claim}::3"]
    assert shown(ada.get(f"/review?author={lies[0]}")) == [str(claim)]


@on_both_databases
@pytest.mark.parametrize(
    ("decision", "code"),
    [
        ("accept", "8"),
        ("0", "0"),
        ("9", "9"),
        ("none", "none"),
        ("rejected", "rejected"),
        ("hide", "rejected"),
    ],
)
def test_decisions(app: Flask, ada: FlaskClient, decision: str, code: str) -> None:
    with app.app_context():
        [drawing] = add(row(digit=3, label=8, labelled_at=NOON))
    response = decide(ada, decision, f"{drawing}::8", part="claims")
    assert response.status_code == 303
    assert response.location.startswith("/review?moment=")
    assert response.location.endswith("&part=claims")
    assert label(app, drawing) == code
    assert moderation_of(app, drawing) is (Review.HIDDEN if decision == "hide" else None)
    page = ada.get(response.location)
    words = {"none": "not a digit", "hide": "hidden", "rejected": "rejected"}
    names = {"accept": "an eight", "0": "a zero", "9": "a nine"}
    assert message(page) == f"Decided: {(words | names)[decision]}."
    assert not tiles(page)
    assert message(undo(ada, page)) == "Taken back: one drawing."
    assert label(app, drawing) == ""
    assert moderation_of(app, drawing) is None


def test_several_are_decided_at_once_each_by_its_own_claim(app: Flask, ada: FlaskClient) -> None:
    with app.app_context():
        ids = add(row(), row(), row())
    values = [f"{each}::{code}" for each, code in zip(ids, ("7", "7", "none"), strict=True)]
    page = ada.get(decide(ada, "accept", *values).location)
    assert message(page) in ("Decided: a seven (2), not a digit.", "Decided: not a digit, a seven (2).")
    assert [label(app, each) for each in ids] == ["7", "7", "none"]


def test_what_another_reviewer_decided_meanwhile_stays(
    app: Flask, ada: FlaskClient, bob: FlaskClient
) -> None:
    with app.app_context():
        [one, other] = add(row(), row())
    decide(bob, "4", f"{one}::3")
    page = ada.get(decide(ada, "accept", f"{one}::3", f"{other}::3").location)
    assert message(page) == "Decided: a three. One drawing had been decided by someone else, or deleted."
    assert [label(app, each) for each in (one, other)] == ["4", "3"]


@on_both_databases
@pytest.mark.parametrize("before", [Review.HIDDEN, Review.APPROVED, None])
def test_undoing_a_hide_restores_the_moderation_before(
    app: Flask, ada: FlaskClient, before: Review | None
) -> None:
    with app.app_context():
        [drawing] = add(row(review=before))
    page = ada.get(decide(ada, "hide", f"{drawing}::3").location)
    assert (label(app, drawing), moderation_of(app, drawing)) == ("rejected", Review.HIDDEN)
    undo(ada, page)
    assert (label(app, drawing), moderation_of(app, drawing)) == ("", before)


def test_what_the_operator_says_after_a_hide_outlasts_its_undo(app: Flask, ada: FlaskClient) -> None:
    with app.app_context():
        [drawing] = add(row())
    page = ada.get(decide(ada, "hide", f"{drawing}::3").location)
    with app.app_context():
        moderation.set_review([drawing], Review.APPROVED)
    undo(ada, page)
    assert (label(app, drawing), moderation_of(app, drawing)) == ("", Review.APPROVED)


def test_hiding_what_was_rejected_is_a_decision_of_its_own(app: Flask, ada: FlaskClient) -> None:
    with app.app_context():
        [drawing] = add(row())
    rejected = ada.get(decide(ada, "rejected", f"{drawing}::3").location)
    hidden = ada.get(decide(ada, "hide", f"{drawing}:rejected:3").location)
    assert message(hidden) == "Decided: hidden."
    again = ada.get(decide(ada, "hide", f"{drawing}:rejected:3").location)
    assert message(again) == "Nothing was changed."
    undo(ada, hidden)
    assert (label(app, drawing), moderation_of(app, drawing)) == ("rejected", None)
    undo(ada, rejected)
    assert (label(app, drawing), moderation_of(app, drawing)) == ("", None)


def test_what_another_reviewer_decided_meanwhile_is_not_hidden(
    app: Flask, ada: FlaskClient, bob: FlaskClient
) -> None:
    with app.app_context():
        [drawing] = add(row())
    decide(bob, "3", f"{drawing}::3")
    page = ada.get(decide(ada, "hide", f"{drawing}::3").location)
    assert message(page) == "One drawing had been decided by someone else, or deleted."
    assert (label(app, drawing), moderation_of(app, drawing)) == ("3", None)


def test_the_queue_says_which_drawings_are_hidden(app: Flask, ada: FlaskClient) -> None:
    with app.app_context():
        add(row(review=Review.HIDDEN, digit=3), row(review=Review.APPROVED, digit=4))
    assert {*tiles(ada.get("/review")).values()} == {"Not rated; Hidden from the public", "Not rated"}


def test_what_the_reviewer_saw_is_accepted_and_not_a_later_claim(app: Flask, ada: FlaskClient) -> None:
    with app.app_context():
        [drawing] = add(row(digit=3, label=8, labelled_at=NOON))
        give_feedback(drawing, "someone", 1)
    decide(ada, "accept", f"{drawing}::8")
    assert label(app, drawing) == "8"


def test_the_script_gets_the_new_labels(app: Flask, ada: FlaskClient) -> None:
    with app.app_context():
        [one, gone] = add(row(), row())
        delete_own(gone, "someone")
    form = {"csrf_token": csrf_token(ada), "decision": "7", "drawing": [f"{one}::3", f"{gone}::3"]}
    response = ada.post("/review/decide", data=form, headers=FRAGMENT)
    assert "<html" not in response.text
    assert re.findall(r'data-decided="([^"]+)" data-label="7">([^<]+)', response.text) == [
        (str(one), "a seven")
    ]
    again = form | {"decision": "rejected", "drawing": [f"{one}:7:3"]}
    assert "rejected" in ada.post("/review/decide", data=again, headers=FRAGMENT).text


def test_without_chosen_drawings_the_page_says_so(ada: FlaskClient, app: Flask) -> None:
    with app.app_context():
        add(row())
    assert (
        message(ada.get(decide(ada, "accept").location)) == "Choose drawings first, then say what they are."
    )


@pytest.mark.parametrize("value", ["", "x::3", f"{NOTHING}", f"{NOTHING}:10:3", f"{NOTHING}::3:"])
def test_nonsense_is_refused(ada: FlaskClient, value: str) -> None:
    assert decide(ada, "accept", value).status_code in (400, 422)
    assert decide(ada, "what", f"{uuid.uuid4()}::3").status_code == 422


@pytest.mark.parametrize(
    "query",
    [
        "part=x",
        "cursor=x",
        "digit=10",
        "label=x",
        "author=x",
        "limit=0",
        "moment=x",
    ],
)
def test_unreadable_addresses_are_refused(ada: FlaskClient, query: str) -> None:
    assert ada.get(f"/review?{query}").status_code in (400, 404)


def test_deleting_the_drawing_that_names_the_author_shows_everyones(app: Flask, ada: FlaskClient) -> None:
    with app.app_context():
        [named, other, sibling] = add(row(), row(), row())
    query = {"author": str(named), "part": "rest"}
    assert "One author’s drawings that wait." in ada.get("/review", query_string=query).text
    with app.app_context():
        delete_own(named, "someone")
    page = ada.get(decide(ada, "accept", f"{other}::3", **query).location)
    assert page.status_code == 200
    assert message(page) == "Decided: a three."
    assert shown(page) == [str(sibling)]
    assert "The drawing that led to its author is deleted" in page.text
    assert str(named) not in page.text
    assert 'href="/review?part=rest" data-more' in page.text


def test_reviewers_see_drawings_that_are_not_public(
    app: Flask, ada: FlaskClient, client: FlaskClient
) -> None:
    drawing = predict(client)["id"]
    app.config["PUBLIC_HISTORY"] = "own"
    response = ada.get(f"/review/{drawing}/drawing.png")
    assert (response.status_code, response.mimetype) == (200, "image/png")
    assert response.headers["Cache-Control"] == "no-store"
    assert ada.get(f"/predictions/{drawing}/drawing.png").status_code == 404


def test_drawings_that_are_to_be_pruned_do_not_wait(app: Flask, ada: FlaskClient) -> None:
    app.config["RETENTION_DAYS"] = 7
    now = datetime.now(UTC)
    with app.app_context():
        [_, new] = add(row(now - timedelta(9)), row(now))
    assert shown(ada.get("/review")) == [str(new)]


def test_an_empty_queue_says_so(ada: FlaskClient) -> None:
    assert "Nothing waits for a review." in ada.get("/review").text
    assert "Nothing waits for a review here." in ada.get("/review?part=claims").text


@on_both_databases
def test_decisions_are_listed_with_who_what_when_and_from_what(
    app: Flask, ada: FlaskClient, bob: FlaskClient
) -> None:
    with app.app_context():
        [one, other] = add(row(digit=3, label=8, labelled_at=NOON, drawing=digit_png(3)), row(digit=None))
    decide(ada, "accept", f"{one}::8")
    decide(bob, "1", f"{one}:8:8", f"{other}::none")
    page = ada.get("/review/decisions?limit=2")
    text = " ".join(re.sub(r"<[^>]+>", " ", html.unescape(page.text)).split())
    assert text.count("A one") == 2
    assert "A one , before: an eight Bob, " in text
    assert "Read as 3 , the author said 8" in text
    assert page.text.count("Take back") == 2
    older = re.search(r'rel="next" href="([^"]+)"', page.text)
    assert older
    assert "An eight" in ada.get(html.unescape(older[1])).text
    alone = ada.get("/review/decisions?by=Ada")
    assert alone.text.count("An eight") == 1
    assert "Take back" not in alone.text  # Bob's is in force
    undo = re.search(r'action="(/review/decisions/[^"]+/undo)"', page.text)
    assert undo
    response = ada.post(undo[1], data={"csrf_token": csrf_token(ada), "by": "Bob"})
    assert response.location == "/review/decisions?by=Bob"
    assert sorted([label(app, one), label(app, other)]) in (["", "1"], ["1", "8"])
    assert ada.get("/review/decisions?cursor=x").status_code == 400
    assert "No decisions" in ada.get("/review/decisions?by=A%00").text


@on_both_databases
@pytest.mark.parametrize("label_before", ["", "rejected"])
def test_a_hide_is_taken_back_from_the_list_of_decisions(
    app: Flask, ada: FlaskClient, bob: FlaskClient, label_before: str
) -> None:
    with app.app_context():
        [drawing] = add(row(review=Review.APPROVED, drawing=digit_png(3)))
    if label_before:
        decide(bob, label_before, f"{drawing}::3")
    decide(ada, "hide", f"{drawing}:{label_before}:3")
    page = ada.get("/review/decisions?by=Ada")
    assert "Rejected and hidden" in page.text
    address = re.search(r'action="(/review/decisions/[^"]+/undo)"', page.text)
    assert address
    bob.post(address[1], data={"csrf_token": csrf_token(bob)})
    assert (label(app, drawing), moderation_of(app, drawing)) == (label_before, Review.APPROVED)
    assert "Take back" not in ada.get("/review/decisions?by=Ada").text
    assert ", shown again" in ada.get("/review/decisions?by=Bob").text


UNDO = re.compile(r'action="(/review/decisions/[^"]+/undo)"')


@on_both_databases
def test_one_decision_on_a_drawing_can_be_taken_back_at_a_time(app: Flask, ada: FlaskClient) -> None:
    with app.app_context():
        [drawing] = add(row(drawing=digit_png(3)))

    def offered() -> list[str]:
        return UNDO.findall(ada.get("/review/decisions").text)

    def take_back() -> None:
        [address] = offered()
        ada.post(address, data={"csrf_token": csrf_token(ada)})

    decide(ada, "8", f"{drawing}::3")
    take_back()
    assert offered() == []
    decide(ada, "8", f"{drawing}::3")  # as the first one, which stays taken back
    decide(ada, "rejected", f"{drawing}:8:3")
    decide(ada, "hide", f"{drawing}:rejected:3")
    states = []
    for _ in range(3):
        take_back()
        states.append((label(app, drawing), moderation_of(app, drawing)))
    assert states == [("rejected", None), ("8", None), ("", None)]
    assert offered() == []


@on_both_databases
def test_a_decision_can_be_taken_back_though_the_operator_hid_the_drawing(
    app: Flask, ada: FlaskClient
) -> None:
    with app.app_context():
        [drawing] = add(row(drawing=digit_png(3)))
    decide(ada, "8", f"{drawing}::3")
    with app.app_context():
        moderation.set_review([drawing], Review.HIDDEN)
    for _ in range(2):
        page = ada.get("/review/decisions").text
        [address] = UNDO.findall(page)
        ada.post(address, data={"csrf_token": csrf_token(ada)})
        assert (label(app, drawing), moderation_of(app, drawing)) == ("", Review.HIDDEN)
        assert not UNDO.findall(ada.get("/review/decisions").text)
        decide(ada, "8", f"{drawing}::3")
