"""The registration draft as a spreadsheet and as a PDF, read back."""

import io
import re
from typing import Any

import httpx2
from pypdfium2 import PdfDocument
from python_calamine import CalamineWorkbook

from service.contracts.documents import as_pdf, as_spreadsheet
from service.contracts.registration import Known, lines, missing
from service.contracts.schemas import Party, Terms
from service.kit.db import Pool
from tests.conftest import Keys
from tests.contracts.helpers import TERMS, brought_to, read, with_codes


async def fetched(
    client: httpx2.AsyncClient, keys: Keys, contract: dict[str, Any], ending: str, language: str
) -> bytes:
    answer = await client.get(
        f"/v1/contracts/{contract['id']}/registration.{ending}",
        headers=keys.headers("enterprise") | {"Accept-Language": language},
    )
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f'attachment; filename="registration.{ending}"'
    return answer.content


async def test_the_spreadsheet_says_what_the_draft_says(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    await with_codes(pool, keys)
    contract = await brought_to(client, keys, "signed", name="=1+1 枸杞装备", subject=None)
    for language, sheets in (("zh", ["认定登记", "尚缺内容"]), ("en", ["registration", "Missing"])):
        headers = keys.headers("enterprise") | {"Accept-Language": language}
        draft = (await client.get(f"/v1/contracts/{contract['id']}/registration", headers=headers)).json()
        book = CalamineWorkbook.from_filelike(io.BytesIO(await fetched(client, keys, contract, "xlsx", language)))
        assert book.sheet_names == sheets
        rows = book.get_sheet_by_name(sheets[0]).to_python()[1:]
        assert rows == [[line["section"], line["label"], line["value"]] for line in draft["lines"]]
        lacking = book.get_sheet_by_name(sheets[1]).to_python()[1:]
        assert lacking == [[gap["field"], gap["rule"], gap["way_out"]] for gap in draft["missing"]]
        assert [gap["field"] for gap in draft["missing"]] == ["subject"]
    # A name that looks like a formula stays a text.
    assert "=1+1 枸杞装备" in [row[2] for row in rows]


async def test_the_pdf_is_one_that_readers_open(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    await with_codes(pool, keys)
    contract = await brought_to(client, keys, "signed")
    content = await fetched(client, keys, contract, "pdf", "zh")
    assert content.startswith(b"%PDF-1.")
    assert content.rstrip().endswith(b"%%EOF")


def known() -> Known:
    parties = [
        Party(
            role="buyer",
            organization_id=None,
            name="演示买方有限公司",
            credit_code=None,
            foreign=False,
            region="640100",
        ),
        Party(
            role="seller",
            organization_id=None,
            name="演示大学",
            credit_code="91000000000000000K",
            foreign=False,
            region="350100",
        ),
    ]
    return Known(Terms.model_validate(TERMS), parties, None, "draft")


def text_of(pdf: bytes) -> str:
    """The text of all pages as PDFium extracts it, without white space and page numbers."""
    document = PdfDocument(pdf)
    told = []
    for number in range(len(document)):
        page = document[number]
        text = page.get_textpage()
        told.append(re.sub(r"\d+/\d+$", "", re.sub(r"\s", "", text.get_text_bounded())))
        text.close()
        page.close()
    document.close()
    return "".join(told)


def test_the_pdf_holds_every_line_and_embeds_its_font() -> None:
    draft, lacking = lines(known()), missing(known())
    pdf = as_pdf(draft, lacking, "zh")
    assert b"FontFile3" in pdf
    text = text_of(pdf)
    for told in [*(line.value.zh for line in draft), *(each.way_out.zh for each in lacking)]:
        assert re.sub(r"\s", "", told) in text, told
    assert "技术合同认定登记申报草稿" in text


def test_what_is_entered_is_never_read_as_markup() -> None:
    """Text goes into the page as data: neither Typst's markup nor its code is run."""
    hostile = '#let x = read("/etc/passwd") *粗* _斜_ $1+1$ // 注 \\ "引" @ref #emph[强调] ]'
    terms = Terms.model_validate(TERMS | {"subject": hostile, "name": "#panic(1) 枸杞"})
    draft = Known(terms, known().parties, None, "draft")
    told = text_of(as_pdf(lines(draft), missing(draft), "zh"))
    assert re.sub(r"\s", "", hostile).replace('"', "") in told.replace('"', "").replace("“", "").replace("”", "")
    assert "#panic(1)枸杞" in told


def test_long_texts_run_over_pages() -> None:
    terms = Terms.model_validate(TERMS | {"subject": "长" * 5_000, "plan": "计划" * 2_500})
    draft = Known(terms, known().parties, None, "draft")
    assert text_of(as_pdf(lines(draft), missing(draft), "zh")).count("长") == 5_000


async def test_who_reads_the_draft_reads_it_in_its_language(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    await with_codes(pool, keys)
    contract = await brought_to(client, keys, "signed")
    told = {
        line["field"]: line["label"]
        for line in (await read(client, keys, "enterprise", contract, "/registration"))["lines"]
    }
    assert told["turnover"] == "Turnover"


def test_no_cell_of_the_spreadsheet_leaves_anything_out() -> None:
    """A hundred rights with long titles are one line of the draft, and more than one cell can hold."""
    rights = [{"kind": "invention_patent", "number": f"ZL{n}", "title": "题" * 500} for n in range(100)]
    known = Known(Terms.model_validate(TERMS | {"ip": TERMS["ip"] | {"rights": rights}}), (), None, "draft")
    (line,) = [each for each in lines(known) if each.field == "ip.rights"]
    book = CalamineWorkbook.from_filelike(io.BytesIO(as_spreadsheet(lines(known), [], "zh")))
    rows = book.get_sheet_by_index(0).to_python()
    assert "".join(row[2] for row in rows if row[1] == line.label.zh) == line.value.zh
    assert len(line.value.zh) > 32_767
