"""SVG charts of curves."""

import re
from itertools import pairwise

import pytest

from mnistweb.charts.curves import curve_chart, error_axis, linear_axis, share_chart
from mnistweb.charts.plots import BOTTOM, LEFT, RIGHT, TOP


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([0.07, 0.48], ["0", "0.15", "0.3", "0.45", "0.6"]),
        ([0.9], ["0", "0.25", "0.5", "0.75", "1"]),
        ([0.0], ["0", "1", "2", "3", "4"]),
        ([], ["0", "0.25", "0.5", "0.75", "1"]),
    ],
)
def test_linear_axis_ends_at_a_round_number(values: list[float], ticks: list[str]) -> None:
    axis = linear_axis(values)
    assert list(axis.ticks.values()) == ticks
    assert axis.place(0) == BOTTOM
    assert all(TOP <= axis.place(value) <= BOTTOM for value in values)


def test_no_error_at_all_has_a_line_of_its_own() -> None:
    axis = error_axis([0.73, 0.0, 0.0004])
    assert list(axis.ticks.values()) == ["0 %", "0.01 %", "0.1 %", "1 %", "10 %", "100 %"]
    places = [axis.place(value) for value in axis.ticks]
    assert places[0] == BOTTOM
    assert places[-1] == TOP
    assert places == sorted(places, reverse=True)
    steps = [lower - upper for lower, upper in pairwise(places[1:])]
    assert steps == pytest.approx([steps[0]] * len(steps))
    assert list(error_axis([0.0]).ticks.values()) == ["0 %", "10 %", "100 %"]


def test_curves_over_a_share_have_a_line_at_the_mark() -> None:
    curves = {"a & b": [(0.0, 1.0), (1.0, 0.0)], "c": [(0.5, 0.5)]}
    svg = share_chart(curves, linear_axis([1.0]), 0.25, "title")
    assert "<title>a &amp; b</title>" in svg
    assert f'points="{LEFT:.1f},{TOP:.1f} {RIGHT:.1f},{BOTTOM:.1f}"' in svg
    x = LEFT + (RIGHT - LEFT) / 4
    assert f'class="diagonal" x1="{x:.1f}"' in svg
    assert svg.count("is-solid") == svg.count("is-dashed") == 1


@pytest.mark.parametrize(("count", "labels"), [(1, 1), (2, 2), (12, 6), (28, 6), (40, 5), (400, 5)])
def test_curves_are_told_apart_and_few_steps_are_labelled(count: int, labels: int) -> None:
    curves = {"a & b": [0.5] * count, "c": [0.25] * count}
    svg = curve_chart(curves, linear_axis([1.0]), "pass", "title")
    assert svg.count("<circle") == svg.count('class="curve-square"') == count
    assert "<title>a &amp; b</title>" in svg
    steps = [int(each) for each in re.findall(r'text-anchor="middle">(\d+)<', svg)]
    assert steps[0] == 1
    assert steps == sorted(set(steps))
    assert len(steps) <= labels + 1
    xs = [float(each) for each in re.findall(r'cx="([\d.]+)"', svg)]
    assert all(LEFT <= x <= RIGHT for x in xs)
