"""Evaluate an exported network on unseen data.

The data: MNIST's test images; drawings of unseen writers and symbols of unseen alphabets; letters, scribbles
and several digits made by the program. Everything here is deterministic, except for times.
"""

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnistweb.training import synthesis
from mnistweb.training.calibration import (
    Calibration,
    auroc,
    digit_probabilities,
    expected_calibration_error,
    not_a_digit,
)
from mnistweb.training.data import TEST_ALPHABETS, Images, load_drawings, load_mnist, stroke_files
from mnistweb.training.data_mix import PEN_VARIATION, only_digits, only_symbols

BATCH = 500
SHAPES_EACH, SEVERAL_DIGITS, TURNED_DIGITS = 100, 500, 500
"""Non-digits drawn for the test sets, of shapes for each kind in SHAPES."""


@dataclass(frozen=True, slots=True)
class TestSets:
    """The test sets; `drawings` and the symbols among `not_digits` need stroke files."""

    mnist: Images
    drawings: Images | None
    not_digits: Images


def test_sets(data_dir: Path) -> TestSets:
    """Load and draw the test sets. Raises DataFileError if MNIST is unavailable."""
    mnist = load_mnist(data_dir, train=False)
    samples = load_drawings(stroke_files(data_dir)).test
    digits, symbols = only_digits(samples), only_symbols(samples)
    drawings = synthesis.draw_samples(digits, 4, PEN_VARIATION, 901, "test digits") if digits else None
    others = [
        synthesis.draw_shapes(SHAPES_EACH, PEN_VARIATION, 903),
        synthesis.draw_glyphs(1, PEN_VARIATION, 904),
        synthesis.draw_several(mnist, SEVERAL_DIGITS, 905),
        synthesis.draw_turned(mnist, TURNED_DIGITS, 906),
    ]
    if symbols:
        others.insert(0, synthesis.draw_samples(symbols, 4, PEN_VARIATION, 902, "test symbols"))
    return TestSets(mnist, drawings, synthesis.concatenate(others))


def served_logits(served: nn.Module, images: Tensor) -> Tensor:
    """Compute logits float32 [n, 11] of an exported network for uint8 [n, 28, 28] images."""
    with torch.inference_mode():
        return torch.cat([served(batch) for batch in torch.split(images, BATCH)])


def measure(served: nn.Module, calibration: Calibration, sets: TestSets) -> dict[str, Any]:
    """Compute all figures of an exported network: shares in 0..1, times in milliseconds."""
    mnist = digit_figures(served_logits(served, sets.mnist.images), sets.mnist.labels, calibration)
    figures: dict[str, Any] = {"mnist_test": mnist, "milliseconds": forward_milliseconds(served)}
    scores = not_a_digit(served_logits(served, sets.not_digits.images), calibration.temperature)
    kinds = np.array(sets.not_digits.kinds)
    figures["refused_by_kind"] = {
        str(kind): float((scores[kinds == kind] >= calibration.boundaries.not_a_digit).mean())
        for kind in dict.fromkeys(kinds)
    }
    if sets.drawings is not None:
        logits = served_logits(served, sets.drawings.images)
        figures["drawings_test"] = digit_figures(logits, sets.drawings.labels, calibration)
        symbols = scores[np.isin(kinds, sorted(held_out_alphabets(sets)))]
        if symbols.size:
            figures["held_out_symbols"] = {
                "count": int(symbols.size),
                "refused": float((symbols >= calibration.boundaries.not_a_digit).mean()),
                "auroc": auroc(symbols, not_a_digit(logits, calibration.temperature)),
            }
    return figures


def held_out_alphabets(sets: TestSets) -> frozenset[str]:
    """Return the kinds among the non-digits that are alphabets unseen in training."""
    return TEST_ALPHABETS & set(sets.not_digits.kinds)


def digit_figures(logits: Tensor, labels: Tensor, calibration: Calibration) -> dict[str, Any]:
    """Compute figures on real digits: accuracy, share right and kept, share rejected, calibration error."""
    probabilities = digit_probabilities(logits, calibration.temperature)
    none = not_a_digit(logits, calibration.temperature)
    truth = labels.numpy()
    answers = probabilities.argmax(1)
    right = answers == truth
    refused = none >= calibration.boundaries.not_a_digit
    confidence = probabilities.max(1) * (1 - none)
    return {
        "count": len(truth),
        "accuracy": float(right.mean()),
        "answered_right": float((right & ~refused).mean()),
        "refused": float(refused.mean()),
        "expected_calibration_error": expected_calibration_error(confidence[~refused], right[~refused]),
        "worst_confusions": worst_confusions(truth, answers),
    }


def worst_confusions(
    truth: NDArray[np.int64], answers: NDArray[np.int64], most: int = 6
) -> list[dict[str, int]]:
    """Return the commonest mistakes: digit, reading and count."""
    pairs, counts = np.unique(np.stack([truth, answers])[:, truth != answers], axis=1, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    return [{"digit": int(pairs[0, i]), "read_as": int(pairs[1, i]), "times": int(counts[i])} for i in order]


def forward_milliseconds(served: nn.Module, repeats: int = 300) -> float:
    """Measure the median time of one image on one CPU thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    image = torch.zeros(1, 28, 28, dtype=torch.uint8)
    times = []
    with torch.inference_mode():
        for _ in range(repeats):
            started = time.perf_counter()
            served(image)
            times.append(time.perf_counter() - started)
    torch.set_num_threads(threads)
    return round(statistics.median(times) * 1_000, 3)


def summary(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the figures as rows of words and numbers."""
    rows = []
    for key, title in (("mnist_test", "MNIST test"), ("drawings_test", "drawings by unseen writers")):
        if key in figures:
            part = figures[key]
            rows += [
                (f"{title}: right", f"{part['accuracy']:.2%} of {part['count']:,}"),
                (f"{title}: right and not refused", f"{part['answered_right']:.2%}"),
                (f"{title}: refused", f"{part['refused']:.2%}"),
                (f"{title}: expected calibration error", f"{part['expected_calibration_error']:.2%}"),
            ]
    if "held_out_symbols" in figures:
        part = figures["held_out_symbols"]
        rows.append(("symbols of unseen alphabets: refused", f"{part['refused']:.1%} of {part['count']:,}"))
        rows.append(("symbols of unseen alphabets: AUROC", f"{part['auroc']:.4f}"))
    rows += [(f"refused: {kind}", f"{share:.1%}") for kind, share in figures["refused_by_kind"].items()]
    rows.append(("forward pass of one image, one thread", f"{figures['milliseconds']:.2f} ms"))
    return rows
