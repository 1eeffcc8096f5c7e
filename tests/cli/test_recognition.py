import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.orm import Session

from mnistweb.cli import main
from mnistweb.recognition.zoo import WEIGHTS, Zoo
from mnistweb.registry.tables import summary
from tests.support.rows import NOON, row


def test_help_lists_all_commands() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name in ("evaluate", "migrate", "models", "predict", "recount", "serve", "settings", "train"):
        assert f"\n  {name} " in result.output


def test_unknown_command_is_an_error() -> None:
    result = CliRunner().invoke(main, ["nothing"])
    assert result.exit_code == 2
    assert "nothing" in result.output


def test_migrate_brings_the_database_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'site.sqlite3'}"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("INSTANCE_PATH", str(tmp_path))
    for _ in range(2):
        assert CliRunner().invoke(main, ["migrate"]).exit_code == 0
    engine = create_engine(url)
    assert "prediction" in inspect(engine).get_table_names()
    engine.dispose()


def test_recount_recomputes_aggregates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'site.sqlite3'}"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("INSTANCE_PATH", str(tmp_path))
    assert CliRunner().invoke(main, ["migrate"]).exit_code == 0
    engine = create_engine(url)
    with Session(engine) as session:
        session.add(row(label=3, labelled_at=NOON))
        session.commit()
        for _ in range(2):
            assert CliRunner().invoke(main, ["recount"]).exit_code == 0
            assert session.execute(text("SELECT span, label, count FROM tally ORDER BY 1")).all() == [
                ("day", 3, 1),
                ("month", 3, 1),
            ]
            session.rollback()
    engine.dispose()


@pytest.mark.parametrize("command", ["migrate", "recount"])
def test_wrong_setting_gives_one_error_sentence(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("PORT", "none")
    result = CliRunner().invoke(main, [command])
    assert result.exit_code == 1
    assert result.output == "Error: PORT must be a whole number from 1 to 65535.\n"


def test_missing_extra_is_reported_by_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_torchvision(name: str) -> object:
        raise ModuleNotFoundError("no module", name="torchvision")

    monkeypatch.setattr("mnistweb.cli.import_module", without_torchvision)
    assert CliRunner().invoke(main, ["--help"]).exit_code == 0
    result = CliRunner().invoke(main, ["train", "--epochs", "1"])
    assert result.exit_code == 1
    assert 'pip install "mnistweb[train]"' in result.output


def test_other_missing_modules_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> object:
        raise ModuleNotFoundError("no module", name="something")

    monkeypatch.setattr("mnistweb.cli.import_module", broken)
    result = CliRunner().invoke(main, ["train"])
    assert isinstance(result.exception, ModuleNotFoundError)


@pytest.mark.process
def test_predict_imports_no_web_framework() -> None:
    check = (
        "import sys; from mnistweb.cli import main; main(['predict', '--help'], standalone_mode=False);"
        "sys.exit(any(name in sys.modules for name in ('flask', 'torchvision', 'sqlalchemy')))"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", check], check=True, stdout=subprocess.DEVNULL)


def test_charts_of_the_default_model_are_written_as_svg_files(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["models", "--charts", str(tmp_path / "charts")])
    assert result.exit_code == 0, result.output
    files = {path.name: path for path in (tmp_path / "charts").iterdir()}
    assert {"cnn-loss.svg", "cnn-errors.svg", "cnn-confusion-mnist-test.svg"} <= set(files)
    for file in files.values():
        root = ElementTree.parse(file).getroot()  # noqa: S314
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root[0].tag.endswith("style")


def test_tables_are_renewed_in_a_folder(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Ä\n<!-- summary -->\nold\n<!-- end -->\n", encoding="utf-8")
    charts = tmp_path / "charts"
    result = CliRunner().invoke(main, ["models", "--tables", str(tmp_path), "--charts", str(charts)])
    assert result.exit_code == 0, result.output
    assert list(charts.iterdir())
    table = summary(Zoo.load().cards())
    assert page.read_text(encoding="utf-8") == f"# Ä\n<!-- summary -->\n{table}\n<!-- end -->\n"


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("evaluate --all --model cnn", "--all and --model exclude each other."),
        ("evaluate --pictures . --cards", "--pictures goes without --robustness, --report and --cards."),
        ("evaluate --pictures . --robustness", "--pictures goes without --robustness, --report and --cards."),
        ("evaluate --pictures . --report x", "--pictures goes without --robustness, --report and --cards."),
        ("models export --triton x --load http://127.0.0.1:1", "--load needs --follow."),
    ],
)
def test_options_that_would_be_ignored_are_refused(command: str, sentence: str) -> None:
    result = CliRunner().invoke(main, command.split())
    assert result.exit_code == 2
    assert sentence in result.output


def test_charts_need_a_report(tmp_path: Path) -> None:
    for file in WEIGHTS.glob("cnn.*"):
        shutil.copy(file, tmp_path)
    result = CliRunner().invoke(main, ["models", "--weights", str(tmp_path), "--charts", str(tmp_path)])
    assert result.exit_code == 1
    assert "there is no report on cnn" in result.output
