"""Files that nobody means well with are refused with a reason, within bounded memory, and the process lives on."""

import csv
import io
import json
import random
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import ServiceError, TooLarge
from service.exchange.archives import check_archive
from service.exchange.faults import UnreadableFile
from service.exchange.readers import FORMULA_STARTS, open_table
from service.exchange.runs import import_path
from service.kit.actor import SYSTEM
from service.kit.db import Pool
from service.settings import PROJECT_ROOT
from tests.conftest import Keys
from tests.exchange import hostile


def test_every_hostile_file_is_refused_within_bounded_memory(tmp_path: Path) -> None:
    """In a child whose address space ends where these files would begin to be a danger."""
    paths = []
    for make, ending, _ in hostile.FILES:
        paths.append(tmp_path / f"{make.__name__}.{ending}")
        make(paths[-1])
    said = subprocess.run(
        [sys.executable, "-m", "tests.exchange.hostile", *map(str, paths)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr[-3000:]
    expected = [f"{make.__name__}.{ending} {code}" for make, ending, code in hostile.FILES]
    assert said.stdout.splitlines() == expected


def test_an_honest_sheet_passes(tmp_path: Path) -> None:
    """Styled cells without a value reach far in many real files, and cost a reader nothing."""
    styled = '<row r="1048576"><c r="XFD1048576" s="1"/></row><row r="1048576"><c r="A2"><v>1</v></c></row>'
    path = hostile.book(tmp_path / "a.xlsx", hostile.rows(styled))
    check_archive(path)
    assert len(list(open_table(path, "needs").rows)) == 1


@pytest.mark.parametrize(
    "cell",
    [
        f'<row r="1"><c r="{"A" * 1_000_000}1"/></row>',
        '<row r="1048577"><c><v>1</v></c></row>',
        '<row r="0"><c><v>1</v></c></row>',
        '<row r="1"><c r="XFE1"><v>1</v></c></row>',
        '<row r="1"><c r="!1"><v>1</v></c></row>',
    ],
    ids=["a name of a million letters", "below the last row", "above the first", "right of the last column", "no name"],
)
def test_a_cell_that_no_sheet_has_is_refused_at_once(tmp_path: Path, cell: str) -> None:
    with pytest.raises(UnreadableFile):
        check_archive(hostile.book(tmp_path / "a.xlsx", hostile.rows(cell)))


@pytest.mark.parametrize(
    ("sheet", "refusal", "said"),
    [
        (hostile.rows("").replace(hostile.TITLE, ""), UnreadableFile, "empty"),
        (hostile.rows("").replace("</row>", "<c><v>1</v></c>" * 201 + "</row>"), TooLarge, "At most 200 columns"),
    ],
)
def test_headings_that_are_none_or_too_many_are_refused(
    tmp_path: Path, sheet: str, refusal: type[ServiceError], said: str
) -> None:
    with pytest.raises(refusal) as refused:
        open_table(hostile.book(tmp_path / "a.xlsx", sheet), "needs")
    assert refused.value.detail is not None
    assert said in refused.value.detail.en


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_refusal_is_told_in_the_callers_language(
    client: httpx2.AsyncClient, keys: Keys, tmp_path: Path, language: str
) -> None:
    hostile.far_corner(tmp_path / "a.xlsx")
    headers = keys.headers("enterprise") | {"Accept-Language": language}
    files = {"file": ("a.xlsx", (tmp_path / "a.xlsx").read_bytes())}
    answer = await client.post("/v1/imports?kind=needs", files=files, headers=headers)
    assert answer.status_code == 413
    assert ("1048576 行" in answer.json()["detail"]) == (language == "zh")
    assert ("row 1048576" in answer.json()["detail"]) == (language == "en")


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("a.xlsx", b"title\nx\n", 415),
        ("a.csv", None, 415),
        ("a.txt", b"title\nx\n", 200),
        ("a.jsonl", b'{"title": "x"}\n', 200),
        ("noname", b"title\nx\n", 200),
    ],
)
async def test_a_name_that_says_another_type_is_refused(
    client: httpx2.AsyncClient, keys: Keys, tmp_path: Path, name: str, content: bytes | None, status: int
) -> None:
    sheet = hostile.book(tmp_path / "s.xlsx", hostile.rows("")).read_bytes()
    files = {"file": (name, content or sheet)}
    answer = await client.post("/v1/imports?kind=needs", files=files, headers=keys.headers("enterprise"))
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("..\\..\\windows\\system.csv", "system.csv"),
        ("/absolute/a.csv", "a.csv"),
        ("a\u202egnp.csv", "agnp.csv"),
        ("x" * 300 + ".csv", "x" * 200),
        ("..", ".."),
    ],
)
async def test_a_name_is_a_label_and_no_path(client: httpx2.AsyncClient, keys: Keys, sent: str, kept: str) -> None:
    files = {"file": (sent, b"title\nx\n")}
    answer = await client.post("/v1/imports?kind=needs", files=files, headers=keys.headers("enterprise"))
    assert answer.json()["file_name"] == kept


DEEP: Any = "x"
for _ in range(900):
    DEEP = {"a": DEEP}


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"title": DEEP}, "no_object"),
        ({"title": "x", "keywords": [DEEP]}, "nested"),
        ({"title": "x", "keywords": [["a"]]}, "nested"),
        ({"title": ["x"]}, "no_list"),
        ({"title": "x", "标题": "y"}, "twice"),
        ({"title": "x", "field": "no\u0000field"}, "known_fields"),
        ({"title": "x", "description": "长" * 40_001}, "cell_too_long"),
        ({f"c{n}": n for n in range(201)}, "unreadable_row"),
    ],
)
async def test_a_strange_row_is_reported_and_the_others_go_in(
    pool: Pool, tmp_path: Path, row: dict[str, Any], rule: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(row) + '\n{"title": "good"}\n', encoding="utf-8")
    report = await import_path(pool, SYSTEM, path, "needs")
    assert (report.created, report.refused) == (1, 1)
    assert rule in [problem.rule for problem in report.problems]
    kept = await pool.fetch("select rule from import_row where run_id = $1", report.run_id)
    assert rule in [problem["rule"] for problem in kept]


async def test_too_deep_a_line_is_no_json(pool: Pool, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"title": ' + "[" * 100_000 + "]" * 100_000 + "}\n")
    report = await import_path(pool, SYSTEM, path, "needs")
    assert [problem.rule for problem in report.problems] == ["unreadable_row"]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_no_export_begins_a_formula(client: httpx2.AsyncClient, keys: Keys, tmp_path: Path, form: str) -> None:
    for number, start in enumerate((*FORMULA_STARTS, " =", "'=", "' =")):
        body = {"title": f"题{number}", "description": f"{start}cmd|' /C calc'!A0", "external_id": f"f-{number}"}
        made = await client.post("/v1/needs", json=body, headers=keys.headers("enterprise"))
        assert made.status_code == 201, made.text
    exported = await client.get(f"/v1/exports?kind=needs&format={form}", headers=keys.headers("enterprise"))
    path = tmp_path / f"a.{form}"
    path.write_bytes(exported.content)
    if form == "csv":
        cells = [cell for row in csv.reader(exported.text.lstrip("\ufeff").splitlines(keepends=True)) for cell in row]
        assert [cell for cell in cells if cell.lstrip(" ").startswith(FORMULA_STARTS)] == []
    else:
        with zipfile.ZipFile(path) as archive:
            sheets = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/")]
        assert not any(b"<f>" in sheet or b"<f " in sheet for sheet in sheets)


PARTS = (
    "xl/worksheets/sheet1.xml",
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "_rels/.rels",
    "[Content_Types].xml",
)
BYTES = b'0123456789ABZaz<>"&/ =\x00\xff'


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, cut out or repeated."""
    made = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(made) or 1)
        match chance.randrange(3):
            case 0 if made:
                made[place] = chance.choice(BYTES)
            case 1:
                del made[place : place + chance.randint(1, 20)]
            case _:
                made[place:place] = made[chance.randrange(len(made) or 1) :][:40]
    return bytes(made)


def refusal_of(path: Path) -> int | None:
    """The status with which a file is refused; None where it is read to its end."""
    try:
        list(open_table(path, "needs").rows)
    except ServiceError as error:
        return error.status
    return None


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_workbook_is_read_or_refused(tmp_path: Path, seed: int) -> None:
    """Whatever is wrong with the archive or the XML within: rows, or a refusal with a reason, and nothing else."""
    chance = random.Random(seed)
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>x{n}</t></is></c></row>' for n in range(2, 30))
    whole = hostile.book(tmp_path / "whole.xlsx", hostile.rows(cells)).read_bytes()
    parts = {}
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    path, refused = tmp_path / "a.xlsx", 0
    for _ in range(150):
        if chance.random() < 0.4:
            path.write_bytes(damaged(whole, chance))
        else:
            wrong = chance.choice(PARTS)
            with zipfile.ZipFile(path, "w") as archive:
                for name, content in parts.items():
                    archive.writestr(name, damaged(content, chance) if name == wrong else content)
        refused += refusal_of(path) is not None
    assert 0 < refused < 150


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        path.write_bytes(content)
        assert refusal_of(path) in (None, 413, 415, 422)


@given(st.text(alphabet="a,;\t\"\r\n'=+{}[] é需", max_size=200))
def test_any_text_is_read_or_refused(content: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        path.write_text(content, encoding="utf-8", newline="")
        assert refusal_of(path) in (None, 413, 415, 422)
