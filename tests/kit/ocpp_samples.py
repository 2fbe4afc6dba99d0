"""Payloads that a JSON schema of OCPP allows."""

from typing import Any


class Sample:
    """A payload that a schema allows: with everything, or with no more than it must have."""

    def __init__(self, schema: dict[str, Any], *, whole: bool) -> None:
        self._schema, self._whole = schema, whole

    def make(self) -> Any:
        return self._value(self._schema)

    def _value(self, schema: dict[str, Any]) -> Any:
        if reference := schema.get("$ref"):
            return self._value(self._schema["definitions"][reference.rpartition("/")[2]])
        if words := schema.get("enum"):
            return words[-1]
        match schema.get("type"):
            case "object":
                needed = schema.get("required") or ()
                members = (schema.get("properties") or {}).items()
                return {
                    name: self._value(member)
                    for name, member in members
                    if name in needed or (self._whole and name != "customData")
                }
            case "array":
                return [self._value(schema["items"])]
            case "integer":
                return 7
            case "number":
                return 1.5
            case "boolean":
                return False
        return "2026-01-01T12:00:00Z" if schema.get("format") == "date-time" else "Text"[: schema.get("maxLength", 9)]
