"""OpenAPI of the OCPI endpoints: drf-spectacular finds the views, the wire model says what they take and give.

A view describes its methods by `Message`s; paths, parameters, headers and envelope are the same for all.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent

from ocpi.types.scalars import Wire
from ocpi.v221.common import TokenType

Schema = dict[str, Any]

_REF = "#/components/schemas/{name}"
_NAMED = re.compile(r"\(\?P<(\w+)>[^()]*(?:\([^()]*\)[^()]*)*\)")
_IDS = ("X-Request-ID", "X-Correlation-ID")
_ROUTING = ("OCPI-to-country-code", "OCPI-to-party-id", "OCPI-from-country-code", "OCPI-from-party-id")
_PAGE: tuple[tuple[str, Schema], ...] = (
    ("date_from", {"type": "string", "format": "date-time"}),
    ("date_to", {"type": "string", "format": "date-time"}),
    ("offset", {"type": "integer", "minimum": 0}),
    ("limit", {"type": "integer", "minimum": 1}),
)
TOKEN_TYPE: tuple[str, Schema] = ("type", {"type": "string", "enum": [str(kind) for kind in TokenType]})


@dataclass(frozen=True, slots=True)
class Message:
    """What a method takes and gives: a wire type, a tuple of alternatives, `list[…]` of one; None: nothing is said.

    `partial` bodies need `last_updated` only (PATCH), `optional` ones may be left out. `query` are parameters of its
    own.
    """

    body: Any = None
    data: Any = None
    partial: bool = False
    query: tuple[tuple[str, Schema], ...] = ()
    optional: bool = False


def templates(regex: str) -> list[str]:
    """The path templates of a URL pattern: one for each depth of its optional tail."""
    text = _NAMED.sub(r"{\1}", regex.removeprefix("^").removesuffix("$").removesuffix("/?")).replace("\\", "")
    head, *optional = text.split("(?:")
    paths = [head]
    for part in optional:
        paths.append(paths[-1] + part.rstrip(")?"))
    return paths


def expand(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """drf-spectacular's preprocessing hook: every depth of a pattern is a path of its own."""
    found = []
    for path, regex, method, callback in endpoints:
        ours = regex.removeprefix("ocpi/")
        paths = [path] if ours == regex else [f"/ocpi/{template}" for template in templates(ours)]
        found += [(path, regex, method, callback) for path in paths]
    return found


class OcpiSchema(AutoSchema):
    """The operation of an OCPI view's method."""

    view: Any

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> Schema:
        message = self.view.message(method.lower(), path)
        found: Schema = {
            "operationId": re.sub(r"\W+", "_", f"{method.lower()} {path.removeprefix('/ocpi/')}").strip("_"),
            "tags": [str(getattr(self.view, "module", self.view.tag))],
            "summary": (self.view.__class__.__doc__ or "").strip().partition("\n")[0],
            "parameters": list(self._parameters(path, method, message)),
            "security": [{"credentialsToken": []}],
            "responses": {"200": self._answer(message.data, registry)},
        }
        if message.body is not None:
            schema = _on_wire(message.body, registry, partial=message.partial)
            content = {"application/json": {"schema": schema}}
            found["requestBody"] = {"content": content, "required": not message.optional}
        return found

    def _parameters(self, path: str, method: str, message: Message) -> Iterator[Schema]:
        for name in re.findall(r"{(\w+)}", path):
            yield {"in": "path", "name": name, "required": True, "schema": {"type": "string"}}
        for name, schema in (*message.query, *(_PAGE if _is_list(message.data) and "{" not in path else ())):
            yield {"in": "query", "name": name, "schema": schema}
        for name in (*_IDS, *(_ROUTING if self.view.is_routed else ())):
            yield {"in": "header", "name": name, "schema": {"type": "string"}}

    def _answer(self, data: Any, registry: ComponentRegistry) -> Schema:
        members: Schema = {
            "status_code": {"type": "integer", "minimum": 1000, "maximum": 4999},
            "status_message": {"type": "string"},
            "timestamp": {"type": "string", "format": "date-time"},
        }
        if data is not None:
            members = {"data": _on_wire(data, registry), **members}
        schema = {"type": "object", "properties": members, "required": ["status_code", "timestamp"]}
        answer: Schema = {"description": "The envelope", "content": {"application/json": {"schema": schema}}}
        if _is_list(data):
            names = ("Link", "X-Total-Count", "X-Limit")
            answer["headers"] = {name: {"schema": {"type": "string"}} for name in names}
        return answer


def _is_list(data: Any) -> bool:
    return getattr(data, "__origin__", None) is list


def _on_wire(kind: Any, registry: ComponentRegistry, *, partial: bool = False) -> Schema:
    """The schema of a type or of alternatives; the objects in it become components."""
    if isinstance(kind, tuple):
        return {"oneOf": [_on_wire(alternative, registry) for alternative in kind]}
    (schema,), components = msgspec.json.schema_components([kind], ref_template=_REF)
    new: Any = ResolvedComponent
    for name, component in components.items():
        registry.register_on_missing(new(name, ResolvedComponent.SCHEMA, object=name, schema=_numbers(component)))
    if partial and isinstance(kind, type) and issubclass(kind, Wire):
        return {
            **_numbers(components[kind.__name__]),
            "required": ["last_updated"],
            "title": f"{kind.__name__} (PATCH)",
        }
    return cast(Schema, _numbers(schema))


def _numbers(schema: Any) -> Any:
    """The same, with exact decimals as what they are on the wire: numbers."""
    if isinstance(schema, dict):
        if schema.get("format") == "decimal":
            return {**{name: value for name, value in schema.items() if name != "format"}, "type": "number"}
        return {name: _numbers(value) for name, value in schema.items()}
    return [_numbers(item) for item in schema] if isinstance(schema, list) else schema
