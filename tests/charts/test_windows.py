"""SVG charts that compare the latest days with a reference window."""

import re

from mnistweb.charts.plots import BOTTOM, LEFT, RIGHT, TOP, evenly_spaced
from mnistweb.charts.windows import bin_chart, day_chart
from mnistweb.proportion import Proportion


def days(*shares: tuple[int, int]) -> str:
    names = [f"day {number}" for number in range(len(shares))]
    columns = evenly_spaced(names, [Proportion(*share) for share in shares], ["/history"] * len(names))
    return day_chart(columns, 3, Proportion(30, 300), "Title")


def heights(svg: str) -> list[float]:
    return [float(each) for each in re.findall(r'<circle class="dot" [^>]*cy="([\d.]+)"', svg)]


def test_days_without_drawings_have_no_dot() -> None:
    svg = days((10, 100), (0, 0), (10, 100), (30, 100))
    assert len(heights(svg)) == 3
    assert heights(svg)[0] == heights(svg)[1] > heights(svg)[2]
    assert "day 3: 30.0 % of 100" in svg


def test_line_is_at_the_share_of_the_reference() -> None:
    svg = days((10, 100), (10, 100), (10, 100), (30, 100))
    (line,) = re.findall(r'class="diagonal" x1="50.0" y1="([\d.]+)"', svg)
    assert float(line) == heights(svg)[0]
    (border,) = re.findall(r'class="border" x1="([\d.]+)"', svg)
    assert float(border) == LEFT + (RIGHT - LEFT) * 3 / 4


def test_intervals_stay_within_the_axis() -> None:
    svg = days((0, 1), (1, 50), (1, 50), (2, 50))
    ends = [
        float(each)
        for pair in re.findall(r'class="reach" [^>]*y1="([\d.]+)" [^>]*y2="([\d.]+)"', svg)
        for each in pair
    ]
    assert TOP <= min(ends) <= max(ends) <= BOTTOM


def test_bins_have_two_bars_of_their_shares() -> None:
    svg = bin_chart(["low", "high"], ["0 %", "50 %"], [30, 10], [5, 5], "Title")
    bars = re.findall(r'class="bar" [^>]*height="([\d.]+)" data-kind="(\w+)"', svg)
    assert [kind for _, kind in bars] == ["open", "right", "open", "right"]
    before, latest = float(bars[0][0]), float(bars[1][0])
    assert round(latest / before, 2) == round(0.5 / 0.75, 2)
    assert "low: 50.0 % of the latest, 75.0 % before" in svg
