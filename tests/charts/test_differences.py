"""SVG charts of differences."""

import re

from mnistweb.charts.differences import Interval, difference_rows, points


def test_points_have_a_sign() -> None:
    assert [points(value) for value in (0.0123, -0.004, 0.00001)] == ["+1.23", "\N{MINUS SIGN}0.40", "0.00"]


def test_rows_are_beside_zero_by_their_sign() -> None:
    better, worse = Interval(0.004, 0.001, 0.007), Interval(-0.002, -0.9, 0.9)
    picture = difference_rows({"Better": better, "Worse": worse}, 0.005, "Differences")
    right, left = (float(place) for place in re.findall(r'class="dot" cx="([\d.]+)"', picture))
    [zero] = {float(x) for x in re.findall(r'class="zero" x1="([\d.]+)"', picture)}
    assert left < zero < right
    assert "Better: +0.40 (+0.10 to +0.70)" in picture
    assert max(float(place) for place in re.findall(r'x[12]="([\d.]+)"', picture)) <= 360


def test_chart_without_a_row_is_empty() -> None:
    assert 'class="dot"' not in difference_rows({}, 0.01, "Differences")
