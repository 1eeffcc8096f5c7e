"""Of a picture only its ink is kept: what else a file holds reaches neither the log nor other visitors."""

import io

import numpy as np
import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import undefer

from mnistweb.cli import database as commands
from mnistweb.database.models import Prediction
from mnistweb.extensions import db
from mnistweb.predictions import cleaning
from mnistweb.predictions.images import MAX_STORED_SIDE, drawing_to_store
from mnistweb.recognition.png import has_only_pixels, is_own
from tests.support.clients import csrf_token, predict
from tests.support.drawings import data_url, digit_png, draw_digit, encode, pixels
from tests.support.fuzz.pieces import chunk
from tests.support.revealing import REVEALING, SECRET
from tests.support.rows import add, row

INPUT = bytes(range(256)) * 3 + bytes(16)


def stored() -> list[Prediction]:
    return list(db.session.scalars(select(Prediction).options(undefer(Prediction.drawing))))


@pytest.mark.parametrize("name", REVEALING)
def test_only_the_ink_of_a_file_is_kept_and_sent(app: Flask, client: FlaskClient, name: str) -> None:
    file = REVEALING[name]
    by_program = client.post("/api/v1/predictions", json={"image": data_url(file)})
    form = {"csrf_token": csrf_token(client), "file": (io.BytesIO(file), "sent.png")}
    by_form = client.post("/predictions", data=form)
    assert (by_program.status_code, by_form.status_code) == (201, 303)
    with app.app_context():
        rows = stored()
    assert len(rows) == 2
    for each in rows:
        assert is_own(each.drawing)
        assert SECRET not in each.drawing
        assert client.get(f"/predictions/{each.id}/drawing.png").data == each.drawing


def test_the_picture_of_the_slate_keeps_its_pixels(client: FlaskClient) -> None:
    drawing = client.get(f"/predictions/{predict(client)['id']}/drawing.png")
    assert pixels(drawing.data) == pixels(digit_png(3))


def test_photo_is_stored_as_a_small_image_of_its_ink() -> None:
    ink = np.zeros((1000, 4000), np.uint8)
    ink[400:600, 1000:3000] = 255
    picture = Image.open(io.BytesIO(drawing_to_store(ink)))
    assert (picture.format, picture.mode, picture.size) == (
        "PNG",
        "L",
        (MAX_STORED_SIDE, MAX_STORED_SIDE // 4),
    )
    assert picture.getpixel((280, 70)) == 255
    assert picture.getpixel((10, 10)) == 0


@pytest.mark.parametrize("name", REVEALING)
def test_no_file_that_reveals_something_is_taken_for_an_own_one(name: str) -> None:
    assert not is_own(REVEALING[name])


@pytest.mark.parametrize(
    "file", [digit_png()[:-1], digit_png() + b"x", chunk(b"IEND"), encode(draw_digit(3), "JPEG")]
)
def test_incomplete_files_have_not_only_pixels(file: bytes) -> None:
    assert not has_only_pixels(file)
    assert not is_own(file)


@pytest.mark.parametrize("name", ["PNG tEXt before the pixels", "PNG with bytes behind its end"])
def test_file_that_an_earlier_version_stored_is_not_sent(app: Flask, client: FlaskClient, name: str) -> None:
    with app.app_context():
        readable, unreadable = add(row(drawing=REVEALING[name]), row(drawing=SECRET, input=INPUT[:784]))
    assert pixels(client.get(f"/predictions/{readable}/drawing.png").data) == pixels(digit_png(3))
    seen = client.get(f"/predictions/{unreadable}/input.png")
    assert client.get(f"/predictions/{unreadable}/drawing.png").data == seen.data


@pytest.fixture
def small_batches(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command cleans the database of the tests, a few rows at a time."""
    monkeypatch.setattr(cleaning, "BATCH", 2)
    monkeypatch.setattr(commands, "database_app", lambda: app)


@pytest.mark.usefixtures("small_batches")
def test_command_cleans_what_an_earlier_version_stored(app: Flask) -> None:
    own = drawing_to_store(255 * np.eye(28, dtype=np.uint8))
    with app.app_context():
        kept = add(row(drawing=own), row(drawing=own))
        add(*(row(drawing=file) for file in REVEALING.values()), row(drawing=SECRET, input=INPUT[:784]))
    first = CliRunner().invoke(commands.clean_pictures)
    assert first.exit_code == 0, first.output
    with app.app_context():
        rows = stored()
        assert all(is_own(each.drawing) and SECRET not in each.drawing for each in rows)
        assert all(db.session.get_one(Prediction, each).drawing == own for each in kept)
    second = CliRunner().invoke(commands.clean_pictures)
    assert f"{len(rows)} pictures seen, 0 encoded anew" in second.output


@pytest.mark.usefixtures("small_batches")
def test_command_goes_on_where_it_was_stopped(app: Flask) -> None:
    file = REVEALING["PNG tEXt before the pixels"]
    with app.app_context():
        add(*(row(drawing=file) for _ in range(5)))
        progress = next(cleaning.clean_drawings())
        assert (progress.seen, progress.changed) == (2, 2)
        assert sum(is_own(each.drawing) for each in stored()) == 2
    result = CliRunner().invoke(commands.clean_pictures, ["--after", str(progress.last)])
    assert "3 pictures seen, 3 encoded anew" in result.output
    with app.app_context():
        assert all(is_own(each.drawing) for each in stored())
