"""Graded judgments in the BEIR format (Thakur et al. 2021): corpus.jsonl, queries.jsonl, qrels/test.tsv."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels/test.tsv"


class DatasetError(ValueError):
    """A data set cannot be read; the message names file, line and what is wanted."""


@dataclass(frozen=True, slots=True)
class Document:
    """A row of corpus.jsonl or queries.jsonl."""

    id: str
    title: str
    text: str
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dataset:
    """Documents as outcomes, queries as needs, and grades 0 to 3 by query and document."""

    documents: tuple[Document, ...]
    queries: tuple[Document, ...]
    grades: dict[str, dict[str, int]]


def load(folder: Path) -> Dataset:
    """Read a data set. Queries without any judgment are left out: they would measure nothing.

    Raises:
        DatasetError: a file or value is missing, or a judgment names what is not there.
    """
    documents, queries = _texts(folder)
    grades = _grades(folder / QRELS, {q.id for q in queries}, {d.id for d in documents})
    if not grades:
        raise DatasetError(f"{folder / QRELS}: no judgment / 没有评判")
    return Dataset(documents, tuple(query for query in queries if query.id in grades), grades)


def load_unjudged(folder: Path) -> Dataset:
    """Read a data set that is to be judged: every query, and the judgments that there are so far.

    Raises:
        DatasetError: as `load`, but the judgments may be missing.
    """
    documents, queries = _texts(folder)
    path = folder / QRELS
    grades = _grades(path, {q.id for q in queries}, {d.id for d in documents}) if path.exists() else {}
    return Dataset(documents, queries, grades)


def _texts(folder: Path) -> tuple[tuple[Document, ...], tuple[Document, ...]]:
    return tuple(_documents(folder / CORPUS)), tuple(_documents(folder / QUERIES))


def grade_lines(grades: Mapping[str, Mapping[str, int]]) -> str:
    """The content of a judgments file.

    >>> grade_lines({"q": {"d": 3}})
    'query-id\\tcorpus-id\\tscore\\nq\\td\\t3\\n'
    """
    rows = (f"{query}\t{document}\t{grade}\n" for query, found in grades.items() for document, grade in found.items())
    return "".join(("query-id\tcorpus-id\tscore\n", *rows))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from ((number, line) for number, line in enumerate(file, start=1) if line.strip())
    except OSError as error:
        raise DatasetError(
            f"{path}: cannot be read ({error.strerror}); a BEIR folder has corpus.jsonl, "
            "queries.jsonl and qrels/test.tsv / 无法读取：BEIR 文件夹应有这三个文件"
        ) from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: is not UTF-8 / 不是 UTF-8 编码") from error


def _documents(path: Path) -> Iterator[Document]:
    seen: set[str] = set()
    for number, line in _lines(path):
        try:
            row: dict[str, Any] = json.loads(line)
            document = Document(
                str(row["_id"]), str(row.get("title") or ""), str(row.get("text") or ""), _keywords(row)
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DatasetError(
                f'{path}, line {number}: wanted {{"_id": …, "title": …, "text": …}} / 格式应如此'
            ) from error
        if document.id in seen:
            raise DatasetError(f"{path}, line {number}: the id {document.id} stands here a second time / 编号重复")
        if not (document.title.strip() or document.text.strip()):
            raise DatasetError(f"{path}, line {number}: neither title nor text / 标题和正文都为空")
        if not all(map(_is_text, (document.id, document.title, document.text, *document.keywords))):
            raise DatasetError(
                f"{path}, line {number}: holds a NUL character or half a surrogate pair: take it out / 含有空字符或半个代理对，请删除"
            )
        seen.add(document.id)
        yield document
    if not seen:
        raise DatasetError(f"{path}: is empty / 文件是空的")


def _is_text(value: str) -> bool:
    # JSON can escape what neither UTF-8 nor PostgreSQL can hold.
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _keywords(row: dict[str, Any]) -> tuple[str, ...]:
    metadata = row.get("metadata")
    words = metadata.get("keywords") if isinstance(metadata, dict) else None
    return tuple(str(word) for word in words) if isinstance(words, list) else ()


def _grades(path: Path, queries: set[str], documents: set[str]) -> dict[str, dict[str, int]]:
    grades: dict[str, dict[str, int]] = {}
    rows = csv.reader((line for _, line in _lines(path)), delimiter="\t")
    for number, row in enumerate(rows, start=1):
        if number == 1 and row[:1] == ["query-id"]:
            continue
        try:
            query, document, grade = row[0], row[1], int(row[2])
        except (IndexError, ValueError) as error:
            raise DatasetError(
                f"{path}, line {number}: wanted query-id, corpus-id and a whole grade, parted by tabs / 应为以制表符分隔的编号和整数等级"
            ) from error
        if query not in queries or document not in documents:
            raise DatasetError(
                f"{path}, line {number}: {query} or {document} is not in the data set / 数据集中没有此编号"
            )
        if grade < 0:
            raise DatasetError(f"{path}, line {number}: the grade {grade} is negative / 等级为负")
        grades.setdefault(query, {})[document] = grade
    return grades
