"""`mnistweb hide`, `unhide` and `approve`."""

import uuid
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from mnistweb.cli import main
from mnistweb.database.models import Prediction, Review
from mnistweb.extensions import db
from tests.support.databases import run_on_both_databases
from tests.support.rows import add, row

pytest_generate_tests = run_on_both_databases
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def ids(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of three drawings; the commands work on the database of the tests."""
    monkeypatch.setattr("mnistweb.cli.database.database_app", lambda: app)
    with app.app_context():
        added = add(*(row() for _ in range(3)))
    return [*map(str, added)]


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


def reviews(app: Flask, ids: list[str]) -> list[Review | None]:
    with app.app_context():
        rows = db.session.execute(db.select(Prediction.id, Prediction.review)).all()
        found = {str(each.id): each.review for each in rows}
        return [found[each] for each in ids]


def test_drawings_are_hidden_and_unhidden(app: Flask, ids: list[str]) -> None:
    result = run("hide", ids[0], f"https://digits.example.org/predictions/{ids[1].upper()}/inside?model=cnn")
    assert (result.exit_code, result.output) == (0, "2 drawings are hidden.\n")
    assert reviews(app, ids) == [Review.HIDDEN, Review.HIDDEN, None]
    result = run("unhide", ids[0])
    assert (result.exit_code, result.output) == (0, "1 drawing is no longer hidden.\n")
    assert reviews(app, ids) == [None, Review.HIDDEN, None]


def test_drawings_are_approved_even_if_they_were_hidden(app: Flask, ids: list[str]) -> None:
    run("hide", ids[0])
    result = run("approve", *ids[:2])
    assert (result.exit_code, result.output) == (0, "2 drawings are approved.\n")
    assert reviews(app, ids) == [Review.APPROVED, Review.APPROVED, None]
    # An approval is no hiding that could be taken back.
    assert run("unhide", ids[0]).exit_code == 1
    assert reviews(app, ids) == [Review.APPROVED, Review.APPROVED, None]


@pytest.mark.parametrize("command", ["hide", "unhide", "approve"])
def test_missing_drawings_are_named_and_the_others_changed(app: Flask, ids: list[str], command: str) -> None:
    run("hide", ids[0])
    result = run(command, UNKNOWN, ids[0])
    assert result.exit_code == 1
    assert f"drawing {UNKNOWN}." in result.output
    assert "1 drawing is" in result.output
    expected = {"hide": Review.HIDDEN, "unhide": None, "approve": Review.APPROVED}[command]
    assert reviews(app, ids) == [expected, None, None]


@pytest.mark.parametrize("text", ["", "nonsense", f"{uuid.UUID(int=1)} {uuid.UUID(int=2)}", "123"])
def test_text_without_one_id_is_refused(app: Flask, ids: list[str], text: str) -> None:
    result = run("hide", ids[0], text)
    assert result.exit_code == 2
    assert "neither the id of a drawing nor the address of its page" in result.output
    assert reviews(app, ids) == [None, None, None]


def test_database_that_is_away_gets_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("INSTANCE_PATH", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/empty.sqlite3")
    result = run("hide", UNKNOWN)
    assert result.exit_code == 1
    assert "Error: The database cannot be used: it is not migrated" in result.output
