"""Forgetting a visitor."""

import uuid
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import DeclarativeBase

from mnistweb.database.models import Challenge, Decision, Prediction, ReviewDecision
from mnistweb.datasets import forgetting
from mnistweb.datasets.manifest import read_manifest
from mnistweb.datasets.records import writer_number
from mnistweb.extensions import db
from mnistweb.predictions import aggregates
from tests.support.data_sets import TESTING, TRAINING, drawing, run
from tests.support.rows import NOON, add
from tests.support.tallies import counted

WORDS = "2 drawings, 1 decisions of their review and 1 challenges"


@pytest.fixture
def site(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """A site with two drawings of one visitor, and one of another."""
    monkeypatch.setattr("mnistweb.cli.database.database_app", lambda: app)
    drawings = [drawing(1, 1), drawing(2, 2), drawing(3, 3, TESTING)]
    facts = [aggregates.Fact.of(each) for each in drawings]
    with app.app_context():
        add(*drawings)
        db.session.add_all(
            [
                ReviewDecision(
                    id=uuid.uuid4(),
                    prediction_id=each,
                    decided_at=NOON,
                    reviewer="someone",
                    decision=Decision.REJECTED,
                    labelled=False,
                )
                for each in db.session.scalars(select(Prediction.id).where(Prediction.truth != 2))
            ]
        )
        db.session.add(Challenge(id=uuid.uuid4(), visitor=TRAINING, started_at=NOON, prompts=[1]))
        aggregates.apply_changes(db.session(), added=facts)
        db.session.commit()
    return app


def count(site: Flask, model: type[DeclarativeBase]) -> int:
    with site.app_context():
        return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_everything_of_a_visitor_is_deleted(site: Flask) -> None:
    result = run("forget", TRAINING, "--yes")
    assert (result.exit_code, result.output) == (0, f"{WORDS} are deleted.\n")
    assert [count(site, model) for model in (Prediction, ReviewDecision, Challenge)] == [1, 1, 0]
    with site.app_context():
        assert db.session.scalars(select(Prediction.visitor)).all() == [TESTING]
        assert sum(each for each in counted().values() if not isinstance(each, tuple)) == 2


def test_command_asks_first(site: Flask) -> None:
    result = run("forget", TRAINING)
    assert result.exit_code == 1
    assert f"Delete {WORDS}?" in result.output
    assert count(site, Prediction) == 3


def test_visitor_is_found_by_a_drawing(site: Flask) -> None:
    with site.app_context():
        drawing_id = db.session.scalar(select(Prediction.id).where(Prediction.truth == 1))
    address = f"https://digits.example.org/predictions/{drawing_id}"
    assert run("forget", "--drawing", address, "--yes").output == f"{WORDS} are deleted.\n"
    assert "There is no drawing" in run("forget", "--drawing", address, "--yes").output


def test_visitor_is_found_by_the_number_in_an_export(
    site: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 1)
    folder = tmp_path / "set"
    assert run("export", folder, "--format=parquet").exit_code == 0
    number = writer_number(TRAINING, bytes.fromhex(read_manifest(folder).writer_key))
    assert "No visitor of this site" in run("forget", f"--export={folder}", "7", "--yes").output
    assert "is not the number" in run("forget", f"--export={folder}", TRAINING, "--yes").output
    result = run("forget", f"--export={folder}", number, "--yes")
    assert result.output == f"{WORDS} are deleted.\n"
    assert count(site, Prediction) == 1


def test_unknown_visitor_is_refused(site: Flask, tmp_path: Path) -> None:
    assert "There is nothing of this visitor" in run("forget", "nobody", "--yes").output
    assert run("forget", "x", "--drawing", f"--export={tmp_path}").exit_code == 2
    assert count(site, Prediction) == 3
