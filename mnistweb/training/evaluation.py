"""Figures of an exported network on the test sets, and their rows of words and numbers."""

import statistics
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from mnistweb.training.calibration import Calibration, auroc
from mnistweb.training.data import TEST_ALPHABETS, Images
from mnistweb.training.pen_strokes import NOT_A_DIGIT
from mnistweb.training.readings import Readings, digit_figures, figures_by_kind, other_figures, read
from mnistweb.training.test_sets import DIGIT_SETS, TestSets


def measure(served: nn.Module, calibration: Calibration, sets: TestSets) -> dict[str, Any]:
    """Compute all figures of an exported network: shares in 0..1, times in milliseconds."""
    digits = {name: read(served, images, calibration) for name, images in sets.digits.items()}
    others = read(served, sets.not_digits, calibration)
    figures: dict[str, Any] = {name: digit_figures(each) for name, each in digits.items()}
    figures["not_digits"] = figures_by_kind(others)
    if symbols := _held_out_symbols(others, digits.get("drawings_test")):
        figures["held_out_symbols"] = symbols
    if sets.ways is not None:
        figures["ways"] = figures_by_kind(read(served, sets.ways, calibration))
    if sets.pictures is not None:
        figures["pictures"] = picture_figures(served, calibration, sets.pictures)
    return figures | {"milliseconds": forward_milliseconds(served)}


def picture_figures(served: nn.Module, calibration: Calibration, pictures: Images) -> dict[str, Any]:
    """Compute the figures of people's pictures by kind, and of all their digits."""
    each = read(served, pictures, calibration)
    digits = each.select(each.truth != NOT_A_DIGIT)
    return ({"all digits": digit_figures(digits)} if digits.truth.size else {}) | figures_by_kind(each)


def _held_out_symbols(others: Readings, digits: Readings | None) -> dict[str, Any]:
    """Compute the figures of the alphabets unseen in training, and how well they separate from the digits."""
    symbols = others.select(np.isin(others.images.kinds, sorted(TEST_ALPHABETS)))
    if digits is None or not symbols.truth.size:
        return {}
    return other_figures(symbols) | {"auroc": auroc(symbols.not_a_digit, digits.not_a_digit)}


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
    for key, title in DIGIT_SETS.items():
        if key in figures:
            rows += [(f"{title}: {words}", number) for words, number in digit_rows(figures[key])]
    if "held_out_symbols" in figures:
        part = figures["held_out_symbols"]
        rows += [(f"symbols of unseen alphabets: {words}", number) for words, number in other_rows(part)]
        rows.append(("symbols of unseen alphabets: AUROC", f"{part['auroc']:.4f}"))
    for part in ("ways", "pictures", "not_digits"):
        rows += kind_rows(figures.get(part, {}))
    if "milliseconds" in figures:
        rows.append(("forward pass of one image, one thread", f"{figures['milliseconds']:.2f} ms"))
    return rows


def kind_rows(kinds: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return one row for each kind of image."""
    return [
        (
            f"{kind} ({figures['count']:,})",
            ", ".join(
                f"{words} {number}"
                for words, number in (digit_rows if "accuracy" in figures else other_rows)(figures)
            ),
        )
        for kind, figures in kinds.items()
    ]


def digit_rows(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the figures of digits as words and numbers."""
    yield "right", f"{figures['answered_right']:.2%}"
    yield "wrong", f"{figures['answered_wrong']:.2%}"
    yield "refused", f"{figures['refused']:.2%}"
    yield "in doubt", f"{figures['doubtful']:.2%}"
    yield "right by the best of ten", f"{figures['accuracy']:.2%}"
    yield "calibration error", f"{figures['expected_calibration_error']:.2%}"


def other_rows(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the figures of non-digits as words and numbers."""
    yield "refused", f"{figures['refused']:.1%}"
    yield "in doubt", f"{figures['doubtful']:.1%}"
    yield "read as a sure digit", f"{figures['sure']:.1%}"
