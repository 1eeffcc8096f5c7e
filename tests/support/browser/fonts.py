"""Fonts that the layout is tested in."""

import pytest

# DejaVu is some 12 % wider than Liberation: what holds for both holds for the fonts of other systems.
FONTS = {
    "wide": {"--sans": "DejaVu Sans", "--serif": "DejaVu Serif"},
    "narrow": {"--sans": "Liberation Sans", "--serif": "Liberation Serif"},
}
in_every_font = pytest.mark.parametrize("font", FONTS, indirect=True)
SET_IN = """(properties) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`:root { ${properties} }`);
    document.adoptedStyleSheets.push(sheet);
}"""
INSTALLED = """(family) => {
    const pen = document.createElement("canvas").getContext("2d");
    const width = (font) => {
        pen.font = `72px ${font}`;
        return pen.measureText("mmmmmwwwwwlli").width;
    };
    return ["monospace", "serif", "sans-serif"].some(
        (fallback) => width(`"${family}", ${fallback}`) !== width(fallback));
}"""
