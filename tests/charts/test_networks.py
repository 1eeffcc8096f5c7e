"""Pictures of networks."""

import re

import pytest

from mnistweb.charts.networks import kernel_diagram, layer_box


@pytest.mark.parametrize(("small", "large"), [((1, 7, 7), (1, 28, 28)), ((9, 64), (49, 64))])
def test_larger_maps_have_higher_boxes(small: tuple[int, ...], large: tuple[int, ...]) -> None:
    def height(shape: tuple[int, ...]) -> float:
        return float(re.findall(r'height="([\d.]+)rem"', layer_box(shape))[0])

    assert height((11,)) < height(small) < height(large)


def test_area_of_a_square_is_its_weight() -> None:
    svg = kernel_diagram([[1.0, -0.25], [0.0, 0.01]])
    [filled] = re.findall(r'class="kernel-filled" d="([^"]*)"', svg)
    [hollow] = re.findall(r'class="kernel-hollow" d="([^"]*)"', svg)
    assert filled == "M0.5 0.5h9.0v9.0h-9.0z"
    assert hollow == "M12.8 2.8h4.5v4.5h-4.5z"
