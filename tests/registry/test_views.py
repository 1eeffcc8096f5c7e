import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from mnistweb.recognition.model_card import ServiceCard
from mnistweb.registry.figures import PAGE_FIGURES, setting_rows
from mnistweb.registry.recognizers import zoo
from mnistweb.registry.report_images import report_images
from tests.support.clients import assert_refused
from tests.support.networks import nine, with_second


def digits(accuracy: float) -> dict[str, Any]:
    return {
        "count": 8792,
        "accuracy": accuracy,
        "answered_right": accuracy - 0.01,
        "refused": 0.0093,
        "expected_calibration_error": 0.0041,
        "worst_confusions": [{"digit": 7, "read_as": 1, "times": 13}],
    }


FULL: dict[str, Any] = {
    "summary": "Small & quick.",
    "parameters": 61_791,
    "size": 270_000,
    "weaknesses": ("Thin pens trouble it.",),
    "data": ({"name": "Set of digits", "source": "somebody", "licence": "CC BY 4.0", "used": "to train"},),
    "training": {"epochs": 12, "distortion": {"elastic": 0.6}, "phases": (8, 4), "resumed": False},
    "figures": {
        "mnist_test": digits(0.9928),
        "drawings_test": digits(0.9823),
        "held_out_symbols": {"count": 960, "refused": 0.712, "auroc": 0.9871},
        "refused_by_kind": {"line_grid": 0.987},
        "robustness": [
            {"condition": "turned by 30°", "right": 0.961, "answered_right": 0.942, "plain_resize": 0.413}
        ],
        "over_seeds": {"seeds": [0, 1, 2], "mnist_test_accuracy": {"mean": 0.9926, "deviation": 0.0003}},
        "milliseconds": 0.113,
    },
}


@pytest.fixture
def static(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty static folder that replaces the site's."""
    monkeypatch.setattr(app, "_static_folder", str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path


def test_every_model_is_listed_and_has_a_page(app: Flask, client: FlaskClient) -> None:
    page = client.get("/models")
    assert page.status_code == 200
    with app.app_context():
        cards = zoo().cards()
    for card in cards:
        assert f'href="/models/{card.name}"' in page.text
        own = client.get(f"/models/{card.name}")
        assert own.status_code == 200
        assert card.sha256 in own.text
        assert f"{card.parameters:,}" in own.text
        assert f'href="/?model={card.name}"' in own.text


def test_models_are_linked_from_all_pages(client: FlaskClient) -> None:
    for address in ("/", "/history", "/nothing"):
        assert 'href="/models"' in client.get(address).text


def test_unknown_model_is_not_found(client: FlaskClient) -> None:
    for name in ("nothing", "..%2Fcnn", "%00"):
        assert_refused(client.get(f"/models/{name}"), 404, "not_found")


def test_page_shows_all_figures_of_the_card(app: Flask, client: FlaskClient) -> None:
    with with_second(app, nine(), **FULL):
        text = client.get("/models/second").text
        table = client.get("/models").text
    for shown in (
        "Small &amp; quick.",
        "Thin pens trouble it.",
        "7&nbsp;→&nbsp;1&nbsp;(13×)",
        "99.28 %",
        "98.23 %",
        "Retrained with 3 seeds: 99.26 ± 0.03 %",
        "0.11 ms",
        "61,791",
        "0.27 MB",
        "line grid",
        "98.7 %",
        "turned by 30°",
        "41.3 %",
        "Set of digits",
        "CC BY 4.0",
        "distortion: elastic",
    ):
        assert shown in text
    for shown in ("99.28 %", "71.20 %", "0.41 %"):
        assert shown in table


def test_card_without_figures_has_a_page_without_tables(app: Flask, client: FlaskClient) -> None:
    with with_second(app, nine(), weaknesses=()):
        text = client.get("/models/second").text
    assert "What it is bad at" not in text
    assert "What it refuses" not in text
    assert "<table" not in text


def test_service_model_has_a_page(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    card = ServiceCard("llm", "Language model", "Asked over the network.", "x", ("It is slow.",))
    monkeypatch.setattr("mnistweb.registry.views.model_cards", lambda: [card])
    text = client.get("/models/llm").text
    assert "It is slow." in text
    assert "SHA-256" not in text
    assert "Asked over the network." in client.get("/models").text


def test_existing_report_images_are_shown(app: Flask, client: FlaskClient, static: Path) -> None:
    with with_second(app, nine()):
        assert "<figure" not in client.get("/models/second").text
        Image.new("L", (990, 460)).save(static / "models" / "second-mistakes.png")
        (static / "models" / "second-architecture.svg").write_text('<svg viewBox="0 0 660 250"/>')
        text = client.get("/models/second").text
        assert set(re.findall(r'data-picture="(\w+)"', text)) == {"mistakes", "architecture"}
        assert 'width="990" height="460"' in text
        assert 'width="660" height="250"' in text
        assert re.search(r'src="/static/\w+/models/second-architecture.svg"', client.get("/models").text)


def test_svg_without_viewbox_gets_a_default_size(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "cnn-architecture.svg").write_text("<svg/>")
    assert report_images(tmp_path, "cnn")["architecture"].width == 300


def test_best_figure_needs_several_models(app: Flask, client: FlaskClient) -> None:
    with with_second(app, nine(), **FULL | {"parameters": 1}), app.app_context():
        cards = zoo().cards()
        parameters = next(figure for figure in PAGE_FIGURES if figure.name == "Parameters")
        assert parameters.best_of(cards) == "1"
        assert parameters.best_of(cards[:1]) is None


def test_nested_settings_are_flattened_to_rows() -> None:
    values = {"learning_rate": 0.002, "mix": {"symbols": 0.25}, "phases": [1, 2], "resumed": True}
    values |= {"images": 60_000, "schedule": "one cycle", "teacher": None}
    assert list(setting_rows(values)) == [
        ("learning rate", "0.002"),
        ("mix: symbols", "0.25"),
        ("phases", "1, 2"),
        ("resumed", "yes"),
        ("images", "60,000"),
        ("schedule", "one cycle"),
        ("teacher", "none"),
    ]


def test_pages_have_no_inline_script_or_style(app: Flask, client: FlaskClient) -> None:
    with with_second(app, nine(), **FULL):
        for address in ("/models", "/models/second"):
            text = client.get(address).text
            assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", text)
