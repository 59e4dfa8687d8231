"""The page of the API's documentation, with a policy that lets its own scripts run and no others."""

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse

from service.kit.security_headers import page_policy

PATH = "/docs"
STATIC = "/static-offline-docs"


def add_docs_page(app: FastAPI) -> None:
    """Serve the page; its scripts come from the service itself, since many readers reach no delivery network."""

    @app.get(PATH, include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        page = get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=app.title,
            swagger_js_url=f"{root}{STATIC}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{STATIC}/swagger-ui.css",
            swagger_favicon_url=f"{root}{STATIC}/favicon.png",
        )
        # The one script in the page is the library's call with the settings above; styles it sets while it draws.
        page.headers["Content-Security-Policy"] = page_policy(bytes(page.body), inline_styles=True)
        return page
