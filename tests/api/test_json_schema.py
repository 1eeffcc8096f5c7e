from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, NotRequired, TypedDict

import pytest

from mnistweb.api.json_schema import Components


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Size(TypedDict):
    """A size."""

    width: Annotated[int, {"examples": [5]}]
    unit: NotRequired[str]


class Box(Size):
    """A box."""

    lid: Annotated[Size | None, "On top."]
    colours: list[Colour]


@dataclass
class Order:
    """An order."""

    boxes: list[Box]
    note: str = ""


def names() -> dict[str, Any]:
    return {"enum": ["a", None]}


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (bool, {"type": "boolean"}),
        (str | None, {"type": ["string", "null"]}),
        (list[float], {"type": "array", "items": {"type": "number"}}),
        (Colour, {"type": "string", "enum": ["red", "blue"]}),
        (Colour | None, {"type": ["string", "null"], "enum": ["red", "blue", None]}),
        (
            Annotated[int, {"minimum": 0}, "Seconds."],
            {"type": "integer", "minimum": 0, "description": "Seconds."},
        ),
        (Annotated[str | None, names], {"type": ["string", "null"], "enum": ["a", None]}),
        (Annotated[int, 5, {"minimum": 0}], {"type": "integer", "minimum": 0}),
    ],
)
def test_hint_becomes_schema(hint: Any, schema: dict[str, Any]) -> None:
    assert Components().schema(hint, closed=True) == schema


def test_class_becomes_component_with_its_inherited_fields() -> None:
    components = Components()
    assert components.schema(Box, closed=True) == {"$ref": "#/components/schemas/Box"}
    box = components.schemas["Box"]
    assert box["description"] == "A box."
    assert box["required"] == ["width", "lid", "colours"]
    assert box["properties"]["unit"] == {"type": "string"}
    assert box["properties"]["lid"] == {
        "anyOf": [{"$ref": "#/components/schemas/Size"}, {"type": "null"}],
        "description": "On top.",
    }
    assert list(components.schemas) == ["Box", "Size"]


def test_only_closed_component_forbids_other_properties() -> None:
    components = Components()
    components.schema(Order, closed=False)
    components.schema(Size, closed=True)
    assert components.schemas["Order"]["required"] == ["boxes"]
    assert "additionalProperties" not in components.schemas["Order"]
    closed = Components()
    closed.schema(Size, closed=True)
    assert closed.schemas["Size"]["additionalProperties"] is False


@pytest.mark.parametrize("hint", [complex, set[int], object])
def test_hint_without_schema_is_refused(hint: Any) -> None:
    with pytest.raises(TypeError, match="has no schema"):
        Components().schema(hint, closed=True)


def test_sample_has_examples_of_required_fields() -> None:
    components = Components()
    assert components.sample(components.schema(list[Size], closed=True)) == [{"width": 5}]


def test_sample_needs_examples() -> None:
    components = Components()
    with pytest.raises(KeyError, match="no examples"):
        components.sample(components.schema(Box, closed=True))
