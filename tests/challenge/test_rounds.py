"""Rounds of the challenge: what is asked, what is saved, and what is refused."""

import uuid
from collections import Counter
from datetime import timedelta
from operator import attrgetter

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from mnistweb.challenge import rounds, views
from mnistweb.database.models import Challenge, Prediction, PromptTally, Span
from mnistweb.extensions import db
from mnistweb.predictions import aggregates
from mnistweb.predictions.challenges import LIFETIME
from mnistweb.predictions.store import delete_all_own
from tests.support.challenges import begin, play
from tests.support.clients import FRAGMENT, assert_refused, attribute, correct, csrf_token
from tests.support.databases import run_on_both_databases
from tests.support.faults import broken_log
from tests.support.tallies import counted

pytest_generate_tests = run_on_both_databases


def saved(app: Flask) -> list[Prediction]:
    with app.app_context():
        return list(db.session.scalars(select(Prediction)))


def challenges(app: Flask) -> list[Challenge]:
    with app.app_context():
        return list(db.session.scalars(select(Challenge)))


def test_a_round_asks_for_each_digit_once_in_random_order(app: Flask, client: FlaskClient) -> None:
    rounds = [begin(client) for _ in range(4)]
    assert all(sorted(each.prompts) == [*range(10)] for each in rounds)
    assert len({tuple(each.prompts) for each in rounds}) > 1
    assert {str(each.id): each.prompts for each in challenges(app)} == {
        each.id: each.prompts for each in rounds
    }


def test_a_drawing_is_read_by_the_server_and_saved_with_its_prompt(app: Flask, client: FlaskClient) -> None:
    game = begin(client)
    response = game.draw(2, 7, digit="1", label="1", prediction="1", probabilities="[1]")
    assert response.status_code == 201
    assert attribute(response, "data-digit") == "7"
    (prediction,) = saved(app)
    assert prediction.prompt == game.prompts[2]
    assert str(prediction.challenge) == game.id
    assert (prediction.digit, prediction.label, prediction.labelled_at) == (7, None, None)


def test_the_same_drawing_is_saved_once_and_no_other_for_its_place(app: Flask, client: FlaskClient) -> None:
    game = begin(client)
    assert [game.draw(0, 3).status_code for _ in range(3)] == [201, 200, 200]
    assert_refused(game.draw(0, 8), 409, "already_drawn")
    assert len(saved(app)) == 1


def test_a_prompt_of_another_place_is_refused(app: Flask, client: FlaskClient) -> None:
    game = begin(client)
    for prompt in (game.prompts[1], "", "10", "none", "x"):
        assert_refused(game.draw(0, prompt=str(prompt)), 409, "challenge_mismatch")
    body = {"prompt": str(game.prompts[9]), "image": ""}
    for place in (10, 2**63):
        beyond = f"{game.addresses[9].removesuffix('9')}{place}"
        assert_refused(client.post(beyond, json=body, headers=game.headers), 409, "challenge_mismatch")
    assert saved(app) == []


def test_nobody_else_draws_finishes_or_deletes(
    app: Flask, client: FlaskClient, stranger: FlaskClient
) -> None:
    game = begin(client)
    headers = FRAGMENT | {"X-CSRFToken": csrf_token(stranger)}
    for address in (game.addresses[0], game.finish_address, f"{game.results}/delete"):
        body = {"prompt": str(game.prompts[0]), "seconds": "1"}
        assert_refused(stranger.post(address, json=body, headers=headers), 404, "not_found")
    missing = f"/challenge/{uuid.uuid4()}/drawings/0"
    assert_refused(client.post(missing, json={}, headers=game.headers), 404, "not_found")
    assert saved(app) == []
    assert [each.finished_at for each in challenges(app)] == [None]


@pytest.mark.parametrize("address", ["/challenge", "/challenge/{id}/drawings/0", "/challenge/{id}/finish"])
def test_other_sites_cannot_play(client: FlaskClient, address: str) -> None:
    game = begin(client)
    assert_refused(client.post(address.format(id=game.id), json={}, headers=FRAGMENT), 400, "csrf")


def test_a_round_that_is_over_takes_no_drawing(app: Flask, client: FlaskClient) -> None:
    finished, late = begin(client), begin(client)
    finished.finish()
    with app.app_context():
        challenge = db.session.get(Challenge, uuid.UUID(late.id))
        assert challenge
        earlier = {"started_at": challenge.started_at - LIFETIME}
        db.session.execute(update(Challenge).where(Challenge.id == challenge.id).values(earlier))
        db.session.commit()
    for game in (finished, late):
        assert_refused(game.draw(0), 409, "challenge_over")
    assert saved(app) == []


@pytest.mark.parametrize(("sent", "kept"), [("", None), ("0.001", 0.001), ("99999", "less")])
def test_the_time_is_the_pages_but_not_longer_than_it_was(
    app: Flask, client: FlaskClient, sent: str, kept: object
) -> None:
    game = begin(client)
    game.draw(0)
    assert game.finish(sent).status_code == 200
    (challenge,) = challenges(app)
    assert challenge.drawn == 1
    assert challenge.finished_at
    if kept == "less":
        assert challenge.seconds
        passed = (challenge.finished_at - challenge.started_at) / timedelta(seconds=1)
        assert challenge.seconds == pytest.approx(passed)
    else:
        assert challenge.seconds == kept


def test_the_first_end_of_a_round_stays(app: Flask, client: FlaskClient) -> None:
    game = begin(client)
    game.draw(0)
    game.finish("0.001")
    (first,) = challenges(app)
    assert game.finish("").status_code == 200
    (second,) = challenges(app)
    assert (first.seconds, first.finished_at) == (second.seconds, second.finished_at)


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "1e5", "1_0", " 1", "123456", "1.", "x"])
def test_no_other_time_is_taken(app: Flask, client: FlaskClient, seconds: str) -> None:
    assert_refused(begin(client).finish(seconds), 400, "bad_request")
    assert [each.finished_at for each in challenges(app)] == [None]


def test_what_cannot_be_saved_is_not_said_to_be(app: Flask, client: FlaskClient) -> None:
    game = begin(client)
    with broken_log():
        assert_refused(game.draw(0), 503, "database_unavailable")
    assert saved(app) == []
    assert game.draw(0).status_code == 201


def test_bad_drawings_are_refused(client: FlaskClient) -> None:
    game = begin(client)
    assert_refused(game.draw(0, image="x"), 400, "not_base64")
    assert_refused(game.draw(0, strokes="x"), 422, "invalid_strokes")
    assert_refused(game.draw(0, image=""), 400, "missing_image")


@pytest.mark.parametrize("step", ["recognize_and_save", "rounds.check_saved"])
@pytest.mark.parametrize("all_own", [False, True])
def test_no_drawing_outlives_a_round_that_is_deleted_meanwhile(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, step: str, all_own: bool
) -> None:
    game = begin(client)
    (challenge,) = challenges(app)
    take_step = attrgetter(step)(views)

    def delete_before(*given: object, **named: object) -> object:
        with app.app_context():  # with a session of its own, as another request has
            if all_own:
                delete_all_own(challenge.visitor)
            else:
                rounds.delete(challenge.id, challenge.visitor)
        return take_step(*given, **named)

    monkeypatch.setattr(f"mnistweb.challenge.views.{step}", delete_before)
    assert_refused(game.draw(0), 404, "not_found")
    assert saved(app) == []
    with app.app_context():
        before = counted()
        aggregates.recount(db.session())
        db.session.commit()
        assert counted() == before


def test_prompted_drawings_are_counted_apart_from_feedback(app: Flask, client: FlaskClient) -> None:
    game = play(client, 1, places=3)
    with app.app_context():
        before = counted()
        rows = db.session.execute(
            select(PromptTally.label, PromptTally.digit, PromptTally.count).where(
                PromptTally.span == Span.DAY
            )
        ).all()
        read = [(game.prompts[1] + 1) % 10 if place == 1 else game.prompts[place] for place in range(3)]
        expected = Counter(zip(game.prompts[:3], read, strict=True))
        assert Counter({(label, digit): count for label, digit, count in rows}) == expected
        aggregates.recount(db.session())
        db.session.commit()
        assert counted() == before
        first = db.session.scalar(select(Prediction.id).where(Prediction.prompt == game.prompts[0]))
    correct(client, str(first), "none")
    client.post(f"/predictions/{first}/delete", data={"csrf_token": csrf_token(client)})
    with app.app_context():
        before = counted()
        aggregates.recount(db.session())
        db.session.commit()
        assert counted() == before
        left = db.session.scalars(select(PromptTally.count).where(PromptTally.span == Span.DAY)).all()
        assert sum(left) == 2
