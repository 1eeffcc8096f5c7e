"""Fonts that the layout is tested in."""

import pytest

# DejaVu is some 12 % wider than Liberation: what holds for both holds for the fonts of other systems.
FONTS = {
    "wide": {"--sans": "DejaVu Sans", "--serif": "DejaVu Serif"},
    "narrow": {"--sans": "Liberation Sans", "--serif": "Liberation Serif"},
}
in_every_font = pytest.mark.parametrize("font", FONTS, indirect=True)
