"""Files that nobody means well with, each a few kilobytes, and a child process that opens one with little memory."""

import random
import resource
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from service.errors import ServiceError
from service.exchange.readers import open_table

HEAD = '<?xml version="1.0"?>'
SHEET = 'worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TITLE = '<row r="1"><c r="A1" t="inlineStr"><is><t>title</t></is></c></row>'
# What a child may have besides what Python and the libraries take: far less than what the files unpack to.
MEMORY = 700 * 1024 * 1024


def book(path: Path, sheet: str, *, shared: str | None = None, target: str = "worksheets/sheet1.xml") -> Path:
    """A workbook of one sheet as it stands in the archive."""
    relation = f'<Relationship Id="r1" Type="{OFFICE}/'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", f'{HEAD}<Types xmlns="{PACKAGE}/content-types"/>')
        for name, kind, of in (
            ("_rels/.rels", "officeDocument", "xl/workbook.xml"),
            ("xl/_rels/workbook.xml.rels", "worksheet", target),
        ):
            relations = f'{relation}{kind}" Target="{of}"/>'
            archive.writestr(name, f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{relations}</Relationships>')
        named = f'<sheet name="a" sheetId="1" xmlns:r="{OFFICE}" r:id="r1"/>'
        main = SHEET.partition(" ")[2]
        archive.writestr("xl/workbook.xml", f"{HEAD}<workbook {main}><sheets>{named}</sheets></workbook>")
        archive.writestr(f"xl/{target}", sheet)
        if shared is not None:
            archive.writestr("xl/sharedStrings.xml", shared)
    return path


def rows(content: str, before: str = "") -> str:
    """A sheet of the title row and more."""
    return f"{HEAD}{before}<{SHEET}><sheetData>{TITLE}{content}</sheetData></worksheet>"


def zip_bomb(path: Path) -> None:
    """Gigabytes of one letter: 4 members of 300 MB each."""
    with zipfile.ZipFile(book(path, rows("")), "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for number in range(2):
            with archive.open(f"xl/media/{number}.xml", "w", force_zip64=True) as out:
                for _ in range(100):
                    out.write(b"a" * 1_000_000)


def dense(path: Path) -> None:
    """Less than would be too much by itself, out of nearly nothing."""
    with zipfile.ZipFile(book(path, rows("")), "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("xl/media/image1.bin", b"a" * 50_000_000)


def bulky(path: Path) -> None:
    """Too much by itself, in an archive that is large enough for it."""
    with zipfile.ZipFile(book(path, rows("")), "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("xl/media/image1.bin", random.Random(0).randbytes(1_000_000))
        archive.writestr("xl/media/image2.bin", b"a" * 140_000_000)


def protected(path: Path) -> None:
    """A workbook whose members say that they are encrypted."""
    raw = bytearray(book(path, rows("")).read_bytes())
    for signature, flags in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        place = raw.find(signature)
        while place >= 0:
            raw[place + flags] |= 1
            place = raw.find(signature, place + 1)
    path.write_bytes(raw)


def other_archive(path: Path) -> None:
    """An archive of something else."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "x")


def lying_sizes(path: Path) -> None:
    """A member whose table of contents says 10 bytes, and that unpacks to 100 MB."""
    book(path, rows("<!--" + "a" * 100_000_000 + "-->"))
    raw = bytearray(path.read_bytes())
    real = (100_000_000 + len(rows("<!---->"))).to_bytes(4, "little")
    assert raw.count(real) == 2
    path.write_bytes(bytes(raw).replace(real, (10).to_bytes(4, "little")))


def far_corner(path: Path) -> None:
    """One value in the last cell there is: the grid up to it has 17 thousand million cells."""
    book(path, rows('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'))


def far_corner_without_references(path: Path) -> None:
    """The same far row, its cells counted and not named."""
    book(path, rows('<row r="1048570">' + "<c><v>1</v></c>" * 300 + "</row>"))


def repeated_string(path: Path) -> None:
    """One shared string of a megabyte, used two thousand times."""
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(2, 2002))
    book(path, rows(cells), shared=f"{HEAD}<sst><si><t>{'a' * 1_000_000}</t></si></sst>")


def entities(path: Path) -> None:
    """A thousand million laughs: ten entities, each ten of the one before."""
    declared = '<!ENTITY e0 "laugh">' + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    book(path, rows('<row r="2"><c r="A2" t="inlineStr"><is><t>&e9;</t></is></c></row>', f"<!DOCTYPE w [{declared}]>"))


def external_entity(path: Path) -> None:
    """A file of the machine, to be read into a cell."""
    cell = '<row r="2"><c r="A2" t="inlineStr"><is><t>&file;</t></is></c></row>'
    book(path, rows(cell, '<!DOCTYPE w [<!ENTITY file SYSTEM "file:///etc/passwd">]>'))


def hidden_sheet(path: Path) -> None:
    """A sheet under a name that no check would read."""
    book(path, rows('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'), target="media/image1.png")


def twin_members(path: Path) -> None:
    """Two members of one name: which one is read depends on who reads."""
    book(path, rows(""))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("XL/worksheets/sheet1.xml", rows("<row/>"))


def many_members(path: Path) -> None:
    """More members than any workbook has."""
    with zipfile.ZipFile(book(path, rows("")), "a") as archive:
        for number in range(2_001):
            archive.writestr(f"x/{number}", "")


def broken_xml(path: Path) -> None:
    """A sheet that ends within a cell."""
    book(path, rows("")[:-30])


def million_columns(path: Path) -> None:
    """A heading row of a million cells."""
    path.write_text("title" + ",a" * 1_000_000 + "\n")


def wide_headings(path: Path) -> None:
    """A few more headings than a table may have."""
    path.write_text("title" + ",a" * 300 + "\n")


def wide_later(path: Path) -> None:
    """A row far wider than its headings; the file is refused at its size, or the row by itself."""
    path.write_text("title\n" + "a," * 3_000_000 + "\n")


def open_quote(path: Path) -> None:
    """A quote that is never closed: all that follows would be one cell."""
    path.write_text('title\n"' + "a,\n" * 3_000_000)


def giant_line(path: Path) -> None:
    """One JSON line of millions of lists."""
    path.write_text('{"title": "a", "keywords": [' + "[]," * 5_000_000 + "[]]}\n")


def nul_bytes(path: Path) -> None:
    """A program under the name of a table."""
    path.write_bytes(b"title\nMZ\x90\x00\x03\x00\x00\x00\n")


def nul_text(path: Path) -> None:
    """NUL bytes in what would else be a text."""
    path.write_bytes(b"title\na\x00b\n")


def utf16(path: Path) -> None:
    """A table in an encoding that is not read."""
    path.write_bytes("title\n需求\n".encode("utf-16"))


# Each with its ending, and the code of the refusal.
FILES: tuple[tuple[Callable[[Path], None], str, str], ...] = (
    (zip_bomb, "xlsx", "too_large"),
    (dense, "xlsx", "too_large"),
    (bulky, "xlsx", "too_large"),
    (protected, "xlsx", "unsupported_media"),
    (other_archive, "xlsx", "unsupported_media"),
    (lying_sizes, "xlsx", "unreadable_file"),
    (far_corner, "xlsx", "too_large"),
    (far_corner_without_references, "xlsx", "too_large"),
    (repeated_string, "xlsx", "too_large"),
    (entities, "xlsx", "unreadable_file"),
    (external_entity, "xlsx", "unreadable_file"),
    (hidden_sheet, "xlsx", "unreadable_file"),
    (twin_members, "xlsx", "unreadable_file"),
    (many_members, "xlsx", "too_large"),
    (broken_xml, "xlsx", "unreadable_file"),
    (million_columns, "csv", "too_large"),
    (wide_headings, "csv", "too_large"),
    (wide_later, "csv", "too_large"),
    (open_quote, "csv", "unreadable_file"),
    (giant_line, "jsonl", "too_large"),
    (nul_bytes, "csv", "unreadable_file"),
    (nul_text, "csv", "unreadable_file"),
    (utf16, "csv", "unreadable_file"),
)


def told(path: Path) -> str:
    """Read a file to its end: the code of the refusal, or the number of rows."""
    try:
        return str(sum(1 for _ in open_table(path, "needs").rows))
    except ServiceError as error:
        return error.code if error.detail else "no reason given"


if __name__ == "__main__":
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    for name in sys.argv[1:]:
        print(Path(name).name, told(Path(name)))
