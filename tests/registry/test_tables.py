"""Markdown tables of figures."""

from typing import Any

from mnistweb.recognition.boundaries import Boundaries
from mnistweb.recognition.model_card import ModelCard
from mnistweb.recognition.report import Layer, Report
from mnistweb.registry import tables


def card(name: str, accuracy: float) -> ModelCard:
    """Return a card with this accuracy under distortions."""
    figures: dict[str, Any] = {
        "mnist_test": {"accuracy": 0.9971},
        "drawings_test": {"accuracy": 0.991, "refused": 0.004, "expected_calibration_error": 0.0021},
        "held_out_symbols": {"refused": 0.912, "auroc": 0.99512},
        "refused_by_kind": {"scribble": 0.95, "Early_Aramaic": accuracy},
        "robustness": [
            {"condition": "as drawn", "right": accuracy, "answered_right": 0.9, "plain_resize": 0.5}
        ],
        "milliseconds": 0.61,
    }
    return ModelCard(name, name, "", "1", "", 1_220_000, 61_791, 1, Boundaries(0.8, 0.5), 0, figures=figures)


def test_summary_has_a_row_per_model() -> None:
    assert tables.summary([card("cnn", 0.9)]).splitlines()[-1] == (
        "| `cnn` | 99.71% | 99.10% | 0.40% | 0.21% | 91.2% | 0.9951 | 61,791 | 1.22 MB | 0.61 ms |"
    )


def test_rates_have_a_column_per_model() -> None:
    cards = [card("cnn", 0.9), card("vit", 0.8)]
    assert tables.refusals(cards).splitlines()[-1] == "| Early Aramaic | 90.0% | 80.0% |"
    assert tables.robustness(cards).splitlines()[-1] == "| as drawn | 90.0% | 50.0% | 80.0% | 50.0% |"


def test_layers_have_a_row_each() -> None:
    report = Report(
        "cnn", "1", layers=(Layer("image", (1, 28, 28), 0), Layer("fully connected", (11,), 1_419))
    )
    assert tables.layers(report).splitlines()[2:] == [
        "| image | 1 × 28 × 28 | 0 |",
        "| fully connected | 11 | 1,419 |",
    ]
