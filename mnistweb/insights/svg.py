"""SVG, escaped as it is written."""

from collections.abc import Sequence
from functools import cache

from markupsafe import Markup, escape


def element(tag: str, *content: str, **attributes: object) -> Markup:
    """An element with its content. An underscore in an attribute's name stands for a hyphen, or for nothing.

    Text is escaped, elements are not once more; lengths are rounded to a tenth.
    """
    words = "".join(f' {_attribute(name)}="{_value(value)}"' for name, value in attributes.items())
    inside = "".join(map(escape, content))
    return Markup(f"<{tag}{words}>{inside}</{tag}>")  # nosec B704 # noqa: S704 (each part is escaped above)


@cache
def _attribute(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _value(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else escape(value)


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """A line of the class `kind`."""
    return element("line", class_=kind, x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2))


def text(words: str, x: float, y: float, kind: str = "quiet", anchor: str = "middle") -> Markup:
    """Words of the class `kind` whose start, middle or end is at `x`."""
    return element("text", words, class_=kind, x=float(x), y=float(y), text_anchor=anchor)


def rect(kind: str, x: float, y: float, width: float, height: float, **attributes: object) -> Markup:
    """A rectangle of the class `kind`."""
    box = {"x": float(x), "y": float(y), "width": float(width), "height": float(height)}
    return element("rect", class_=kind, **box, **attributes)


def circle(kind: str, x: float, y: float, radius: float) -> Markup:
    """A circle of the class `kind`."""
    return element("circle", class_=kind, cx=float(x), cy=float(y), r=float(radius))


def drawing(width: float, height: float, title: str, parts: Sequence[str]) -> Markup:
    """The whole, which screen readers call `title`."""
    return element(
        "svg",
        *parts,
        class_="chart",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        role="img",
        aria_label=title,
    )
