"""Imports: good rows go in, bad rows go to the report, twice changes nothing, an interruption loses nothing."""

import io
import json
import zipfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
import xlsxwriter

from service.errors import ValidationProblem
from service.exchange.columns import ImportKind
from service.exchange.exports import export_path
from service.exchange.faults import UnreadableFile
from service.exchange.runs import BATCH, import_path
from service.kit.actor import SYSTEM
from service.kit.db import Pool
from service.resources import Resources
from service.settings import SEEDS, Settings
from tests.conftest import Keys

DEMO = SEEDS / "demo"
HEADER = "编号,需求名称*,需求内容,重点方向,所在地,合作方式,最低技术成熟度,预算上限,期望解决时间"


async def count(pool: Pool, kind: str = "need") -> int:
    number: int = await pool.fetchval("select count(*) from listing where kind = $1", kind)
    return number


def write(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding=encoding)
    return path


GOOD = "N-1,枸杞快速干燥,鲜果干燥时间长,枸杞,宁夏银川市,联合开发、许可,TRL 6,80万元,2027/6/30"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
async def test_a_table_as_people_keep_it_goes_in(pool: Pool, tmp_path: Path, encoding: str) -> None:
    report = await import_path(pool, SYSTEM, write(tmp_path / "a.csv", GOOD, encoding=encoding), "needs")
    assert (report.created, report.refused, report.notices) == (1, 0, [])
    row = await pool.fetchrow("select * from need")
    assert row is not None
    stored = (
        row["title"],
        row["field"],
        row["region"],
        row["modes"],
        row["maturity"],
        str(row["price_max"]),
        row["state"],
    )
    assert stored == ("枸杞快速干燥", "goji", "640100", ["joint_rd", "license"], 6, "800000.00", "published")


async def test_bad_rows_are_reported_and_good_ones_go_in(pool: Pool, tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        GOOD,
        "N-2,,没有名称,,,,,,",
        "N-3,成熟度不对,,枸杞,640100,,十二级,,",
        "N-4,领域不对,,占星,,,,,",
        "N-1,编号重复,,,,,,,",
        "N-5,金额与日期都不对,,,,,,若干,明年",
    )
    report = await import_path(pool, SYSTEM, path, "needs")
    assert (report.created, report.refused) == (1, 5)
    assert [(p.line, p.column, p.rule) for p in report.problems] == [
        (3, "title", "missing"),
        (4, "maturity_min", "trl"),
        (5, "field", "known_fields"),
        (6, "external_id", "duplicate"),
        (7, "budget_max", "money"),
        (7, "needed_by", "date"),
    ]
    assert await count(pool) == 1
    kept = await pool.fetchval("select count(*) from import_row where run_id = $1", report.run_id)
    assert kept == len(report.problems)


async def test_twice_changes_nothing_and_a_change_is_taken(pool: Pool, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", GOOD, ",没有编号的需求,同一段文字,,,,,,")
    first = await import_path(pool, SYSTEM, path, "needs")
    versions = await pool.fetch("select id, version, updated_at from listing order by id")
    second = await import_path(pool, SYSTEM, path, "needs")
    assert (first.created, second.created, second.unchanged) == (2, 0, 2)
    assert await pool.fetch("select id, version, updated_at from listing order by id") == versions
    write(path, GOOD.replace("鲜果干燥时间长", "鲜果干燥时间太长"), ",没有编号的需求,同一段文字,,,,,,")
    third = await import_path(pool, SYSTEM, path, "needs")
    assert (third.changed, third.unchanged) == (1, 1)


async def test_an_interruption_loses_nothing(pool: Pool, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", *(f"N-{n},需求第{n}号,,,,,,," for n in range(BATCH * 2 + 50)))

    def interrupt(rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await import_path(pool, SYSTEM, path, "needs", on_progress=interrupt)
    assert await count(pool) == BATCH
    assert await pool.fetchval("select state from import_run") == "failed"
    report = await import_path(pool, SYSTEM, path, "needs")
    assert (report.created, report.unchanged) == (BATCH + 50, BATCH)


async def test_a_dry_run_reports_the_same_and_writes_nothing(pool: Pool, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", GOOD, "N-2,,没有名称,,,,,,")
    dry = await import_path(pool, SYSTEM, path, "needs", dry_run=True)
    assert await count(pool) == 0
    real = await import_path(pool, SYSTEM, path, "needs")
    assert (dry.created, dry.refused, dry.problems) == (real.created, real.refused, real.problems)


async def test_drafts_are_brought_forward_by_a_later_run(pool: Pool, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", GOOD)
    await import_path(pool, SYSTEM, path, "needs", state="draft")
    assert await pool.fetchval("select state from need") == "draft"
    later = await import_path(pool, SYSTEM, path, "needs")
    assert later.changed == 1
    assert await pool.fetchval("select state from need") == "published"
    events = await pool.fetch("select action from event where subject_kind = 'need' order by id")
    assert [event["action"] for event in events] == ["create", "submit", "publish"]


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_an_export_imports_back_as_it_was(pool: Pool, tmp_path: Path, form: Any, language: str) -> None:
    for kind in ("organizations", "outcomes", "needs"):
        await import_path(pool, SYSTEM, DEMO / f"{kind}-e.jsonl", kind)
    odd = {
        "external_id": "odd",
        "title": "=1+1 怪标题",
        "description": "'=x\n第二行\t",
        "indicators": ["a；b"],
        "keywords": ["c,d"],
    }
    (tmp_path / "odd.jsonl").write_text(json.dumps(odd))
    await import_path(pool, SYSTEM, tmp_path / "odd.jsonl", "needs")
    for kind in ("organizations", "outcomes", "needs"):
        path = tmp_path / f"{kind}.{form}"
        written = await export_path(pool, SYSTEM, kind, path, language=language)
        report = await import_path(pool, SYSTEM, path, kind)
        assert report.problems == []
        assert (report.unchanged, report.total) == (written, written)


async def test_a_beir_folder_goes_in_by_kind(pool: Pool, tmp_path: Path) -> None:
    row = {
        "_id": "d1",
        "title": "真空干燥",
        "text": "八小时干燥",
        "metadata": {"keywords": ["枸杞"], "discipline": "食品"},
    }
    (tmp_path / "corpus.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "queries.jsonl").write_text(json.dumps({"_id": "q1", "title": "求干燥", "text": ""}) + "\n")
    outcomes = await import_path(pool, SYSTEM, tmp_path, "outcomes")
    needs = await import_path(pool, SYSTEM, tmp_path, "needs")
    assert (outcomes.created, needs.created) == (1, 1)
    assert "metadata.discipline" in outcomes.notices[0].en
    assert await pool.fetchval("select keywords from outcome") == ["枸杞"]


@pytest.mark.parametrize("kind", ["organizations", "needs"])
async def test_a_folder_without_the_file_that_is_meant_is_refused(pool: Pool, tmp_path: Path, kind: ImportKind) -> None:
    (tmp_path / "corpus.jsonl").write_text("{}\n")
    with pytest.raises(UnreadableFile) as refused:
        await import_path(pool, SYSTEM, tmp_path, kind)
    assert refused.value.detail is not None
    assert "BEIR" in refused.value.detail.en


async def test_an_import_has_so_many_rows_and_so_much_company(
    client: httpx2.AsyncClient, keys: Keys, settings: Settings, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"file": ("a.csv", "标题\n甲\n乙\n丙\n".encode())}
    monkeypatch.setattr(settings, "max_import_rows", 2)
    refused = await client.post("/v1/imports?kind=needs", files=files, headers=keys.headers("enterprise"))
    assert (refused.status_code, "At most 2 rows" in refused.json()["detail"]) == (413, True)
    async with AsyncExitStack() as taken:
        while resources.imports.free:
            await taken.enter_async_context(resources.imports.place())
        busy = await client.post("/v1/imports?kind=needs", files=files, headers=keys.headers("enterprise"))
        assert (busy.status_code, busy.headers["Retry-After"]) == (503, "30")
    for role in ("authority", "provider"):
        answer = await client.post("/v1/imports?kind=needs", files=files, headers=keys.headers(role))
        assert answer.status_code == 403, role


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 60_000_000)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"\xff\xfe\x00\xd8", 422),
        (b"%PDF-1.7", 415),
        (b"PK\x03\x04broken", 422),
        (bomb(), 413),
        ("只有一列\n值\n".encode(), 422),
        ("标题,需求名称\na,b\n".encode(), 422),
        (b"PK\x05\x06" + b"\0" * 18, 422),
    ],
)
async def test_what_is_no_table_is_refused_whole(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool, content: bytes, status: int
) -> None:
    answer = await client.post(
        "/v1/imports?kind=needs", files={"file": ("../../etc/passwd.csv", content)}, headers=keys.headers("enterprise")
    )
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert await count(pool) == 0


async def test_upload_report_and_spreadsheet(client: httpx2.AsyncClient, keys: Keys, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", GOOD, "N-2,,没有名称,,,,,,")
    files = {"file": ("需求.csv", path.read_bytes())}
    headers = keys.headers("enterprise") | {"Accept-Language": "zh"}
    answer = await client.post("/v1/imports?kind=needs", files=files, headers=headers)
    assert answer.status_code == 200, answer.text
    report = answer.json()
    assert (report["created"], report["refused"], report["file_name"]) == (1, 1, "需求.csv")
    assert report["problems"][0] | {"value": ""} == {
        "line": 3, "column": "title", "rule": "missing", "message": "必填", "value": "", "external_id": "N-2",
    }  # fmt: skip
    assert (await client.get(f"/v1/imports/{report['id']}", headers=headers)).json()["refused"] == 1
    sheet = await client.get(report["report"], headers=headers)
    assert sheet.content.startswith(b"PK")
    assert (await client.get(f"/v1/imports/{report['id']}", headers=keys.headers("stranger"))).status_code == 404
    published = await client.post("/v1/imports?kind=needs&state=published", files=files, headers=headers)
    assert published.status_code == 403


async def test_nobody_imports_for_others(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    table = "单位,需求名称\norg-stranger,替别人发布\n,替自己发布\n".encode()
    answer = await client.post(
        "/v1/imports?kind=needs", files={"file": ("a.csv", table)}, headers=keys.headers("enterprise")
    )
    assert (answer.json()["created"], answer.json()["refused"]) == (1, 1)
    assert answer.json()["problems"][0]["column"] == "organization"
    outcomes = await client.post(
        "/v1/imports?kind=outcomes", files={"file": ("a.csv", table)}, headers=keys.headers("enterprise")
    )
    assert outcomes.status_code == 403


async def test_the_template_imports_nothing_but_what_is_filled_in(
    client: httpx2.AsyncClient, pool: Pool, tmp_path: Path
) -> None:
    answer = await client.get("/v1/imports/template.xlsx?kind=outcomes")
    path = tmp_path / "t.xlsx"
    path.write_bytes(answer.content)
    report = await import_path(pool, SYSTEM, path, "outcomes")
    assert (report.total, report.notices) == (0, [])


async def test_spreadsheet_numbers_and_dates(pool: Pool, tmp_path: Path) -> None:
    path = tmp_path / "n.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    for place, heading in enumerate(["需求名称", "所在地", "最低技术成熟度", "预算上限", "期望解决时间"]):
        sheet.write(0, place, heading)
    sheet.write(1, 0, "数字与日期")
    sheet.write_number(1, 1, 640100)
    sheet.write_number(1, 2, 6)
    sheet.write_number(1, 3, 1250000.5)
    sheet.write_datetime(
        1, 4, __import__("datetime").datetime(2027, 6, 30), book.add_format({"num_format": "yyyy-mm-dd"})
    )
    book.close()
    report = await import_path(pool, SYSTEM, path, "needs")
    assert report.problems == []
    row = await pool.fetchrow("select region, maturity, price_max::text, needed_by::text from need")
    assert row is not None
    assert tuple(row) == ("640100", 6, "1250000.50", "2027-06-30")


async def test_exports_show_only_what_may_be_seen(client: httpx2.AsyncClient, keys: Keys) -> None:
    need = {"title": "匿名需求", "contact_phone": "0951-0000001", "external_id": "A-1"}
    made = (await client.post("/v1/needs", json=need, headers=keys.headers("enterprise"))).json()
    for action, role in (("submit", "enterprise"), ("publish", "broker")):
        await client.post(f"/v1/needs/{made['id']}/{action}", headers=keys.headers(role))

    async def rows(role: str) -> list[dict[str, Any]]:
        answer = await client.get("/v1/exports?kind=needs&format=jsonl", headers=keys.headers(role))
        return [json.loads(line) for line in answer.text.splitlines()]

    # A text that a cell has no room for is exported in another form.
    long = {"title": "长需求", "indicators": [f"{number} " + "长" * 900 for number in range(40)]}
    assert (await client.post("/v1/needs", json=long, headers=keys.headers("stranger"))).status_code == 201
    refused = await client.get("/v1/exports?kind=needs&format=xlsx", headers=keys.headers("stranger"))
    assert [(each["field"], each["rule"]) for each in refused.json()["errors"]] == [("format", "cell_too_long")]
    (own,) = await rows("enterprise")
    assert own["contact_phone"] == "0951-0000001"
    (seen,) = await rows("provider")
    assert not {"contact_phone", "organization", "external_id"} & set(seen)
    assert (await client.get("/v1/exports?kind=organizations", headers=keys.headers("provider"))).status_code == 403


async def test_an_unknown_organization_for_the_whole_file_is_refused(pool: Pool, tmp_path: Path) -> None:
    with pytest.raises(ValidationProblem) as refused:
        await import_path(pool, SYSTEM, write(tmp_path / "a.csv", GOOD), "needs", organization="nobody")
    assert [(each.field, each.rule) for each in refused.value.problems] == [("organization", "unknown")]
