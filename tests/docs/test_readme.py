"""Figures, commands and paths in the README and the documentation match cards and code."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mnistweb import config
from mnistweb.cli import COMMANDS
from mnistweb.cli.models import chart_files
from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.report import read_reports
from mnistweb.recognition.zoo import WEIGHTS, Zoo
from mnistweb.registry import tables

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ACCURACY = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
TRAINING = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


@pytest.mark.parametrize(
    ("document", "table"),
    [
        (ACCURACY, tables.summary),
        (ACCURACY, tables.robustness),
        (TRAINING, tables.summary),
        (TRAINING, tables.refusals),
        (ACCURACY, lambda cards: tables.digits(cards, "ways")),
        (ACCURACY, lambda cards: tables.digits(cards, "pictures")),
    ],
)
def test_tables_equal_the_model_cards(document: str, table: Callable[[list[ModelCard]], str]) -> None:
    assert table(Zoo.load().cards()) in document


def test_layers_equal_the_reports() -> None:
    for report in read_reports(WEIGHTS).values():
        assert tables.layers(report) in TRAINING


def test_charts_equal_cards_and_reports() -> None:
    card = Zoo.load().get().card
    for name, picture in chart_files(card, read_reports(WEIGHTS)[card.name]).items():
        assert (ROOT / "docs" / "models" / name).read_text(encoding="utf-8") == picture
        assert f"(models/{name})" in TRAINING


def test_readme_has_the_figures_of_the_default_model() -> None:
    zoo = Zoo.load()
    (card,) = [card for card in zoo.cards() if card.name == zoo.default]
    mnist, drawings = card.figures["mnist_test"], card.figures["unipen_test"]
    figures = [
        f"{mnist['accuracy']:.2%}",
        f"{drawings['answered_right']:.2%}",
        f"{1 - card.figures['held_out_symbols']['sure']:.1%}",
        f"{drawings['expected_calibration_error']:.2%}",
    ]
    assert re.findall(r"\*\*([\d.]+%)\*\*", README) == figures
    assert f"`{card.name}`" in README
    assert f"{len(card.figures['robustness'])} kinds of distortion" in README


@pytest.mark.parametrize("document", PAGES, ids=lambda document: str(document.relative_to(ROOT)))
def test_commands_and_files_in_the_text_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert set(re.findall(r"(?:/|`)mnistweb ([a-z-]+)", text)) <= set(COMMANDS)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    wanted = set(re.findall(r"(?:`|^    )make ([a-z-]+)", text, re.MULTILINE))
    assert {target for target in wanted if f"\n{target}: " not in makefile} == set()
    named = re.findall(r"`((?:mnistweb|tests|deploy|static|templates|migrations)/[\w./-]*)`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_proxy_of_the_example_takes_the_largest_request() -> None:
    text = (ROOT / "docs" / "operations" / "deploy.md").read_text(encoding="utf-8")
    (megabytes,) = re.findall(r"client_max_body_size (\d+)m;", text)
    assert int(megabytes) * 1024**2 >= config.max_request_bytes(config.load({}))
