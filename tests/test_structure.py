"""The shape of the repository: directions of imports, loose modules, the top level."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[1]
LOOSE_MODULES = 8
FLOORS = 6
"""From the application factory down; the command line is above it."""
TOP_LEVEL = {
    *("mnistweb", "migrations", "static", "templates", "wsgi.py", "Dockerfile", "docker-compose.yml"),
    *("pyproject.toml", "tests", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
    *("Makefile", "docs", "deploy"),
}


def test_imports_point_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    # It would disable every logger of this process, also those that later tests read.
    monkeypatch.setattr("importlinter.cli._configure_logging", lambda _: None)
    assert lint_imports(cache_dir=None) == EXIT_STATUS_SUCCESS


def test_there_are_six_floors_and_every_package_of_the_site_is_on_one() -> None:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())
    [floors] = [
        contract["layers"]
        for contract in configuration["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]
    assert floors[0] == "mnistweb.cli"
    assert len(floors[1:]) <= FLOORS
    named = {part.strip("() ") for floor in floors for part in floor.replace("|", ":").split(":")}
    beside = {"mnistweb.training", "mnistweb.model_server", "mnistweb.datasets"}
    packages = {f"mnistweb.{path.parent.name}" for path in (ROOT / "mnistweb").glob("*/__init__.py")}
    modules = {f"mnistweb.{path.stem}" for path in (ROOT / "mnistweb").glob("*.py")} - {"mnistweb.__init__"}
    assert packages | modules <= named | beside


def test_few_modules_are_loose() -> None:
    assert len(list((ROOT / "mnistweb").glob("*.py"))) <= LOOSE_MODULES


@pytest.mark.process
def test_the_top_level_holds_what_a_newcomer_expects() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    top = {line.partition("/")[0] for line in listed.stdout.splitlines()}
    assert {name for name in top if not name.startswith(".")} == TOP_LEVEL


@pytest.mark.process
def test_make_says_which_python_it_needs(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    other = tmp_path / "python3.9"
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    command = ["make", f"PYTHON={other}", ".venv/bin/python"]
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert made.returncode
    assert "Python 3.11 to 3.13 is needed." in made.stderr
    assert not (tmp_path / ".venv").exists()
