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
        "unipen_test": {"answered_right": 0.983},
        "held_out_symbols": {"refused": 0.912, "sure": 0.031, "auroc": 0.99512},
        "not_digits": {"Early_Aramaic": {"count": 88, "refused": accuracy, "doubtful": 0.06, "sure": 0.04}},
        "ways": {
            "slashed zero": {
                "count": 1_200,
                "accuracy": 0.99,
                "answered_right": accuracy,
                "answered_wrong": 0.002,
                "refused": 0.01,
                "doubtful": 0.05,
            }
        },
        "robustness": [
            {"condition": "as drawn", "right": accuracy, "answered_right": 0.9, "plain_resize": 0.5}
        ],
        "milliseconds": 0.61,
    }
    return ModelCard(name, name, "", "1", "", 1_220_000, 61_791, 1, Boundaries(0.8, 0.5), 0, figures=figures)


def test_summary_has_a_row_per_model() -> None:
    assert tables.summary([card("cnn", 0.9)]).splitlines()[-1] == (
        "| `cnn` | 99.71% | 99.10% | 98.30% | 0.40% | 0.21% | 91.2% | 3.1% | 0.9951 "
        "| 61,791 | 1.22 MB | 0.61 ms |"
    )


def test_rates_have_a_column_per_model() -> None:
    cards = [card("cnn", 0.9), card("vit", 0.8)]
    assert tables.refusals(cards).splitlines()[-1] == "| Early Aramaic | 90.0% | 4.0% | 80.0% | 4.0% |"
    assert tables.robustness(cards).splitlines()[-1] == "| as drawn | 90.0% | 50.0% | 80.0% | 50.0% |"


def test_kinds_of_digits_have_a_row_per_model() -> None:
    assert tables.digits([card("cnn", 0.9), card("vit", 0.8)], "ways").splitlines()[2:] == [
        "| `cnn` | slashed zero | 1,200 | 90.0% | 0.2% | 1.0% | 5.0% | 99.0% |",
        "| `vit` | slashed zero | 1,200 | 80.0% | 0.2% | 1.0% | 5.0% | 99.0% |",
    ]
    assert len(tables.digits([card("cnn", 0.9)], "pictures").splitlines()) == 2


def test_layers_have_a_row_each() -> None:
    report = Report(
        "cnn", "1", layers=(Layer("image", (1, 28, 28), 0), Layer("fully connected", (11,), 1_419))
    )
    assert tables.layers(report).splitlines()[2:] == [
        "| image | 1 × 28 × 28 | 0 |",
        "| fully connected | 11 | 1,419 |",
    ]


def test_tables_are_renewed_at_their_marks() -> None:
    text = "a\n<!-- summary -->\n| old |\n<!-- end -->\nb\n<!-- four figures -->\nc\n<!-- end -->\n"
    renewed = tables.fill(text, {"summary": "| new |\n| newer |"})
    assert renewed == text.replace("| old |", "| new |\n| newer |")
    assert tables.fill(renewed, {"summary": "| new |\n| newer |"}) == renewed
