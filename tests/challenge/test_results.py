"""The page of a round's results, as its author, as somebody else, and after drawings went."""

import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from mnistweb.database.models import Challenge, Prediction, Review
from mnistweb.extensions import db
from mnistweb.predictions.moderation import set_review
from mnistweb.predictions.retention import first_kept_day, prune
from tests.support.challenges import PlayedRound, begin, play
from tests.support.clients import assert_refused, attribute, csrf_token
from tests.support.databases import run_on_both_databases

pytest_generate_tests = run_on_both_databases


def ids(app: Flask, game: PlayedRound) -> list[uuid.UUID]:
    """The drawings of a round, in the order of its prompts."""
    with app.app_context():
        rows = db.session.execute(
            select(Prediction.prompt, Prediction.id).where(Prediction.challenge == uuid.UUID(game.id))
        )
        by_prompt: dict[int | None, uuid.UUID] = {each.prompt: each.id for each in rows}
    return [by_prompt[prompt] for prompt in game.prompts if prompt in by_prompt]


def states(page: str) -> list[str]:
    return re.findall(r'class="result" data-state="(\w+)"', page)


def review(app: Flask, prediction_ids: Iterable[uuid.UUID], word: Review) -> None:
    with app.app_context():
        set_review([*prediction_ids], word)


def test_results_say_what_was_read_and_how_long_it_took(client: FlaskClient) -> None:
    game = play(client, 3)
    page = client.get(game.results).text
    prompt = game.prompts[3]
    wrong = (prompt + 1) % 10
    assert "<h1>9 of 10 read right in 0.0&nbsp;s</h1>" in page
    assert f"Misread: the {prompt} as {'an' if wrong == 8 else 'a'} {wrong}." in page
    assert states(page) == ["drawn"] * 10
    assert "Your round" in page
    assert f'data-share="{game.results}"' in page


def test_results_say_where_the_clock_ran_out(client: FlaskClient) -> None:
    game = play(client, places=3)
    page = client.get(game.results).text
    assert "3 of 3 read right" in page
    assert "The clock ran out before the last 7." in page
    assert states(page) == ["drawn"] * 3 + ["open"] * 7


def test_a_round_without_clock_and_one_that_was_left(client: FlaskClient) -> None:
    unhurried, left = begin(client), begin(client)
    for game in (unhurried, left):
        game.draw(0)
    unhurried.finish("")
    assert "without the clock" in client.get(unhurried.results).text
    assert "not finished" in client.get(left.results).text
    assert "The clock ran out" not in client.get(unhurried.results).text
    page = client.get("/challenge").text
    assert page.count("1 of 1 read right") == 2


def test_a_round_without_drawings_has_a_page(client: FlaskClient) -> None:
    game = begin(client)
    game.finish()
    assert "No drawings" in client.get(game.results).text


def test_strangers_see_a_public_round_without_its_hidden_drawings(
    app: Flask, client: FlaskClient, stranger: FlaskClient
) -> None:
    game = play(client, 0, places=3)
    hidden = ids(app, game)[0]
    review(app, [hidden], Review.HIDDEN)
    page = stranger.get(game.results).text
    assert "2 of 2 read right" in page
    assert "Someone’s round" in page
    assert "Delete this round" not in page
    assert states(page) == ["withheld", "drawn", "drawn", *["open"] * 7]
    assert str(hidden) not in page
    own = client.get(game.results).text
    assert "hidden by the operator" in own
    assert "2 of 3 read right" in own


@pytest.mark.parametrize("audience", ["own", "off"])
def test_without_a_public_history_a_round_is_its_authors(
    app: Flask, client: FlaskClient, stranger: FlaskClient, audience: str
) -> None:
    app.config["PUBLIC_HISTORY"] = audience
    game = play(client, places=2)
    page = client.get(game.results).text
    assert states(page)[:2] == ["drawn"] * 2
    assert "data-share" not in page
    assert "result-others" not in page
    assert_refused(stranger.get(game.results), 404, "not_found")


def test_a_reviewed_history_shows_what_is_approved(
    app: Flask, client: FlaskClient, stranger: FlaskClient
) -> None:
    app.config["PUBLIC_HISTORY"] = "reviewed"
    game = play(client, places=2)
    review(app, ids(app, game)[1:], Review.APPROVED)
    assert states(stranger.get(game.results).text)[:2] == ["withheld", "drawn"]
    assert states(client.get(game.results).text)[:2] == ["drawn", "drawn"]


def test_results_show_how_others_drew_the_digit(
    app: Flask, client: FlaskClient, stranger: FlaskClient
) -> None:
    theirs, more, mine = begin(stranger), begin(stranger), begin(client)
    prompt = mine.prompts[0]
    for game in (mine, theirs, more):
        game.draw(game.prompts.index(prompt))
    ((shown,), (hidden,)) = ids(app, theirs), ids(app, more)
    review(app, [hidden], Review.HIDDEN)
    first = client.get(mine.results).text.split('class="result"')[1]
    found = re.findall(r'/predictions/([0-9a-f-]{36})"', first.partition("result-others")[2])
    assert found == [str(shown)]
    assert f'href="/history?prompt={prompt}&amp;view=gallery"' in first
    assert f">All {prompt}s</a>" in first
    # Others are others than the author of the round, and than who looks.
    assert str(shown) in app.test_client().get(mine.results).text
    assert "result-others" not in stranger.get(mine.results).text
    assert "result-others" not in client.get(theirs.results).text


def test_results_stay_right_when_drawings_are_deleted(app: Flask, client: FlaskClient) -> None:
    game = play(client, 1, places=4)
    gone = ids(app, game)[1]
    client.post(f"/predictions/{gone}/delete", data={"csrf_token": csrf_token(client)})
    page = client.get(game.results).text
    assert "3 of 3 read right" in page
    assert states(page) == ["drawn", "gone", "drawn", "drawn", *["open"] * 6]
    assert "Misread" not in page


def test_a_deleted_drawing_of_a_round_that_was_left_was_drawn(app: Flask, client: FlaskClient) -> None:
    game = begin(client)
    for place in range(4):
        game.draw(place)
    first = ids(app, game)[0]
    client.post(f"/predictions/{first}/delete", data={"csrf_token": csrf_token(client)})
    page = client.get(game.results).text
    assert states(page) == ["gone", "drawn", "drawn", "drawn", *["open"] * 6]
    assert "The round ended before the last 6." in page


def test_a_round_is_deleted_with_its_drawings(app: Flask, client: FlaskClient) -> None:
    kept, game = play(client, places=2), play(client, places=2)
    form = {"csrf_token": csrf_token(client)}
    response = client.post(f"{game.results}/delete", data=form)
    assert (response.status_code, response.headers["Location"]) == (303, "/challenge")
    assert_refused(client.get(game.results), 404, "not_found")
    assert_refused(client.post(f"{game.results}/delete", data=form), 404, "not_found")
    assert ids(app, game) == []
    assert len(ids(app, kept)) == 2


def test_old_rounds_go_with_their_drawings(app: Flask, client: FlaskClient) -> None:
    old, new = play(client, places=1), play(client, places=1)
    with app.app_context():
        before = datetime.now(UTC) - timedelta(days=9)
        for table, column in ((Challenge, Challenge.id), (Prediction, Prediction.challenge)):
            time = "started_at" if table is Challenge else "created_at"
            db.session.execute(update(table).where(column == uuid.UUID(old.id)).values({time: before}))
        db.session.commit()
        first = first_kept_day(5)
        assert first
        assert sum(prune(first)) == 1
    assert_refused(client.get(old.results), 404, "not_found")
    assert "1 of 1 read right" in client.get(new.results).text


def test_the_start_page_needs_no_database_and_says_what_it_needs(client: FlaskClient) -> None:
    page = client.get("/challenge").text
    assert "The challenge needs JavaScript" in page
    assert attribute(client.get("/challenge"), "data-seconds") == "30"
    assert "Your latest rounds" not in page
