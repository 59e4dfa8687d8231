"""Who reads what in a case's thread; files by their content; read marks that only move on."""

import io
import zipfile

import httpx2
import pytest

from service.cases.attachments import clean_name, type_of
from service.errors import UnsupportedMedia
from service.resources import Resources
from tests.cases.helpers import YES, Clock, Desk, with_settings

PDF = b"%PDF-1.7\n%test"
WORDS = {
    "shared": {"enterprise", "provider", "broker", "operator", "administrator"},
    "need": {"enterprise", "broker", "operator", "administrator"},
    "outcome": {"provider", "broker", "operator", "administrator"},
    "broker": {"broker", "administrator"},
}
WRITERS = {"shared": "enterprise", "need": "enterprise", "outcome": "provider", "broker": "broker"}


def package(*names: str) -> bytes:
    """A zip file with empty parts of these names."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return made.getvalue()


async def test_each_channel_has_its_readers(desk: Desk) -> None:
    await desk.agree()
    for channel, writer in WRITERS.items():
        await desk.take(writer, "/messages", {"channel": channel, "body": f"word of {channel}"}, 201)
    for role in ("enterprise", "provider", "broker", "operator", "administrator"):
        items = (await desk.ask(role, "GET", "/messages")).json()["items"]
        assert {each["channel"] for each in items} == {name for name, readers in WORDS.items() if role in readers}, role
    for role, status in (("authority", 403), ("stranger", 404), ("other_provider", 404)):
        assert (await desk.ask(role, "GET", "/messages")).status_code == status, role
    refused = (
        ("enterprise", "outcome"),
        ("provider", "need"),
        ("enterprise", "broker"),
        ("authority", "shared"),
        ("operator", "broker"),
    )
    for role, channel in refused:
        assert (await desk.ask(role, "POST", "/messages", {"channel": channel, "body": "x"})).status_code == 403, role


async def test_before_both_consents_each_side_writes_to_the_broker_alone(desk: Desk) -> None:
    await desk.take("enterprise", "/answer", YES)
    shared = {"channel": "shared", "body": "我们是演示公司"}
    for role in ("enterprise", "provider", "broker"):
        assert (await desk.ask(role, "POST", "/messages", shared)).status_code == 409, role
    await desk.take("provider", "/messages", {"channel": "outcome", "body": "先问一句"}, 201)
    assert (await desk.ask("enterprise", "GET", "/messages")).json()["items"] == []
    meeting = {"title": "x", "starts_at": "2026-10-12T14:00:00+08:00", "ends_at": "2026-10-12T15:00:00+08:00"}
    assert (await desk.ask("enterprise", "POST", "/meetings", meeting)).status_code == 409


async def test_read_marks_count_what_is_unread(desk: Desk) -> None:
    await desk.agree()
    for word in ("一", "二", "三"):
        await desk.take("enterprise", "/messages", {"channel": "shared", "body": word}, 201)
    await desk.take("broker", "/messages", {"channel": "broker", "body": "备注"}, 201)
    assert [(await desk.read(role))["unread"] for role in ("enterprise", "provider", "broker")] == [0, 3, 3]
    assert await desk.take("provider", "/read", {"number": 2}) == {"number": 2, "unread": 1}
    assert await desk.take("provider", "/read", {"number": 1}) == {"number": 2, "unread": 1}
    # Nobody reads ahead of what there is.
    assert await desk.take("provider", "/read", {"number": 900}) == {"number": 4, "unread": 0}
    items = (await desk.ask("enterprise", "GET", "/messages?limit=2")).json()
    assert [(each["number"], each["read_by"]) for each in items["items"]] == [(1, ["outcome"]), (2, ["outcome"])]
    rest = (await desk.ask("enterprise", "GET", f"/messages?limit=2&cursor={items['next']}")).json()
    assert [each["number"] for each in rest["items"]] == [3]
    assert rest["next"] is None
    notes = (await desk.ask("broker", "GET", "/messages?channel=broker")).json()["items"]
    assert [each["read_by"] for each in notes] == [[]]


async def send(desk: Desk, role: str, name: str, content: bytes, channel: str = "shared") -> httpx2.Response:
    return await desk.client.post(
        f"/v1/cases/{desk.case_id}/attachments",
        headers=desk.keys.headers(role),
        files={"file": (name, content)},
        data={"channel": channel, "body": "见附件"},
    )


async def test_a_file_is_kept_by_its_content_and_served_to_be_saved(desk: Desk) -> None:
    await desk.agree()
    sent = await send(desk, "provider", "../../方案<1>.exe", PDF)
    assert sent.status_code == 201, sent.text
    file = sent.json()["attachment"]
    assert (file["name"], file["media_type"], file["size"]) == ("方案_1_.exe.pdf", "application/pdf", len(PDF))
    path = f"/attachments/{sent.json()['id']}"
    saved = await desk.ask("enterprise", "GET", path)
    assert saved.content == PDF
    assert saved.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E6%96%B9%E6%A1%88")
    assert saved.headers["x-content-type-options"] == "nosniff"
    private = await send(desk, "provider", "报价.txt", "报价 80 万".encode(), "outcome")
    hidden = f"/attachments/{private.json()['id']}"
    assert (await desk.ask("broker", "GET", hidden)).status_code == 200
    assert (await desk.ask("enterprise", "GET", hidden)).status_code == 404
    assert (await desk.ask("stranger", "GET", hidden)).status_code == 404


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"MZ\x90\x00", 415),
        (b"<html><script>", 415),
        (b"\x00\x01", 415),
        (package("word/vbaProject.bin", "word/document.xml", "[Content_Types].xml"), 415),
    ],
)
async def test_what_is_not_taken_leaves_nothing(desk: Desk, content: bytes, status: int) -> None:
    await desk.agree()
    assert (await send(desk, "provider", "a.pdf", content)).status_code == status
    assert await desk.pool.fetchval("select count(*) from case_message") == 0


async def test_files_are_bounded_singly_and_together(desk: Desk, resources: Resources) -> None:
    with_settings(desk.client, resources, case_attachment_bytes=2_000, case_attachments_bytes=3_000)
    await desk.agree()
    large = await send(desk, "provider", "a.txt", b"a" * 2_001)
    assert (large.status_code, large.json()["errors"][0]["rule"]) == (422, "too_large")
    assert (await send(desk, "provider", "a.txt", b"a" * 2_000, "outcome")).status_code == 201
    # What the other side cannot see counts all the same.
    more = await send(desk, "enterprise", "b.txt", b"b" * 2_000)
    assert (more.status_code, more.json()["errors"][0]["rule"]) == (422, "too_many")


def test_packages_are_told_by_their_parts() -> None:
    types = "[Content_Types].xml"
    assert type_of(package(types, "word/document.xml")).endswith("wordprocessingml.document")
    assert type_of(package(types, "xl/workbook.xml")).endswith("spreadsheetml.sheet")
    for names in ((types,), ("word/document.xml",), (types, "word/document.xml", "xl/workbook.xml"), ("a.exe",)):
        with pytest.raises(UnsupportedMedia):
            type_of(package(*names))
    with pytest.raises(UnsupportedMedia):
        type_of(b"PK\x03\x04 and nothing behind it")


def test_names_are_safe_anywhere() -> None:
    assert clean_name("a" * 300 + ".pdf", "application/pdf") == "a" * 190 + ".pdf"
    # A file system counts bytes, of which these have three each.
    assert clean_name("方" * 300 + ".pdf", "application/pdf") == "方" * 63 + ".pdf"
    for device in ("CON.pdf", "nul", "Lpt1.x.pdf"):
        assert clean_name(device, "application/pdf").startswith("_")
    assert clean_name("console.pdf", "application/pdf") == "console.pdf"
    for unseen in ("\x85", "\u061c", "\u2028", "\u2060", "\U000e0041"):
        assert clean_name(f"a{unseen}b.pdf", "application/pdf") == "a_b.pdf"
    assert clean_name("photo.JPEG", "image/jpeg") == "photo.jpeg"
    # A right-to-left mark that would show the name backwards.
    assert clean_name("invoice\u202efdp.txt", "text/plain") == "invoice_fdp.txt"
    assert clean_name("...", "text/plain") == "attachment.txt"


async def test_a_word_in_turn_keeps_the_clock_of_the_other(desk: Desk, moment: Clock) -> None:
    await desk.agree()
    await desk.take("broker", "/consult")
    for at in ((9, 23), (10, 9), (10, 16)):
        moment.go(moment.at.replace(month=at[0], day=at[1]))
        await desk.take("enterprise", "/messages", {"channel": "shared", "body": "还在等。"}, 201)
    (awaited,) = (await desk.read())["awaiting"]
    # The outcome's side is awaited since the first word, however often the other writes.
    assert (awaited["party"], awaited["since"][:10]) == ("outcome", "2026-09-23")
