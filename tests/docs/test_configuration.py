"""docs/configuration.md and .env.example list all settings, as declared."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from dotenv import dotenv_values

from mnistweb import config
from mnistweb.cli import main
from mnistweb.settings.declarations import COMPOSE, GROUPS, SETTINGS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("option", "file"), [("--markdown", "docs/configuration.md"), ("--env", ".env.example")]
)
def test_file_equals_the_command_output(option: str, file: str) -> None:
    result = CliRunner().invoke(main, ["settings", option])
    assert result.exit_code == 0
    assert result.output == (ROOT / file).read_text(encoding="utf-8"), "run make docs"


def test_settings_are_described_once_with_default_or_meaning_of_empty() -> None:
    declared = [setting for group in (*GROUPS, COMPOSE) for setting in group.settings]
    assert len({setting.key for setting in declared}) == len(declared)
    for setting in declared:
        assert setting.description.endswith(".")
        assert bool(setting.default) != bool(setting.empty), setting.key


def test_uncommented_example_is_valid(tmp_path: Path) -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    assert all(line.startswith("#") or not line for line in lines)
    (tmp_path / ".env").write_text(
        "\n".join(line[1:] for line in lines if "=" in line and line[1:2].isupper())
    )
    given = dotenv_values(tmp_path / ".env")
    assert {setting.key for setting in SETTINGS} <= given.keys()
    values = config.load({key: value or "" for key, value in given.items()})
    assert values["MNISTWEB_LLM_MODEL"] == "gpt-4o-mini"
