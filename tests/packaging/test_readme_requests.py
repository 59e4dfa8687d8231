"""The calls of the first page and of the tour, against the API that the code declares."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from service.app import create_app, openapi_document
from service.settings import Settings
from tests.packaging.markdown import ROOT, Markdown

# `ask` is curl with a key; both documents define it.
CALL = re.compile(r"""\bask \$[A-Z]+ (?:'[^']*'|"(?:\\.|[^"\\])*"|\\\n|[^\n'"\\|)])*""")
DOCUMENTED = {
    "/v1/needs",
    "/v1/needs/$NEED/submit",
    "/v1/needs/$NEED/publish",
    "/v1/needs/$NEED/matches",
    "/v1/recommendations/$PAIR/decisions",
    "/v1/cases",
    "/v1/cases/$CASE/answer",
    "/v1/match",
}


@dataclass(frozen=True)
class Request:
    """A request as documented. Variables of the shell stand for one part of the path each; a body with some is not read."""

    method: str
    path: str
    body: str | None = None


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    """The API as the code declares it."""
    return openapi_document(create_app(Settings()))


def requests_of(document: Markdown) -> list[Request]:
    """The calls of a document, as curl understands them: a body makes a POST."""
    found = []
    for call in (call for block in document.shell for call in CALL.findall(block)):
        path = re.search(r"\$API(/[^\s\"?]*)", call)
        assert path, f"no path under $API: {call}"
        body = re.search(r"-d '([^']*)'", call)
        method = re.search(r"-X ([A-Z]+)", call)
        verb = method[1] if method else "POST" if re.search(r" -d ['\"@]", call) else "GET"
        found.append(Request(verb, f"/v1{path[1]}", body[1] if body else None))
    return found


def operation_of(request: Request, openapi: dict[str, Any]) -> dict[str, Any] | None:
    """The operation that a request reaches; a path without parameters goes before one with them."""
    parts = request.path.split("/")
    for path in sorted(openapi["paths"], key=lambda path: path.count("{")):
        operation = openapi["paths"][path].get(request.method.lower())
        if operation is not None and _fits(parts, path.split("/"), operation, openapi):
            return dict(operation)
    return None


def _fits(parts: list[str], template: list[str], operation: dict[str, Any], openapi: dict[str, Any]) -> bool:
    """Whether each part is the template's own, or a value that the template's parameter takes (an action, say)."""
    if len(parts) != len(template):
        return False
    declared = [each for each in operation.get("parameters", []) if each["in"] == "path"]
    schemas = {f"{{{each['name']}}}": each["schema"] for each in declared}
    return all(
        part == name or (name in schemas and (part.startswith("$") or not _problems(part, schemas[name], openapi)))
        for part, name in zip(parts, template, strict=True)
    )


def _problems(instance: object, schema: dict[str, Any], openapi: dict[str, Any]) -> list[str]:
    validator = Draft202012Validator({**schema, "components": openapi["components"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(instance)]


def test_the_first_page_walks_the_chain(readme: Markdown) -> None:
    assert {request.path for request in requests_of(readme)} == DOCUMENTED


def test_requests_reach_an_endpoint(document: Markdown, openapi: dict[str, Any]) -> None:
    assert [request for request in requests_of(document) if operation_of(request, openapi) is None] == []


def test_every_call_of_the_tour_is_read() -> None:
    tour = Markdown(ROOT / "docs" / "tour.md")
    assert len(requests_of(tour)) == sum(block.count("ask $") for block in tour.shell)


def test_bodies_are_taken(document: Markdown, openapi: dict[str, Any]) -> None:
    for request in (request for request in requests_of(document) if request.body is not None):
        operation = operation_of(request, openapi)
        assert operation is not None
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert _problems(json.loads(request.body or ""), schema, openapi) == [], request.path


@pytest.mark.parametrize("path", ["/v1/needs/$NEED/publsh", "/v1/need", "/v1/needs/$NEED/publish/now"])
def test_wrong_paths_are_found(path: str, openapi: dict[str, Any]) -> None:
    assert operation_of(Request("POST", path), openapi) is None


def test_endpoints_that_documents_name_exist(document: Markdown, openapi: dict[str, Any]) -> None:
    named = re.findall(r"`(GET|POST|PUT|DELETE) (/v1/[^`?]*)[^`]*`", document.prose)
    requests = [Request(method, re.sub(r"\{\w+\}", "$X", path)) for method, path in named]
    assert [request for request in requests if operation_of(request, openapi) is None] == []
