"""Versions of the models: added, promoted, rolled back."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from mnistweb.app import create_app
from mnistweb.config import ConfigError
from mnistweb.database.models import ModelVersion, Promotion
from mnistweb.extensions import db
from mnistweb.recognition.model_card import ModelFileError, read_card, sha256_of
from mnistweb.recognition.report import Layer, Report
from mnistweb.recognition.zoo import WEIGHTS
from mnistweb.registry import live, versions
from mnistweb.registry.versions import (
    VersionError,
    add_version,
    live_version,
    promote,
    read_version,
    rollback,
)
from tests.support.comparisons import comparison
from tests.support.databases import run_on_both_databases
from tests.support.networks import other_version

pytest_generate_tests = run_on_both_databases
NAME = "lenet5"
INSTALLED = read_card(WEIGHTS / f"{NAME}.json").version


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def new(context: None) -> str:
    """A second version of the model."""
    file, card = other_version(NAME)
    add_version(file, card, Report(NAME, card.version, (Layer("image", (1, 28, 28), 0),)), INSTALLED, "ada")
    return card.version


def test_the_installed_version_is_live_and_needs_no_row(context: None) -> None:
    assert live_version(NAME) == INSTALLED
    file, card = read_version(NAME, INSTALLED)
    assert (card.version, sha256_of(file)) == (INSTALLED, card.sha256)
    assert db.session.query(ModelVersion).count() == 0


def test_a_version_is_read_as_it_was_added(new: str) -> None:
    assert read_version(NAME, new) == other_version(NAME)
    with db.engine.connect() as connection:
        report = live.read_report(connection, NAME, new)
    assert report is not None
    assert (report.version, report.layers) == (new, (Layer("image", (1, 28, 28), 0),))
    assert live_version(NAME) == INSTALLED


def test_a_version_is_added_once(new: str) -> None:
    assert not add_version(*other_version(NAME), None, None, "bob")
    assert db.session.query(ModelVersion).one().added_by == "ada"


def test_a_better_version_is_promoted_and_rolled_back(new: str) -> None:
    promotion = promote(NAME, new, comparison(NAME, INSTALLED, new), by="ada", reason="open fours")
    assert live_version(NAME) == new
    assert (promotion.previous, promotion.rollback, promotion.forced) == (INSTALLED, False, False)
    assert promotion.comparison is not None
    assert promotion.comparison["margin"] == 0.01
    rollback(NAME, by="bob", reason="too hasty")
    assert live_version(NAME) == INSTALLED
    rows = db.session.query(Promotion).order_by(Promotion.id).all()
    assert [(row.version, row.rollback, row.promoted_by) for row in rows] == [
        (new, False, "ada"),
        (INSTALLED, True, "bob"),
    ]
    with pytest.raises(VersionError, match="no earlier version"):
        rollback(NAME, by="bob")


def test_rollbacks_go_back_step_by_step(new: str) -> None:
    third, card = other_version(NAME, 2)
    add_version(third, card, None, new, "ada")
    promote(NAME, new, None, by="ada", reason="a test", force=True)
    promote(NAME, card.version, None, by="ada", reason="a test", force=True)
    for expected in (new, INSTALLED):
        rollback(NAME, by="ada")
        assert live_version(NAME) == expected


def test_the_installed_version_stays_after_an_update_of_the_package(
    app: Flask, new: str, tmp_path: Path
) -> None:
    promote(NAME, new, comparison(NAME, INSTALLED, new), by="ada")
    file, card = other_version(NAME, 3)
    card.write(tmp_path / f"{NAME}.json")
    (tmp_path / f"{NAME}.pt").write_bytes(file)
    app.config["WEIGHTS_PATH"] = str(tmp_path)
    assert live_version(NAME) == new
    rollback(NAME, by="ada")
    assert read_version(NAME, live_version(NAME))[1].version == INSTALLED


@pytest.mark.parametrize(
    ("gained", "lost", "words"), [(0, 0, "not shown to be better"), (40, 11, "On MNIST it is worse by 1.10")]
)
def test_a_version_that_is_not_better_stays_out(new: str, gained: int, lost: int, words: str) -> None:
    compared = comparison(NAME, INSTALLED, new, gained=gained, lost=lost)
    with pytest.raises(VersionError, match=words):
        promote(NAME, new, compared, by="ada")
    assert live_version(NAME) == INSTALLED
    with pytest.raises(VersionError, match="needs a reason"):
        promote(NAME, new, compared, by="ada", force=True)
    promote(NAME, new, compared, by="ada", force=True, reason="it reads open fours")
    assert db.session.query(Promotion).one().forced


def test_the_margin_is_the_operators(new: str) -> None:
    compared = comparison(NAME, INSTALLED, new, lost=11)
    promote(NAME, new, compared, by="ada", margin=0.011)
    stored = db.session.query(Promotion).one().comparison
    assert stored is not None
    assert stored["margin"] == 0.011


def test_the_comparison_must_be_of_these_two_versions(new: str) -> None:
    for compared in (
        None,
        comparison("cnn", INSTALLED, new),
        comparison(NAME, "0123456789ab", new),
        comparison(NAME, INSTALLED, "0123456789ab"),
    ):
        with pytest.raises(VersionError, match="comparison"):
            promote(NAME, new, compared, by="ada")
        if compared is not None:
            with pytest.raises(VersionError, match="comparison"):
                promote(NAME, new, compared, by="ada", force=True, reason="now")


def test_a_damaged_or_missing_file_never_goes_live(new: str) -> None:
    compared = comparison(NAME, INSTALLED, new)
    row = db.session.get_one(ModelVersion, (NAME, new))
    for file, words in ((b"PK damaged", "SHA-256"), (None, "missing")):
        row.file = file
        db.session.commit()
        with pytest.raises(ModelFileError, match=words):
            promote(NAME, new, compared, by="ada", force=True, reason="now")
    with pytest.raises(ModelFileError, match="no version 0123456789ab"):
        promote(NAME, "0123456789ab", None, by="ada", force=True, reason="now")
    assert live_version(NAME) == INSTALLED


def test_what_computes_nothing_is_not_added(context: None) -> None:
    _, card = other_version(NAME)
    for file in (b"", b"not a network"):
        digest = sha256_of(file)
        with pytest.raises(ModelFileError, match="TorchScript"):
            add_version(file, replace(card, sha256=digest, version=digest[:12]), None, None, "ada")
    with pytest.raises(ModelFileError, match="SHA-256"):
        add_version(b"another", card, None, None, "ada")
    with pytest.raises(VersionError, match="beginning"):
        add_version(other_version(NAME)[0], replace(card, version="newest"), None, None, "ada")


def test_one_of_two_promotions_at_a_time_wins(new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    third, card = other_version(NAME, 2)
    add_version(third, card, None, None, "bob")
    compared = comparison(NAME, INSTALLED, new)
    lock = versions._lock_promotions

    def another_is_faster() -> None:
        monkeypatch.setattr(versions, "_lock_promotions", lock)
        promote(NAME, card.version, None, by="bob", reason="faster", force=True)
        lock()

    monkeypatch.setattr(versions, "_lock_promotions", another_is_faster)
    with pytest.raises(VersionError, match="just gone live"):
        promote(NAME, new, compared, by="ada")
    assert live_version(NAME) == card.version


def test_files_lie_in_the_model_store(app: Flask, context: None, tmp_path: Path) -> None:
    app.config["MODEL_STORE"] = f"file://{tmp_path}/models"
    file, card = other_version(NAME)
    add_version(file, card, None, None, "ada")
    path = tmp_path / "models" / NAME / f"{card.version}.pt"
    assert path.read_bytes() == file
    assert db.session.get_one(ModelVersion, (NAME, card.version)).file is None
    app.config["MODEL_STORE"] = ""  # each row names the place of its own file
    assert read_version(NAME, card.version) == (file, card)
    path.unlink()
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_version(NAME, card.version)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_lost_or_damaged_file_is_added_again(
    app: Flask, context: None, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    app.config["MODEL_STORE"] = f"file://{tmp_path}/models"
    file, card = other_version(NAME)
    add_version(file, card, None, None, "ada")
    damage(tmp_path / "models" / NAME / f"{card.version}.pt")
    assert not add_version(file, card, None, None, "bob")
    assert read_version(NAME, card.version) == (file, card)
    assert db.session.query(ModelVersion).one().added_by == "ada"


def test_a_store_without_its_package_stops_the_start(app: Flask, tmp_path: Path) -> None:
    settings = {"INSTANCE_PATH": str(tmp_path), "DATABASE_URL": app.config["DATABASE_URL"]}
    with pytest.raises(ConfigError, match="MODEL_STORE needs a package"):
        create_app(settings | {"MODEL_STORE": "nosuch://models"})


def test_an_unknown_model_has_no_versions(context: None) -> None:
    for name in ("missing", "../cnn", ""):
        with pytest.raises(VersionError, match="no model"):
            live_version(name)
