"""Manners of the HTTP interface: keys, languages, limits, request ids, problem documents."""

import httpx2
import pytest

from service import snapshot
from service.settings import PROJECT_ROOT
from tests.conftest import Keys


async def test_openapi_document_is_the_one_in_the_tree() -> None:
    assert (PROJECT_ROOT / "openapi" / "duijie.json").read_bytes() == snapshot.openapi_bytes(), "run `make openapi`"


@pytest.mark.parametrize(
    ("header", "language"),
    [(None, "en"), ("zh-CN,zh;q=0.9", "zh-CN"), ("en-US", "en"), ("fr", "en"), ("en;q=0.1, zh", "zh-CN")],
)
async def test_language_follows_the_caller(client: httpx2.AsyncClient, header: str | None, language: str) -> None:
    headers = {"Accept-Language": header} if header else {}
    answer = await client.get("/v1/needs", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["Content-Language"] == language
    assert ("密钥" in answer.json()["title"]) == (language == "zh-CN")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("key", ["dj_unknown", "", "x" * 5_000, "密钥"])
async def test_a_wrong_key_is_refused(client: httpx2.AsyncClient, key: str) -> None:
    answer = await client.get("/v1/me", headers={"Authorization": f"Bearer {key}".encode()})
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthenticated"


async def test_a_request_id_is_kept_if_harmless(client: httpx2.AsyncClient) -> None:
    kept = await client.get("/healthz", headers={"X-Request-Id": "abc-123"})
    replaced = await client.get("/healthz", headers={"X-Request-Id": "two words"})
    assert kept.headers["X-Request-Id"] == "abc-123"
    assert len(replaced.headers["X-Request-Id"]) == 32


async def test_a_large_body_is_refused_whether_announced_or_not(client: httpx2.AsyncClient, keys: Keys) -> None:
    big = b'{"title": "' + b"x" * 3_000_000 + b'"}'

    async def chunks():  # type: ignore[no-untyped-def]
        for start in range(0, len(big), 65_536):
            yield big[start : start + 65_536]

    headers = keys.headers("enterprise") | {"Content-Type": "application/json"}
    for content in (big, chunks()):
        answer = await client.post("/v1/needs", content=content, headers=headers)
        assert answer.status_code == 413
        assert answer.json()["code"] == "too_large"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "unreadable"),
        (b"[]", 422, "invalid"),
        (b"", 422, "invalid"),
        (b'"x"', 422, "invalid"),
        (b"\xff\xfe", 400, "unreadable"),
    ],
)
async def test_a_body_that_is_no_object_is_refused(
    client: httpx2.AsyncClient, keys: Keys, body: bytes, status: int, code: str
) -> None:
    headers = keys.headers("enterprise") | {"Content-Type": "application/json"}
    answer = await client.post("/v1/needs", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nowhere", 404), ("DELETE", "/v1/needs", 405), ("GET", "/v1/needs/7", 422)],
)
async def test_every_error_is_a_problem_document(
    client: httpx2.AsyncClient, keys: Keys, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path, headers=keys.headers("broker"))
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


async def test_health_readiness_and_metrics(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    ready = await client.get("/readyz")
    assert ready.status_code == 200, ready.text
    assert ready.json()["jobs_waiting"] == 0
    metrics = (await client.get("/metrics")).text
    assert 'duijie_http_requests_total{method="GET",route="/healthz",status="200"}' in metrics


async def test_nul_bytes_and_lone_surrogates_do_no_harm(client: httpx2.AsyncClient, keys: Keys) -> None:
    headers = keys.headers("enterprise") | {"Content-Type": "application/json"}
    nul = await client.post("/v1/needs", content=b'{"title": "a\\u0000b c"}', headers=headers)
    assert nul.status_code == 201
    assert nul.json()["title"] == "ab c"
    lone = await client.post("/v1/needs", content=b'{"title": "a\\ud800b"}', headers=headers)
    assert lone.status_code == 201
    assert lone.json()["title"] == "ab"
