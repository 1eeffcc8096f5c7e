"""SVG elements with escaped text and attributes."""

from collections.abc import Sequence
from functools import cache

from markupsafe import Markup, escape


def element(tag: str, *content: str, **attributes: object) -> Markup:
    """Return an element. Underscores in attribute names become hyphens; trailing ones are dropped.

    Text is escaped, but Markup is not escaped again; floats are rounded to a tenth.
    """
    attribute_text = "".join(f' {_attribute(name)}="{_value(value)}"' for name, value in attributes.items())
    content_text = "".join(map(escape, content))
    return Markup(f"<{tag}{attribute_text}>{content_text}</{tag}>")  # nosec B704 # noqa: S704 (each part is escaped above)


@cache
def _attribute(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _value(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else escape(value)


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """Return a line with the class `kind`."""
    return element("line", class_=kind, x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2))


def text(words: str, x: float, y: float, kind: str = "quiet", anchor: str = "middle") -> Markup:
    """Return text with the class `kind`; `anchor` (start, middle or end) is its part at `x`."""
    return element("text", words, class_=kind, x=float(x), y=float(y), text_anchor=anchor)


def rect(kind: str, x: float, y: float, width: float, height: float, **attributes: object) -> Markup:
    """Return a rectangle with the class `kind`."""
    box = {"x": float(x), "y": float(y), "width": float(width), "height": float(height)}
    return element("rect", class_=kind, **box, **attributes)


def circle(kind: str, x: float, y: float, radius: float) -> Markup:
    """Return a circle with the class `kind`."""
    return element("circle", class_=kind, cx=float(x), cy=float(y), r=float(radius))


def link(address: str, words: str, *marks: str) -> Markup:
    """Return marks with a tooltip, linked to `address` unless that is empty.

    Such a link is no stop of the Tab key, because the table below the chart has the same links.
    """
    if not address:
        return element("g", element("title", words), *marks)
    title = element("title", words)
    return element("a", title, *marks, href=address, aria_label=words, tabindex="-1")


def drawing(width: float, height: float, title: str, parts: Sequence[str], marks: Sequence[str]) -> Markup:
    """Return the SVG root element; `title` is its accessible name, and `marks` may contain links."""
    linked = any(mark.startswith("<a ") for mark in marks)
    return element(
        "svg",
        element("g", *parts, aria_hidden="true"),
        *marks,
        class_="chart",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        role="group" if linked else "img",  # nobody can reach a link in an image
        aria_label=title,
    )
