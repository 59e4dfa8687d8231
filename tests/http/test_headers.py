"""Headers of every answer: what browsers may do with it, whose pages may ask, what a refusal of any layer carries."""

import re
from collections.abc import AsyncIterator

import httpx2
import pytest

from service.app import create_app
from service.kit.security_headers import page_policy
from service.resources import Resources
from service.settings import Settings
from tests.conftest import Keys

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PAGE = "https://market.example"


def check(answer: httpx2.Response) -> None:
    """What no answer may lack."""
    for name, value in ALWAYS.items():
        assert answer.headers[name] == value, (answer.url, name)
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in answer.headers
    assert "Server" not in answer.headers


async def test_every_route_and_refusal_carries_them(client: httpx2.AsyncClient, keys: Keys, settings: Settings) -> None:
    """Every route of the OpenAPI document, without a key and with one, with nothing that it could take."""
    asked = 0
    for path, item in create_app(settings).openapi()["paths"].items():
        address = re.sub(r"\{action\}", "submit", path)
        address = re.sub(r"\{\w+\}", "00000000-0000-0000-0000-000000000000", address)
        for method in item:
            for headers in ({}, keys.headers("administrator")):
                answer = await client.request(method.upper(), address, headers=headers)
                assert answer.status_code < 500, (method, path, answer.text)
                check(answer)
                assert answer.headers["X-Request-Id"]
                asked += 1
    assert asked > 60
    for address in ("/nowhere", "/docs", "/openapi.json", "/static-offline-docs/swagger-ui.css", "/healthz"):
        check(await client.get(address))
    check(await client.post("/v1/needs", content=b"x" * 3_000_000, headers=keys.headers("enterprise")))


async def test_a_failure_nobody_foresaw_has_the_manners_of_all_others(settings: Settings, resources: Resources) -> None:
    app = create_app(settings.model_copy(update={"cors_origins": PAGE}))
    app.state.resources = resources

    @app.get("/broken")
    async def fails() -> None:
        raise RuntimeError("quotes a secret")

    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://duijie.test") as client:
        answer = await client.get("/broken", headers={"Origin": PAGE})
    check(answer)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-Id"] == answer.json()["request_id"]
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert "secret" not in answer.text


async def test_over_https_browsers_are_told_to_stay_there(settings: Settings, resources: Resources) -> None:
    app = create_app(settings)
    app.state.resources = resources
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="https://duijie.test") as client:
        answer = await client.get("/healthz")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000")


async def test_data_is_no_page_and_the_page_runs_its_own_script_only(client: httpx2.AsyncClient) -> None:
    data = await client.get("/healthz")
    assert data.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    page = await client.get("/docs")
    assert page.status_code == 200
    policy = page.headers["Content-Security-Policy"]
    scripts = re.findall(rb"<script>(.*?)</script>", page.content, re.DOTALL)
    assert len(scripts) == 1
    assert policy == page_policy(page.content, inline_styles=True)
    assert policy.count("'sha256-") == 1
    script_source = policy.partition("script-src ")[2].partition(";")[0]
    assert "unsafe" not in script_source
    assert "'sha256-" not in page_policy()
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert address.startswith("/"), "everything comes from the service itself"
        assert (await client.get(address)).status_code == 200


@pytest.fixture
async def open_to_a_page(settings: Settings, resources: Resources) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(settings.model_copy(update={"cors_origins": f"{PAGE}, http://localhost:5173"}))
    app.state.resources = resources
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://duijie.test") as made:
        yield made


async def test_named_pages_may_call_and_others_not(open_to_a_page: httpx2.AsyncClient, keys: Keys) -> None:
    asks = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization,if-match"}
    allowed = await open_to_a_page.options("/v1/needs", headers={"Origin": PAGE} | asks)
    check(allowed)
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == PAGE
    refused = await open_to_a_page.options("/v1/needs", headers={"Origin": "https://evil.example"} | asks)
    assert refused.status_code == 400
    assert "Access-Control-Allow-Origin" not in refused.headers
    answer = await open_to_a_page.get("/v1/me", headers=keys.headers("broker") | {"Origin": PAGE})
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert "Access-Control-Allow-Credentials" not in answer.headers
    for name in ("ETag", "Location", "RateLimit", "Retry-After", "Idempotency-Replayed", "X-Request-Id"):
        assert name in answer.headers["Access-Control-Expose-Headers"]
    large = await open_to_a_page.post("/v1/needs", content=b"x" * 3_000_000, headers={"Origin": PAGE})
    assert (large.status_code, large.headers["Access-Control-Allow-Origin"]) == (413, PAGE)


async def test_by_default_no_page_may_call(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/healthz", headers={"Origin": PAGE})
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("origins", ["*", "market.example", "https://market.example/", "https://a.example/x", "null"])
def test_what_is_no_origin_is_refused_at_start(origins: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        Settings(cors_origins=origins)
