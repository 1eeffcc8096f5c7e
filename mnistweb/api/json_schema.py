"""JSON Schemas and samples from type hints: TypedDicts and dataclasses with annotated fields.

A hint `Annotated[float, {"minimum": 0}, "In seconds."]` adds keywords and a description to the schema of
`float`. A function among the annotations returns keywords that only a running application knows.
"""

from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import StrEnum
from inspect import getdoc, isfunction
from types import NoneType, UnionType
from typing import Annotated, Any, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

Schema = dict[str, Any]
PREFIX = "#/components/schemas/"
TYPES: dict[Any, str] = {
    bool: "boolean",
    bytes: "string",
    dict: "object",
    float: "number",
    int: "integer",
    str: "string",
}


@dataclass(slots=True)
class Components:
    """The named schemas of a description, by name."""

    schemas: dict[str, Schema] = field(default_factory=dict)

    def schema(self, hint: Any, *, closed: bool) -> Schema:
        """Return the schema of a type hint; a class becomes a reference to a component.

        `closed` forbids properties that are not declared. Raises TypeError for a hint without a schema.
        """
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Annotated:
            schema = self.schema(arguments[0], closed=closed)
            for note in arguments[1:]:
                schema = schema | _keywords(note)
            return schema
        if origin is NotRequired:
            return self.schema(arguments[0], closed=closed)
        if origin in (Union, UnionType):
            (value,) = (each for each in arguments if each is not NoneType)
            return _or_null(self.schema(value, closed=closed))
        if origin is list:
            return {"type": "array", "items": self.schema(arguments[0], closed=closed)}
        if hint in TYPES:
            return {"type": TYPES[hint]}
        if issubclass(hint, StrEnum):
            return {"type": "string", "enum": [str(value) for value in hint]}
        return self._reference(hint, closed)

    def sample(self, schema: Schema) -> Any:
        """Return an instance of the schema, from its examples. Raises KeyError for a value without one."""
        if "$ref" in schema:
            return self.sample(self.schemas[schema["$ref"].removeprefix(PREFIX)])
        if "examples" in schema:
            return schema["examples"][0]
        if "properties" in schema:
            return {name: self.sample(schema["properties"][name]) for name in schema["required"]}
        if "items" in schema:
            return [self.sample(schema["items"])]
        if schema.get("type") == "object":
            return {}
        raise KeyError(f"no examples in {schema}")

    def _reference(self, hint: Any, closed: bool) -> Schema:
        if not (is_typeddict(hint) or is_dataclass(hint)):
            raise TypeError(f"{hint} has no schema")
        name: str = hint.__name__
        if name not in self.schemas:
            schema = self.schemas[name] = {"type": "object", "description": getdoc(hint)}
            schema["properties"] = {
                key: self.schema(value, closed=closed)
                for key, value in get_type_hints(hint, include_extras=True).items()
            }
            schema["required"] = _required(hint)
            if closed:
                schema["additionalProperties"] = False
        return {"$ref": PREFIX + name}


def _keywords(note: object) -> Schema:
    if isinstance(note, str):
        return {"description": note}
    found: object = note() if isfunction(note) else note
    return found if isinstance(found, dict) else {}


def _or_null(schema: Schema) -> Schema:
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    values = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return schema | {"type": [schema["type"], "null"]} | values


def _required(hint: Any) -> list[str]:
    if is_dataclass(hint):
        return [each.name for each in fields(hint) if each.default is MISSING]
    return [key for key in hint.__annotations__ if key in hint.__required_keys__]
