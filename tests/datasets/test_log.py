"""The log of one site, exported and imported into another, bit by bit."""

import gzip
import hashlib
import json
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Text, cast, delete, select

from mnistweb.database.models import (
    Base,
    Challenge,
    Decision,
    Prediction,
    Review,
    ReviewDecision,
    Source,
)
from mnistweb.datasets import log_export, log_import
from mnistweb.datasets.additions import FACTS, add_entries
from mnistweb.datasets.log_entries import parse_entry
from mnistweb.extensions import db
from mnistweb.predictions import aggregates
from mnistweb.predictions.images import encode_again
from tests.support.data_sets import TESTING, TRAINING, drawing, run, small_log, strokes_of
from tests.support.drawings import draw_digit, encode
from tests.support.rows import NOON, add
from tests.support.sites import empty
from tests.support.tallies import counted

TABLES = (Prediction, ReviewDecision, Challenge)
OTHER = {"sqlite": "postgres_url", "postgresql": "sqlite_url"}
Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def other(
    request: pytest.FixtureRequest, app: Flask, migrated_app: Callable[[str], Flask]
) -> Iterator[Flask]:
    """An empty site on the other kind of database."""
    site = migrated_app(request.getfixturevalue(OTHER[db_kind(app)]))
    empty(site)
    yield site
    empty(site)


def db_kind(app: Flask) -> str:
    with app.app_context():
        return db.engine.dialect.name


def various_drawings() -> list[Base]:
    """Return drawings with all that the log can have of them."""
    challenge = uuid.uuid4()
    reviewed = drawing(3, 40, strokes=strokes_of(3), label=4, labelled_at=NOON, confidence=0.1 + 0.2)
    return [
        reviewed,
        drawing(None, 41, TESTING, review=Review.HIDDEN, reason="Two digits, “perhaps”.", source=Source.API),
        drawing(5, 42, decision=None, truth=None, doubtful=True, probabilities=[1e-300, *[0.1] * 9]),
        drawing(7, 43, decision=Decision.REJECTED, truth=None, prompt=7, challenge=challenge),
        drawing(8, 44, decision=None, truth=None, request_key=b"k" * 16, request_content=b"c" * 16),
        ReviewDecision(
            id=uuid.uuid4(),
            prediction_id=reviewed.id,
            decided_at=NOON + timedelta(microseconds=7),
            reviewer="someone",
            decision=Decision.DIGIT,
            truth=3,
            digit=3,
            label=4,
            labelled=True,
        ),
        Challenge(id=challenge, visitor=TRAINING, started_at=NOON, prompts=[7, 0], seconds=1 / 3),
    ]


@pytest.fixture
def log(app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An exported log."""
    monkeypatch.setattr("mnistweb.cli.database.database_app", lambda: app)
    with app.app_context():
        rows = [*small_log(), *various_drawings()]
        add(*(each for each in rows if isinstance(each, Prediction)))
        add(*(each for each in rows if not isinstance(each, Prediction)))  # type: ignore[arg-type]
        facts = db.session.execute(select(*FACTS)).all()
        aggregates.apply_changes(db.session(), added=facts)
        db.session.commit()
    result = run("export", tmp_path / "log", "--format=log")
    assert (result.exit_code, result.output) == (0, f"{tmp_path / 'log'} holds 26 drawings.\n")
    return tmp_path / "log"


def rows_of(site: Flask) -> Rows:
    """Return all rows with the text of their JSON, by table."""
    with site.app_context():
        found = {}
        for model in TABLES:
            columns = [
                cast(column, Text) if column.name in ("strokes", "probabilities", "prompts") else column
                for column in model.__table__.columns
            ]
            rows = db.session.execute(select(*columns).order_by(model.__table__.c.id)).all()
            found[model.__tablename__] = [tuple(row) for row in rows]
        return found


def tallies_of(site: Flask) -> dict[Any, Any]:
    with site.app_context():
        return counted()


@pytest.mark.postgres  # of the two sites, one is on PostgreSQL
def test_other_site_has_the_same_rows_and_counts(
    app: Flask, other: Flask, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnistweb.cli.database.database_app", lambda: other)
    result = run("import", log)
    assert (result.exit_code, result.output) == (0, "26 drawings are added, 0 known already.\n")
    assert rows_of(other) == rows_of(app)
    assert tallies_of(other) == tallies_of(app)
    assert run("import", log).output == "0 drawings are added, 26 known already.\n"
    assert rows_of(other) == rows_of(app)
    assert tallies_of(other) == tallies_of(app)


@pytest.mark.postgres
def test_export_of_the_import_is_the_same_file(
    other: Flask, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnistweb.cli.database.database_app", lambda: other)
    run("import", log)
    run("export", tmp_path / "again", "--format=log")
    first, second = (
        gzip.decompress((folder / log_export.FILE).read_bytes()) for folder in (log, tmp_path / "again")
    )
    assert first == second


def test_only_missing_drawings_are_added(app: Flask, log: Path) -> None:
    before = rows_of(app), tallies_of(app)
    with app.app_context():
        gone = db.session.scalars(select(Prediction).order_by(Prediction.created_at).limit(3)).all()
        facts = [aggregates.Fact.of(each) for each in gone]
        db.session.execute(delete(Prediction).where(Prediction.id.in_([each.id for each in gone])))
        aggregates.apply_changes(db.session(), removed=facts)
        db.session.commit()
    assert run("import", log).output == "3 drawings are added, 23 known already.\n"
    assert (rows_of(app), tallies_of(app)) == before


def test_drawings_that_retention_deletes_are_left_out(app: Flask, log: Path) -> None:
    empty(app)
    app.config["RETENTION_DAYS"] = 1
    assert "26 drawings are left out" in run("import", log).output
    assert not any(rows_of(app)["prediction"])
    assert tallies_of(app) == {}


def test_log_follows_a_filter(app: Flask, log: Path, tmp_path: Path) -> None:
    result = run("export", tmp_path / "some", "--format=log", "--filter=digit=3")
    assert "holds 3 drawings" in result.output
    assert json.loads((tmp_path / "some" / "manifest.json").read_text())["filter"] == {"digit": "3"}


@pytest.mark.parametrize("options", [["--format=csv"], ["--labels=any"]])
def test_log_is_exported_alone(app: Flask, log: Path, tmp_path: Path, options: list[str]) -> None:
    result = run("export", tmp_path / "other", "--format=log", *options)
    assert result.exit_code == 2
    assert "not to be published" in result.output


def test_drawing_of_an_earlier_version_loses_its_metadata(app: Flask, log: Path, tmp_path: Path) -> None:
    sent = encode(draw_digit(3), "JPEG", comment=b"at home")
    with app.app_context():
        add(drawing(3, 60, drawing=sent, model="old"))
    run("export", tmp_path / "old", "--format=log", "--filter=model=old")
    [line] = gzip.decompress((tmp_path / "old" / log_export.FILE).read_bytes()).splitlines()
    row = json.loads(line)["prediction"]
    assert parse_entry(line).prediction["drawing"] == encode_again(sent, b"")
    assert "home" not in row["drawing"]


def tampered(log: Path, change: Callable[[list[bytes]], list[bytes]], **manifest: Any) -> None:
    """Change the lines of a log, and let its manifest agree."""
    file = log / log_export.FILE
    lines = change(gzip.decompress(file.read_bytes()).splitlines(keepends=True))
    file.write_bytes(gzip.compress(b"".join(lines), 1))
    fields = json.loads((log / "manifest.json").read_text())
    fields["files"][log_export.FILE]["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    (log / "manifest.json").write_text(json.dumps(fields | manifest))


def refusal(app: Flask, log: Path) -> str:
    """Import a log into the site that it comes from, emptied before. Return why it is refused."""
    empty(app)
    result = run("import", log)
    assert result.exit_code == 1, result.output
    assert not any(any(rows) for rows in rows_of(app).values())
    assert tallies_of(app) == {}
    assert len(result.output) < 500
    return result.output


def test_changed_file_is_refused(app: Flask, log: Path) -> None:
    file = log / log_export.FILE
    file.write_bytes(file.read_bytes() + b"\0")
    assert "its hash differs" in refusal(app, log)


def test_file_with_fewer_drawings_is_refused(app: Flask, log: Path) -> None:
    tampered(log, lambda lines: lines[:-1])
    assert "has 25 drawings, but its manifest says 26" in refusal(app, log)


@pytest.mark.parametrize("content", [b"", b"no gzip", gzip.compress(b"x" * 9, mtime=0)[:15]])
def test_damaged_file_is_refused(app: Flask, log: Path, content: bytes) -> None:
    (log / log_export.FILE).write_bytes(content)
    tampered_manifest = json.loads((log / "manifest.json").read_text())
    tampered_manifest["files"][log_export.FILE]["sha256"] = hashlib.sha256(content).hexdigest()
    (log / "manifest.json").write_text(json.dumps(tampered_manifest))
    assert log_export.FILE in refusal(app, log)


def test_missing_files_are_named(app: Flask, log: Path) -> None:
    (log / log_export.FILE).unlink()
    assert "only an export with --format log can be imported" in refusal(app, log)
    (log / "manifest.json").unlink()
    assert "manifest.json is missing" in refusal(app, log)


def test_interrupted_import_is_finished_by_the_next(
    app: Flask, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows_of(app), tallies_of(app)
    empty(app)
    monkeypatch.setattr(log_import, "BATCH", 10)
    batches = iter(range(2))

    def fail(entries: Any, total: Any, *, add: Any = add_entries) -> None:
        if next(batches, None) is None:
            raise OSError("the disk is full")
        add(entries, total)

    with monkeypatch.context() as patch:
        patch.setattr(log_import, "add_entries", fail)
        assert run("import", log).output == "Error: the disk is full\n"
    assert len(rows_of(app)["prediction"]) == 20
    assert run("import", log).output == "6 drawings are added, 20 known already.\n"
    assert (rows_of(app), tallies_of(app)) == before


def test_key_of_another_request_stops_the_batch(app: Flask, log: Path) -> None:
    empty(app)
    with app.app_context():
        add(drawing(1, 99, request_key=b"k" * 16))
    result = run("import", log)
    assert "contradicts one of this log. 0 drawings were added before" in result.output
    assert len(rows_of(app)["prediction"]) == 1
    assert tallies_of(app) == {}
