"""The OpenAPI document as a file."""

from pathlib import Path

import orjson

from service.app import create_app, openapi_document
from service.settings import Settings


def openapi_bytes() -> bytes:
    """The document, indented, keys in the order of the code."""
    return orjson.dumps(
        openapi_document(create_app(Settings())), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    )


def write_openapi(path: Path) -> None:
    """Write the document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(openapi_bytes())
