"""Files attached to messages: what they are by their content and not by their name, and names that can be saved anywhere.

Few types are taken, so that each can be told by its first bytes or its parts; none of them runs in a browser, and they are
served to be saved, never shown. Whether a file is harmful to the program that opens it is not looked into.
"""

import io
import re
import unicodedata
import zipfile
from pathlib import PurePosixPath
from urllib.parse import quote

from service.errors import FieldProblem, UnsupportedMedia, ValidationProblem
from service.kit.language import Text

OFFICE = "application/vnd.openxmlformats-officedocument."
# Extensions that a type may carry, the first one for names without.
EXTENSIONS: dict[str, tuple[str, ...]] = {
    "application/pdf": (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    f"{OFFICE}wordprocessingml.document": (".docx",),
    f"{OFFICE}spreadsheetml.sheet": (".xlsx",),
    f"{OFFICE}presentationml.presentation": (".pptx",),
    "text/plain": (".txt", ".csv", ".md"),
}
# ISO 32000, PNG (ISO/IEC 15948) and JPEG (ISO/IEC 10918-5) begin with these.
SIGNATURES = ((b"%PDF-", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))
# The main part of an Office Open XML package (ISO/IEC 29500) says what it is.
PARTS = {
    "word/document.xml": f"{OFFICE}wordprocessingml.document",
    "xl/workbook.xml": f"{OFFICE}spreadsheetml.sheet",
    "ppt/presentation.xml": f"{OFFICE}presentationml.presentation",
}
MOST_PARTS = 10_000
# Bytes of UTF-8 without the extension: most file systems take 255 for the whole, a Chinese character has three.
LONGEST_NAME = 190
# What systems refuse in a name, and what is not seen: controls, marks of direction, joiners, separators, tags.
_UNSAFE = re.compile(
    r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*%\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]'
)
# Windows opens a device by these, whatever follows the point.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
TAKEN = Text(
    "支持 PDF、PNG、JPEG、DOCX、XLSX、PPTX（不含宏）和 UTF-8 文本；以文件内容为准，与扩展名无关",
    "PDF, PNG, JPEG, DOCX, XLSX, PPTX without macros and UTF-8 text are taken, told by what they hold and not by their name",
)


def type_of(content: bytes) -> str:
    """The media type of a file's content.

    >>> type_of(b"%PDF-1.7 ..."), type_of("含水率≤13%".encode())
    ('application/pdf', 'text/plain')

    Raises:
        UnsupportedMedia: it is none of those that are taken.
    """
    for signature, media_type in SIGNATURES:
        if content.startswith(signature):
            return media_type
    if content.startswith(b"PK\x03\x04"):
        return _package_type(content)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise UnsupportedMedia(TAKEN) from None
    # What a browser might take for a page is no plain text here.
    if _CONTROL.search(text) or text.lstrip("\ufeff \t\r\n").startswith("<"):
        raise UnsupportedMedia(TAKEN)
    return "text/plain"


def _package_type(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            names = set(package.namelist()) if len(package.infolist()) <= MOST_PARTS else set()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError):
        raise UnsupportedMedia(TAKEN) from None
    found = [media_type for part, media_type in PARTS.items() if part in names]
    macros = any(name.lower().endswith("vbaproject.bin") for name in names)
    if len(found) != 1 or macros or "[Content_Types].xml" not in names:
        raise UnsupportedMedia(TAKEN)
    return found[0]


def clean_name(name: str | None, media_type: str) -> str:
    r"""A name that no system refuses and no terminal is misled by, with an extension of the file's type.

    >>> clean_name("..\\..\\方案 (终稿).PDF", "application/pdf")
    '方案 (终稿).pdf'
    >>> clean_name("invoice.exe", "application/pdf"), clean_name(None, "image/png"), clean_name("CON.txt", "text/plain")
    ('invoice.exe.pdf', 'attachment.png', '_CON.txt')
    """
    normal = unicodedata.normalize("NFC", name or "").encode("utf-8", "ignore").decode()
    base = _UNSAFE.sub("_", PurePosixPath(normal.replace("\\", "/")).name).strip(" .")
    stem, dot, last = base.rpartition(".")
    extension = f"{dot}{last}".lower()
    allowed = EXTENSIONS[media_type]
    if not (stem and extension in allowed):
        stem, extension = base, allowed[0]
    stem = stem.encode()[:LONGEST_NAME].decode("utf-8", "ignore").strip(" .") or "attachment"
    return ("_" if _DEVICE.match(stem) else "") + stem + extension


def disposition(name: str) -> str:
    """The Content-Disposition that lets a file be saved under its name (RFC 6266; the name as of RFC 8187).

    >>> disposition("方案.pdf")
    "attachment; filename*=UTF-8''%E6%96%B9%E6%A1%88.pdf"
    """
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def check_size(size: int, stored: int, largest: int, together: int) -> None:
    """That a file of so many bytes fits, by itself and with those of its case.

    Raises:
        ValidationProblem: it is empty, too large, or one too many.
    """
    if size == 0:
        raise ValidationProblem([FieldProblem("file", "empty", Text("文件为空", "The file is empty"))])
    if size > largest:
        text = Text(f"文件不得超过 {largest} 字节", f"A file may have at most {largest} bytes")
        raise ValidationProblem([FieldProblem("file", "too_large", text)])
    if stored + size > together:
        text = Text(
            f"该对接的附件合计不得超过 {together} 字节，已有 {stored} 字节",
            f"The files of a case may have {together} bytes together, and have {stored} already",
        )
        raise ValidationProblem([FieldProblem("file", "too_many", text)])
