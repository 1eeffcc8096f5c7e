"""What the README says of settings and commands is so."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mnistweb.cli import COMMANDS
from mnistweb.config import SETTINGS
from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.zoo import Zoo
from mnistweb.registry import tables

ROOT = Path(__file__).parent.parent
TRAINING = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_setting_stands_in_the_table() -> None:
    listed = re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE)
    assert sorted(listed) == sorted(setting.key for setting in SETTINGS)


def test_every_setting_is_explained_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    missing = [setting.key for setting in SETTINGS if f"{setting.key}=" not in example]
    assert not missing


def test_every_command_that_is_named_exists() -> None:
    assert set(re.findall(r"/mnistweb ([a-z]+)", README)) <= set(COMMANDS)


def test_every_linked_file_exists() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    pictures = re.findall(r'(?:src|srcset)="([^"]+)"', README)
    assert links
    assert pictures
    links += pictures
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("table", [tables.summary, tables.refusals, tables.robustness])
def test_every_figure_is_the_cards(table: Callable[[list[ModelCard]], str]) -> None:
    assert table(Zoo.load().cards()) in README + TRAINING
