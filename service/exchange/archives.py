"""Whether a spreadsheet may be opened, said before the library that reads it allocates anything.

An .xlsx file is a ZIP archive of XML (ECMA-376). What can be wrong with it on purpose: it unpacks to gigabytes; one
cell at the far corner makes a reader allocate the whole grid up to it, which ends the process and not just the import;
a million cells repeat one long shared string; a document type declares entities that multiply (CWE-409, CWE-776).
Everything here is read as a stream, in pieces, and stops at the first bound that is passed.
"""

import struct
import zipfile
import zlib
from array import array
from pathlib import Path
from typing import IO
from xml.parsers import expat

from service.errors import TooLarge, UnsupportedMedia
from service.exchange.faults import UnreadableFile
from service.kit.language import Text

MOST_UNPACKED = 128 * 1024 * 1024
MOST_RATIO = 200
# Below this size a good ratio is no sign of anything: empty styles compress well.
SMALL_ARCHIVE = 50_000
MOST_MEMBERS = 2_000
# Cells of the rectangle that holds the sheet's values; a reader takes 32 bytes for each, empty ones included.
MOST_AREA = 4_000_000
# Characters of all cells together, each shared string as often as it is used.
MOST_TEXT = 64 * 1024 * 1024
PIECE = 1 << 16
SHARED = "xl/sharedstrings.xml"
MOST_ROW, MOST_COLUMN = 1_048_576, 16_384

NO_SPREADSHEET = Text(
    "不是 XLSX 表格；只支持 CSV、XLSX 和 JSON Lines", "Not an XLSX spreadsheet; CSV, XLSX and JSON Lines are read"
)
DAMAGED = Text("压缩结构已损坏，请重新另存为 XLSX", "The archive is damaged: save it as XLSX again")
BAD_XML = Text("表格内部的 XML 无效，请重新另存为 XLSX", "The XML within is not well-formed: save it as XLSX again")
TOO_LARGE = Text("表格解压后过大，请拆分后再导入", "The spreadsheet unpacks to more than is taken: split it")
DECLARES = Text(
    "表格内部含有文档类型声明，不予读取", "The XML within declares a document type, which no spreadsheet needs"
)


def check_archive(path: Path) -> None:
    """Let a spreadsheet pass whose members, grid and texts are within bounds.

    Raises:
        UnreadableFile, UnsupportedMedia, TooLarge: why it is refused.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = _checked_members(archive, path.stat().st_size)
            lengths = _string_lengths(archive, members)
            for name, member in members.items():
                if name.endswith((".xml", ".rels")) and name != SHARED:
                    with archive.open(member) as stream:
                        _Part(name, lengths).read(stream)
    except (zipfile.BadZipFile, zlib.error, struct.error, OSError, RuntimeError, EOFError, ValueError) as error:
        raise UnreadableFile(DAMAGED) from error


def _checked_members(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """The archive's members by folded name, if its own table of contents is believable.

    What it says of sizes holds: reading stops at the size that it gives, and the checksum tells whether that was all.
    """
    found = archive.infolist()
    unpacked = sum(member.file_size for member in found)
    if len(found) > MOST_MEMBERS or unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * max(size, SMALL_ARCHIVE):
        raise TooLarge(TOO_LARGE)
    members = {member.filename.replace("\\", "/").lower(): member for member in found}
    # Of two members with one name each reader takes another one, so that what was checked is not what is read.
    if len(members) != len(found):
        raise UnreadableFile(DAMAGED)
    if any(member.flag_bits & 0x1 for member in found):
        text = Text("表格有密码保护，请去除密码后再导入", "The spreadsheet is protected by a password: save it without")
        raise UnsupportedMedia(text)
    if "xl/workbook.xml" not in members:
        raise UnsupportedMedia(NO_SPREADSHEET)
    return members


def _string_lengths(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> "array[int]":
    """Characters of each shared string, by its number."""
    if SHARED not in members:
        return array("L")
    part = _Part(SHARED, array("L"))
    with archive.open(members[SHARED]) as stream:
        part.read(stream)
    return part.strings


class _Part:
    """Reads one part of a workbook and keeps count."""

    def __init__(self, name: str, lengths: "array[int]") -> None:
        self.name = name
        self.strings: array[int] = array("L")
        self._lengths = lengths
        self._text = 0
        self._row = self._column = self._last_row = self._last_column = 0
        self._shares = self._counts = False
        self._value: list[str] | None = None

    def read(self, stream: IO[bytes]) -> None:
        """Read the part to its end.

        Raises:
            UnreadableFile, TooLarge: a bound is passed, or it is no XML.
        """
        # Whatever encoding the part declares: the reader takes it for UTF-8, and both have to see the same elements.
        parser = expat.ParserCreate("UTF-8")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._declared
        parser.StartElementHandler = self._started
        parser.EndElementHandler = self._ended
        parser.CharacterDataHandler = self._characters
        try:
            while piece := stream.read(PIECE):
                parser.Parse(piece)
            parser.Parse(b"", True)
        except (expat.ExpatError, ValueError) as error:
            raise UnreadableFile(BAD_XML) from error

    def _declared(self, *_: object) -> None:
        raise UnreadableFile(DECLARES)

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "row":
                self._row = int(attributes["r"]) if "r" in attributes else self._row + 1
                self._column = 0
            case "c":
                self._place(attributes.get("r"))
                self._shares = attributes.get("t") == "s"
            case "v" | "is" | "f" if self._column:
                self._spread()
                self._value = []
            case "si":
                self.strings.append(0)
                self._counts = True
            case "Relationship":
                self._follow(attributes)

    def _characters(self, text: str) -> None:
        if self._counts:
            self.strings[-1] += len(text)
        if self._value is not None:
            self._add(len(text))
            if self._shares and len(text) <= 10:
                self._value.append(text)

    def _ended(self, name: str) -> None:
        match name.rpartition(":")[2]:
            case "v" if self._value is not None:
                if self._shares and (number := "".join(self._value).strip()).isdecimal():
                    index = int(number)
                    self._add(self._lengths[index] if index < len(self._lengths) else 0)
                self._value = None
            case "is" | "f":
                self._value = None
            case "si":
                self._counts = False

    def _place(self, reference: str | None) -> None:
        """Where a cell stands: by its reference, else right of the one before."""
        if reference is None:
            self._column += 1
            return
        letters = reference.rstrip("0123456789")
        # Three name every column there is; the number that a million of them make takes minutes, and of more far longer.
        if len(letters) > 3:
            raise UnreadableFile(BAD_XML)
        self._column = 0
        for letter in letters.upper():
            self._column = self._column * 26 + ord(letter) - ord("A") + 1
        self._row = int(reference[len(letters) :])

    def _spread(self) -> None:
        """A cell with a value widens the rectangle that a reader allocates."""
        if not 0 < self._row <= MOST_ROW or not 0 < self._column <= MOST_COLUMN:
            raise UnreadableFile(BAD_XML)
        self._last_row, self._last_column = max(self._last_row, self._row), max(self._last_column, self._column)
        if self._last_row * self._last_column > MOST_AREA:
            raise TooLarge(
                Text(
                    f"工作表过大：第 {self._row} 行第 {self._column} 列仍有内容；请删除表格以外的单元格或拆分文件",
                    f"The sheet reaches to row {self._row}, column {self._column}: remove cells outside the table, or split it",
                )
            )

    def _add(self, characters: int) -> None:
        self._text += characters
        if self._text > MOST_TEXT:
            raise TooLarge(TOO_LARGE)

    def _follow(self, attributes: dict[str, str]) -> None:
        """A sheet that lies under a name which is not read as XML here would go unchecked."""
        kind, target = attributes.get("Type", ""), attributes.get("Target", "")
        if kind.endswith(("/worksheet", "/sharedStrings")) and not target.lower().endswith(".xml"):
            raise UnreadableFile(DAMAGED)
