"""SVG charts of the insights."""

import re
from collections.abc import Sequence

import pytest

from mnistweb.insights import charts
from mnistweb.insights.svg import element, text
from mnistweb.proportion import Proportion

HALF = Proportion(500, 1000)


def spaced(names: Sequence[str], proportions: Sequence[Proportion]) -> list[charts.Column]:
    return charts.evenly_spaced(names, proportions, [""] * len(names))


def coordinates(svg: str, pattern: str) -> list[float]:
    return [float(each) for each in re.findall(pattern, svg)]


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0"), (999, "999"), (1000, "1.0k"), (1234, "1.2k"), (9949, "9.9k"), (9950, "10k"), (12_999, "13k"),
     (999_499, "999k"), (999_500, "1.0M"), (1_200_000, "1.2M"), (45_000_000, "45M")],
)  # fmt: skip
def test_counts_are_compact(count: int, shown: str) -> None:
    assert charts.compact(count) == shown


@pytest.mark.parametrize(
    ("shares", "bound"),
    [
        ([], 0),
        ([(0, 0)], 0),
        ([(1, 1)], 0),
        ([(60, 100)], 0.5),
        ([(9900, 10_000)], 0.9),
        ([(9900, 10_000), (70, 100)], 0.5),
        ([(850, 1000), (0, 0)], 0.8),
    ],
)
def test_axis_starts_below_every_interval(shares: list[tuple[int, int]], bound: float) -> None:
    assert charts.axis_start(Proportion(*share) for share in shares) == bound


def test_dot_height_is_proportional() -> None:
    columns = spaced("abc", [Proportion(0, 10), Proportion(0, 0), Proportion(10, 10)])
    svg = charts.proportion_chart(columns, "title", joined=True)
    assert coordinates(svg, r'cy="([\d.]+)"') == [charts.BOTTOM, charts.TOP]
    assert "joint" not in svg  # the gap between them is not bridged
    joined = charts.proportion_chart(spaced("ab", [HALF, HALF]), "title", joined=True)
    assert joined.count("joint") == 1


def test_interval_is_drawn_to_scale() -> None:
    low, high = Proportion(3, 4).interval
    svg = charts.proportion_chart(spaced("a", [Proportion(3, 4)]), "title")
    [(y1, y2)] = re.findall(r'class="reach" x1="[\d.]+" y1="([\d.]+)" x2="[\d.]+" y2="([\d.]+)"', svg)
    scale = charts.BOTTOM - charts.TOP
    assert float(y1) == pytest.approx(charts.BOTTOM - scale * low, abs=0.1)
    assert float(y2) == pytest.approx(charts.BOTTOM - scale * high, abs=0.1)


def test_only_some_of_many_columns_have_ticks() -> None:
    columns = spaced([str(each) for each in range(60)], [HALF] * 60)
    named = [column.tick for column in columns if column.tick]
    assert 3 <= len(named) <= 5
    every = charts.evenly_spaced("0123456789x", [HALF] * 11, [""] * 11, max_ticks=11)
    assert [column.tick for column in every] == list("0123456789x")
    [other] = charts.evenly_spaced("a", [HALF], [""], ticks="b")
    assert (other.name, other.tick) == ("a", "b")


def test_all_elements_are_within_the_svg() -> None:
    names = ["Nov 2026"] * 60
    svg = charts.proportion_chart(spaced(names, [Proportion(1, 1)] * 60), "title", joined=True)
    assert all(0 <= x <= charts.WIDTH for x in coordinates(svg, r'\b(?:x|x1|x2|cx)="([-\d.]+)"'))
    assert all(0 <= y <= 230 for y in coordinates(svg, r'\b(?:y|y1|y2|cy)="([-\d.]+)"'))


def test_cells_are_shaded_by_their_share_of_the_row() -> None:
    names = {0: "0", 1: "1"}
    counts = {0: {0: 95, 1: 5}, 1: {0: 0, 1: 0}}
    svg = charts.confusion_matrix(counts, names, lambda label, digit: f"/{label}{digit}", "title")
    assert sorted(re.findall(r'data-kind="(\w+)" data-shade="(\d)"', svg)) == [
        ("right", "0"), ("right", "4"), ("wrong", "0"), ("wrong", "1"),
    ]  # fmt: skip
    assert re.findall(r'<a href="([^"]+)" aria-label="([^"]+)"', svg) == [
        ("/00", "0 read as 0: 95"),
        ("/01", "0 read as 1: 5"),
    ]
    assert re.findall(r'class="count"[^>]*>(\d+)<', svg) == ["95", "5"]


def test_long_names_are_shortened_but_complete_in_the_tooltip() -> None:
    name = "a network with a name of many words"
    svg = charts.proportion_rows({name: HALF, "new": Proportion(0, 0)}, ["", ""], "title")
    assert f"<title>{name}: 500 of 1,000, 50.0 %</title>" in svg
    assert re.findall(r'class="name"[^>]*>([^<]*)<', svg) == [f"{name[:31]}…", "new"]
    assert "not rated yet" in svg


def test_chart_with_links_is_no_image() -> None:
    # Nobody could reach a link within an image.
    plain = charts.proportion_chart(spaced("a", [HALF]), "title")
    assert 'role="img"' in plain
    assert "<a" not in plain
    linked = charts.proportion_chart(charts.evenly_spaced("a", [HALF], ["/there?a=1&b=2"]), "title")
    assert 'role="group" aria-label="title"' in linked
    assert '<a href="/there?a=1&amp;b=2" aria-label="a: 500 of 1,000, 50.0 %" tabindex="-1">' in linked


def test_text_is_escaped_once() -> None:
    inner = text("<&>", 1, 2)
    assert "&lt;&amp;&gt;" in inner
    assert element("g", inner, "<", class_='"') == f'<g class="&#34;">{inner}&lt;</g>'
