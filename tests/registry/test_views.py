import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from mnistweb.app import create_app
from mnistweb.extensions import db
from mnistweb.recognition.boundaries import Boundaries
from mnistweb.recognition.model_card import ModelFileError, ServiceCard, read_card
from mnistweb.recognition.report import FOLDER, Bin, Layer, Mistake, Report, read_reports
from mnistweb.recognition.zoo import WEIGHTS, Zoo
from mnistweb.registry.figures import PAGE_FIGURES, setting_rows
from mnistweb.registry.recognizers import REPORTS, zoo
from mnistweb.registry.report_charts import boundary_charts
from mnistweb.registry.versions import add_version, promote, rollback
from tests.support.clients import assert_refused, predict
from tests.support.comparisons import comparison
from tests.support.networks import nine, other_version, with_second
from tests.support.sites import make_tables


def digits(accuracy: float) -> dict[str, Any]:
    return {
        "count": 8792,
        "accuracy": accuracy,
        "answered_right": accuracy - 0.01,
        "answered_wrong": 0.0007,
        "doubtful": 0.0203,
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
        "not_digits": {"line_grid": {"count": 100, "refused": 0.987, "doubtful": 0.008, "sure": 0.005}},
        "robustness": [
            {"condition": "turned by 30°", "right": 0.961, "answered_right": 0.942, "plain_resize": 0.413}
        ],
        "over_seeds": {"seeds": [0, 1, 2], "mnist_test_accuracy": {"mean": 0.9926, "deviation": 0.0003}},
        "milliseconds": 0.113,
        "history": [
            {"epoch": 1, "loss": 0.9, "mnist": 0.95, "drawings": 0.999},
            {"epoch": 2, "loss": 0.2, "mnist": 0.99, "drawings": 1.0},
        ],
    },
}


REPORT = Report(
    "second",
    "2",
    layers=(Layer("image", (1, 28, 28), 0), Layer("convolution 5×5", (32, 28, 28), 832)),
    filters=[[[1.0, -0.5], [0.0, 0.25]]],
    confusions={"mnist_test": [[10 if row == column else 0 for column in range(10)] for row in range(10)]},
    reliability={"mnist_test": (Bin(0.42, 4, 2), Bin(0.99, 96, 96))},
    mistakes=(Mistake(6, 4, 0.9312, "data:image/png;base64,AAAA"),),
)


@pytest.fixture
def report(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Report:
    """The report on the second model."""
    monkeypatch.setitem(app.extensions, REPORTS, {"second": REPORT})
    return REPORT


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
        "0.5 %",
        "2.03 %",
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


@pytest.mark.usefixtures("report")
def test_page_shows_the_report(app: Flask, client: FlaskClient) -> None:
    with with_second(app, nine(), **FULL):
        text = client.get("/models/second").text
        index = client.get("/models").text
    assert set(re.findall(r'data-chart="([\w-]+)"', text)) == {
        "confusion-mnist_test",
        "reliability-mnist_test",
        "loss",
        "errors",
    }
    for page in (text, index):
        assert "convolution 5×5" in page
        assert "32 × 28 × 28" in page
        assert "832 weights" in page
    assert text.count('class="kernel"') == 1
    assert 'alt="A 6, read as 4"' in text
    assert "6&nbsp;→&nbsp;4" in text
    assert "93.1 %" in text
    assert "About 42.0 % sure: 2 of 4, 50.0 %" in text


CURVE = {
    "costs": {"wrong": 10.0, "refused": 2.5, "non_digit_sure": 4.0},
    "curve": [
        {
            "not_a_digit": share,
            "right": 0.98 + share / 100,
            "doubtful": 0.01,
            "refused": 0.01 - share / 100,
            "wrong": 0.001,
            "non_digits_sure": share / 10,
            "non_digits_refused": 1 - share / 10,
            "cost": 0.1 + (share - 0.5) ** 2,
        }
        for share in (0.1, 0.5, 0.9)
    ],
}


def test_page_shows_the_boundaries_and_their_curve(app: Flask, client: FlaskClient) -> None:
    boundaries = Boundaries(sure=0.85, not_a_digit=0.55)
    figures = {**FULL["figures"], "boundaries": CURVE}
    with with_second(app, nine(), **FULL | {"figures": figures, "boundaries": boundaries}):
        text = client.get("/models/second").text
    assert "at least 55.0 %" in text
    assert "at least 85.0 %" in text
    assert "This site has moved" not in text
    assert {"boundary-cost", "boundary-errors"} <= set(re.findall(r'data-chart="([\w-]+)"', text))
    assert "Costs: wrong 10, refused 2.5, non digit sure 4." in text
    assert "draws the line, at 55.0 %" in text
    for cell in ("0.1000", "98.50 %", "0.10 %", "9.00 %"):
        assert f"<td>{cell}</td>" in text


def test_card_with_an_incomplete_curve_shows_what_it_has() -> None:
    rows = [{"not_a_digit": 0.5, "cost": 0.1, "refused": 0.01}]
    card = replace(Zoo.load().get().card, figures={"boundaries": {"costs": {}, "curve": rows}})
    assert [chart.kind for chart in boundary_charts(card)] == ["boundary-cost"]
    assert list(boundary_charts(replace(card, figures={}))) == []


def test_operator_moves_the_boundaries(unmigrated_settings: dict[str, Any]) -> None:
    def certainty(**moved: str) -> str:
        site = create_app(unmigrated_settings | moved)
        make_tables(site)
        client = site.test_client()
        text = client.get("/models/cnn").text
        assert "This site has moved" in text
        assert all(f"at least {float(value):.1%}".replace("%", " %") in text for value in moved.values())
        found: str = predict(client, 3)["certainty"]
        with site.app_context():
            db.engine.dispose()
        return found

    assert certainty(SURE_FROM="1") == "doubtful"
    assert certainty(NOT_A_DIGIT_FROM="0") == "not_a_digit"
    assert certainty(NOT_A_DIGIT_FROM="1", SURE_FROM="0") == "sure"


@pytest.mark.usefixtures("report")
def test_contents_lead_to_every_section(app: Flask, client: FlaskClient) -> None:
    with with_second(app, nine(), **FULL):
        text = client.get("/models/second").text
    [contents] = re.findall(r'<nav class="contents".*?</nav>', text, re.DOTALL)
    assert re.findall(r'href="#(\w+)"', contents) == re.findall(r'<h2 id="(\w+)"', text)
    names = re.findall(r' id="([^"]+)"', text)
    assert len(set(names)) == len(names)


def test_report_on_another_version_is_not_shown(app: Flask, client: FlaskClient, report: Report) -> None:
    app.extensions[REPORTS]["second"] = replace(report, version="1")
    with with_second(app, nine()):
        assert "<figure" not in client.get("/models/second").text


def test_shipped_models_have_reports_that_agree_with_their_cards() -> None:
    reports = read_reports(WEIGHTS)
    for card in Zoo.load().cards():
        report = reports[card.name]
        assert report.version == card.version
        assert report.layers[-1].shape == (11,)
        assert sum(layer.parameters for layer in report.layers) <= card.parameters
        for key, counts in report.confusions.items():
            figures = card.figures[key]
            total, right = sum(map(sum, counts)), sum(counts[digit][digit] for digit in range(10))
            assert total == figures["count"]
            assert right / total == pytest.approx(figures["accuracy"])
            for worst in figures["worst_confusions"]:
                assert counts[worst["digit"]][worst["read_as"]] == worst["times"]
            bins = report.reliability[key]
            answered = sum(each.count for each in bins)
            gap = sum(each.count * abs(each.confidence - each.right / each.count) for each in bins)
            assert answered == pytest.approx(total * (1 - figures["refused"]))
            assert gap / answered == pytest.approx(figures["expected_calibration_error"], abs=1e-6)


def test_written_report_is_read_again(tmp_path: Path) -> None:
    REPORT.write(tmp_path / FOLDER)
    assert read_reports(tmp_path) == {"second": REPORT}
    assert read_reports(tmp_path / "nothing") == {}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"layers": [], "reliability": [], "mistakes": []}'])
def test_damaged_report_stops_the_start_and_is_named(
    unmigrated_settings: dict[str, Any], tmp_path: Path, text: str
) -> None:
    for card in WEIGHTS.glob("cnn.*"):
        (tmp_path / card.name).write_bytes(card.read_bytes())
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "cnn.json").write_text(text)
    with pytest.raises(ModelFileError, match=r"reports/cnn\.json: not a report on a model"):
        create_app(unmigrated_settings | {"WEIGHTS_PATH": str(tmp_path)})


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


@pytest.mark.usefixtures("report")
def test_pages_have_no_inline_script_or_style(app: Flask, client: FlaskClient) -> None:
    with with_second(app, nine(), **FULL):
        for address in ("/models", "/models/second"):
            text = client.get(address).text
            assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", text)


def versions_part(client: FlaskClient) -> str:
    """Return the part of LeNet-5's page about its versions."""
    page = client.get("/models/lenet5").text
    return page.partition('aria-labelledby="versions"')[2].partition("</section>")[0]


def test_the_installed_version_is_the_only_one_at_first(client: FlaskClient) -> None:
    part = versions_part(client)
    assert part.count("answers now") == 1
    assert "with the site" in part
    assert "What changed" not in part


def test_page_tells_which_versions_were_live_when_and_why(app: Flask, client: FlaskClient) -> None:
    file, card = other_version("lenet5")
    installed = read_card(WEIGHTS / "lenet5.json").version
    with app.app_context():
        add_version(file, card, None, installed, "ada")
        promote(
            "lenet5", card.version, comparison("lenet5", installed, card.version), by="ada", reason="<b>4</b>"
        )
        rollback("lenet5", by="bob", reason="too hasty")
        promote("lenet5", card.version, None, by="ada", reason="after all", force=True)
    part = versions_part(client)
    assert part.count("answers now") == 1
    steps = [" ".join(re.sub("<[^>]+>", " ", each).split()) for each in part.split("<li")[1:]]
    assert f"ada put {card.version} in place of {installed} , without waiting" in steps[0]
    assert "“after all”" in steps[0]
    assert f"bob went back to {installed} from {card.version}" in steps[1]
    assert "“too hasty”" in steps[1]
    assert "&lt;b&gt;4" in part
    assert "reviewed drawings 1,000 90.00 % 94.00 % +4.00" in steps[2]
    assert "data-rollback" in part


def test_models_have_their_pages_while_the_database_fails(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> None:
        raise OperationalError("", None, Exception("away"))

    monkeypatch.setattr("mnistweb.registry.views.lineage", fail)
    response = client.get("/models/lenet5")
    assert response.status_code == 200
    assert "Its versions" not in response.text
