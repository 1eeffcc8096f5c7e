"""`mnistweb models add`, `versions`, `promote`, `rollback`, and the export that follows."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from mnistweb.cli import export, main
from mnistweb.recognition.model_card import read_card, version_number
from mnistweb.recognition.remote.protocol import read_metadata
from mnistweb.recognition.report import Report
from mnistweb.recognition.zoo import WEIGHTS
from mnistweb.registry.follower import Follower
from mnistweb.registry.versions import live_version
from mnistweb.training.export import write_model
from tests.support.comparisons import comparison
from tests.support.networks import other_version

NAME = "lenet5"
INSTALLED = read_card(WEIGHTS / f"{NAME}.json").version
FILE, CARD = other_version(NAME)


@pytest.fixture(autouse=True)
def database(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands work on the database of the tests."""
    monkeypatch.setattr("mnistweb.cli.database.database_app", lambda: app)
    monkeypatch.setattr(export, "database_app", lambda: app)


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """A folder with a new version."""
    write_model(tmp_path, FILE, CARD)
    Report(NAME, CARD.version).write(tmp_path / "reports")
    return tmp_path


@pytest.fixture
def compared(tmp_path: Path) -> Path:
    """The file of a comparison by which the new version is better."""
    path = tmp_path / "comparison.txt"
    path.write_text(json.dumps(comparison(NAME, INSTALLED, CARD.version).as_json()))
    return path


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["models", *map(str, arguments)])


def live(app: Flask) -> str:
    with app.app_context():
        return live_version(NAME)


def test_a_version_is_added_promoted_listed_and_rolled_back(
    app: Flask, exported: Path, compared: Path
) -> None:
    new = CARD.version
    assert run("add", exported, "--parent", INSTALLED).output == f"{NAME} {new} is added.\n"
    assert run("add", exported).output == f"{NAME} {new} was added before.\n"
    promoted = run("promote", NAME, new, "--comparison", compared, "--reason", "open fours", "--by", "ada")
    assert (promoted.exit_code, live(app)) == (0, new), promoted.output
    assert run("rollback", NAME, "--by", "bob").output == (
        f"{NAME} {INSTALLED} is live again; before, it was {new}.\n"
    )
    assert live(app) == INSTALLED
    listed = run("versions", NAME).output
    assert f"ada promoted {new} from {INSTALLED}: open fours" in listed
    assert f"bob went back to {INSTALLED} from {new}" in listed
    assert f"* {INSTALLED}" in listed
    assert f"from {INSTALLED}\n" in listed
    assert {"cnn", NAME, "vit"} <= set(run("versions").output.split("\n"))


def test_refusals_have_one_sentence(app: Flask, exported: Path, compared: Path, tmp_path: Path) -> None:
    new = CARD.version
    run("add", exported)
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("{}")
    for arguments, words in (
        (("promote", NAME, new), "only on a comparison"),
        (("promote", NAME, new, "--force"), "needs a reason"),
        (("promote", NAME, "0123456789ab", "--force", "--reason", "now"), "no version 0123456789ab"),
        (("promote", "missing", new, "--comparison", compared), "no model missing"),
        (("promote", NAME, new, "--comparison", nonsense), "not a comparison"),
        (("rollback", NAME), "no earlier version"),
        (("versions", "missing"), "no model missing"),
    ):
        result = run(*arguments)
        assert result.exit_code == 1, result.output
        assert words in result.output
        assert "Traceback" not in result.output
    assert live(app) == INSTALLED


def test_a_folder_without_its_files_is_an_error(exported: Path) -> None:
    (exported / f"{NAME}.pt").unlink()
    result = run("add", exported)
    assert (result.exit_code, "No such file" in result.output) == (1, True)


def test_an_export_follows_the_live_versions(
    app: Flask, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "repository"

    def version() -> str:
        text = (repository / NAME / "config.pbtxt").read_text()
        card = text.partition('string_value: "')[2].rpartition('" } }')[0]
        quoted = json.loads(f'"{card}"')
        found = read_metadata(json.dumps({"parameters": {"card": quoted}}).encode())
        assert found is not None
        assert (repository / NAME / str(version_number(found.version)) / "model.pt").is_file()
        return found.version

    run("add", exported)
    seen = []

    def look_three_times(follower: Follower) -> None:
        seen.append(version())
        run("promote", NAME, CARD.version, "--force", "--reason", "a test")
        for _ in range(2):
            follower.refresh()
            seen.append(version())
            run("rollback", NAME)

    monkeypatch.setattr(Follower, "run", look_three_times)
    result = run("export", "--triton", repository, "--follow")
    assert result.exit_code == 0, result.output
    assert seen == [INSTALLED, CARD.version, INSTALLED]
    assert (repository / "cnn" / "config.pbtxt").is_file()
