"""The OpenAPI document: complete, of the wire model, and readable without the internet."""

import inspect
import re
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from ocpi import v221
from ocpi.api.schema import templates
from ocpi.modules import mount
from ocpi.types.scalars import Wire
from tests.kit.urls import mounted


@pytest.fixture(scope="module")
def document() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)


def test_every_mounted_url_is_documented(document: Any) -> None:
    patterns = [re.compile(re.sub(r"\\?{\w+\\?}", "[^/]+", re.escape(path)) + "/?") for path in document["paths"]]
    missing = [url for url in mounted() if not any(pattern.fullmatch(url) for pattern in patterns)]
    assert missing == []


def test_every_method_of_every_view_is_documented(document: Any) -> None:
    for pattern in mount.urlpatterns:
        methods = {name for name in pattern.callback.cls.http_method_names if hasattr(pattern.callback.cls, name)}
        for path in templates(pattern.pattern.regex.pattern):
            assert methods - {"head", "options"} <= document["paths"][f"/ocpi/{path}"].keys(), path


def test_every_operation_has_an_id_of_its_own(document: Any) -> None:
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))


def test_every_answer_is_an_envelope(document: Any) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path.startswith("/ocpi/"):
                schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
                assert {"status_code", "timestamp"} <= schema["properties"].keys(), path


def test_amounts_are_numbers_not_strings(document: Any) -> None:
    """R1.15"""
    kwh = document["components"]["schemas"]["Cdr"]["properties"]["total_energy"]
    assert kwh["type"] == "number"
    latitude = document["components"]["schemas"]["GeoLocation"]["properties"]["latitude"]
    assert latitude["type"] == "string" and latitude["maxLength"] == 10
    assert "decimal" not in str(document["components"])


def test_alternatives_are_all_named(document: Any) -> None:
    """R9.13: a command's body depends on which it is."""
    body = document["paths"]["/ocpi/2.2.1/receiver/commands/{command}"]["post"]["requestBody"]
    names = {one["$ref"].rpartition("/")[2] for one in body["content"]["application/json"]["schema"]["oneOf"]}
    assert names == {"StartSession", "StopSession", "ReserveNow", "CancelReservation", "UnlockConnector"}


def test_a_patch_needs_last_updated_only(document: Any) -> None:
    """R6.3"""
    path = "/ocpi/2.2.1/receiver/locations/{country_code}/{party_id}/{location_id}"
    body = document["paths"][path]["patch"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["last_updated"]


def test_only_the_place_of_an_authorization_may_be_left_out(document: Any) -> None:
    """R9.12"""
    bodies = {
        path: operation["requestBody"]["required"]
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if path.startswith("/ocpi/") and "requestBody" in operation
    }
    assert [path for path, required in bodies.items() if not required] == [
        "/ocpi/2.2.1/sender/tokens/{object_id}/authorize"
    ]


def test_only_functional_modules_have_routing_headers(document: Any) -> None:
    """R7.2"""
    for path, operations in document["paths"].items():
        for operation in operations.values():
            headers = {given["name"] for given in operation.get("parameters", ()) if given["in"] == "header"}
            functional = "/sender/" in path or "/receiver/" in path
            if path.startswith("/ocpi/") and "hubclientinfo" not in path:
                assert ("OCPI-to-party-id" in headers) is functional, path
                assert "X-Request-ID" in headers


def test_no_two_objects_of_the_wire_model_share_a_name() -> None:
    """They are the names of the components."""
    found: dict[str, type] = {}
    for module in inspect.getmembers(v221, inspect.ismodule):
        for name, kind in inspect.getmembers(module[1], inspect.isclass):
            if issubclass(kind, Wire):
                assert found.setdefault(name, kind) is kind


def test_the_documentation_is_served_from_this_node(db: None) -> None:
    page = Client().get("/api/docs")
    assert page.status_code == 200
    assert re.findall(rb"(?:src|href)=\"(https?:[^\"]+)", page.content) == []
    assert Client().get("/api/schema").status_code == 200
