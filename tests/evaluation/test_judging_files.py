"""Pairs go out in a spreadsheet and come back as judgments: all that is right, or nothing."""

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from matching.evaluation import DatasetError, load, load_unjudged
from service.errors import ServiceError, ValidationProblem
from service.exchange.faults import UnreadableFile
from service.exchange.judging_sheet import COLUMNS, Grade, SheetRow, read_sheet, write_sheet
from service.judging import Policy, Pooling, export_dataset, import_dataset, merge, replace_files
from service.settings import Settings
from tests.evaluation.conftest import CORPUS, cells, fill, said, written

POOLING = Pooling("bm25,dense,duijie", 2, 1)


@pytest.fixture
async def sheet(reached: Settings, console: Console, folder: Path, tmp_path: Path) -> Path:
    """The pool of the small data set."""
    path = tmp_path / "pool.xlsx"
    await export_dataset(reached, console, path, folder, POOLING, "en")
    return path


async def test_a_pool_is_written_with_texts_grades_choices_and_instructions(sheet: Path, console: Console) -> None:
    headings, *rows = cells(sheet)
    assert headings == [name for name, _, _ in COLUMNS]
    assert f"Wrote {len(rows)} pairs of 3 needs" in said(console)
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    needs = [row[1] for row in rows]
    assert list(dict.fromkeys(needs)) == ["n-1", "n-2", "n-3"]
    # Two of each of three lists: two to six outcomes, each once.
    assert all(2 <= needs.count(need) <= 6 for need in needs)
    assert len({(row[1], row[4]) for row in rows}) == len(rows)
    goji = next(row for row in rows if (row[1], row[4]) == ("n-1", "o-1"))
    assert (goji[2], goji[5], goji[7], goji[8]) == ("枸杞干燥", "枸杞热泵干燥装备", 3.0, "")
    assert len(str(goji[6])) == 601
    assert all(row[8] == "" for row in rows)
    assert next(row[2] for row in rows if row[1] == "n-2") == "废水分盐结晶成本高"
    # What looks like a formula is a text.
    assert any(row[5] == "=枸杞多糖提取工艺" for row in rows)
    with zipfile.ZipFile(sheet) as archive:
        first = archive.read("xl/worksheets/sheet1.xml").decode()
        strings = archive.read("xl/sharedStrings.xml").decode()
    assert '"0,1,2,3"' in first
    assert "<f>" not in first
    for words in ("3 强相关", "0 not relevant", "1 弱相关"):
        assert words in strings


async def test_the_order_is_the_same_at_every_run_and_another_by_seed(
    reached: Settings, console: Console, folder: Path, sheet: Path, tmp_path: Path
) -> None:
    again, other = tmp_path / "again.xlsx", tmp_path / "other.xlsx"
    await export_dataset(reached, console, again, folder, Pooling("duijie,dense,bm25", 2, 1), "en")
    assert cells(again) == cells(sheet)
    orders = set()
    for seed in range(1, 6):
        await export_dataset(reached, console, other, folder, Pooling("bm25,dense,duijie", 2, seed), "zh")
        assert sorted(row[4] for row in cells(other)[1:]) == sorted(row[4] for row in cells(sheet)[1:])
        orders.add(tuple(row[4] for row in cells(other)[1:]))
    assert len(orders) > 1
    assert cells(other)[0][-1] == "等级"


async def test_grades_come_back_whatever_way_they_were_typed(
    reached: Settings, console: Console, sheet: Path, folder: Path
) -> None:
    pairs = [(str(row[1]), str(row[4])) for row in cells(sheet)[1:]]
    new = [pair for pair in pairs if pair not in (("n-1", "o-1"), ("n-1", "o-4"))]
    typed: list[object] = [2, "1", "３", " 0 "]
    grades = dict(zip(new, typed, strict=False)) | {("n-1", "o-1"): 3}
    assert await import_dataset(reached, console, fill(sheet, grades), folder, "refuse")
    found = load(folder).grades
    wanted = dict(zip(new, (2, 1, 3, 0), strict=False)) | {("n-1", "o-1"): 3, ("n-1", "o-4"): 0}
    assert {(need, outcome): grade for need, of_need in found.items() for outcome, grade in of_need.items()} == wanted
    assert "4 added, 1 the same" in said(console)
    # A second time changes nothing.
    before = (folder / "qrels" / "test.tsv").read_bytes()
    assert await import_dataset(reached, console, fill(sheet, grades), folder, "refuse")
    assert (folder / "qrels" / "test.tsv").read_bytes() == before


async def test_judgments_begin_where_there_were_none(
    reached: Settings, console: Console, folder: Path, tmp_path: Path
) -> None:
    (folder / "qrels" / "test.tsv").unlink()
    (folder / "qrels").rmdir()
    with pytest.raises(DatasetError):
        load(folder)
    path = tmp_path / "pool.xlsx"
    await export_dataset(reached, console, path, folder, POOLING, "zh")
    first = cells(path)[1]
    assert await import_dataset(reached, console, fill(path, {(str(first[1]), str(first[4])): 2}), folder, "refuse")
    assert load(folder).grades == {first[1]: {first[4]: 2}}


@pytest.mark.parametrize(("policy", "grade"), [("refuse", 3), ("keep", 3), ("replace", 1)])
async def test_a_grade_that_differs_is_reported_and_the_policy_decides(
    reached: Settings, console: Console, sheet: Path, folder: Path, policy: str, grade: int
) -> None:
    filled = fill(sheet, {("n-1", "o-1"): 1, ("n-3", "o-4"): 2})
    taken = await import_dataset(reached, console, filled, folder, policy)  # type: ignore[arg-type]
    assert taken == (policy != "refuse")
    grades = load_unjudged(folder).grades
    assert grades["n-1"]["o-1"] == grade
    assert ("n-3" in grades) == taken
    assert "were graded 3" in said(console)
    assert "--conflicts replace" in said(console)


THREE: list[object] = ["no", "need_id", "outcome_id", "grade"]


async def test_every_bad_cell_is_named_and_nothing_is_written(
    reached: Settings, console: Console, folder: Path, tmp_path: Path
) -> None:
    rows: list[list[object]] = [
        THREE,
        [1, "n-1", "o-2", 2],
        [2, "n-1", "o-4", 4],
        [3, "n-1", "3", 2.5],
        [4, "", "o-1", 1],
        [5, "n-9", "o-1", 1],
        [6, "n-2", "o-9", 1],
        [7, "n-1", "o-2", 1],
        [8, "n-2", "o-1", "强"],
        [9, "n-2", "o-2", True],
        [10, "n-2", "o-2", ""],
    ]
    path = written(tmp_path / "bad.xlsx", rows)
    before = (folder / "qrels" / "test.tsv").read_bytes()
    assert [(problem.line, problem.column, problem.rule) for problem in read_sheet(path).problems] == [
        (3, "grade", "grade_0_to_3"),
        (4, "grade", "grade_0_to_3"),
        (5, "need_id", "missing"),
        (8, "grade", "contradicts_line"),
        (9, "grade", "grade_0_to_3"),
        (10, "grade", "grade_0_to_3"),
    ]
    assert not await import_dataset(reached, console, path, folder, "replace")
    assert (folder / "qrels" / "test.tsv").read_bytes() == before
    for words in ("n-9", "o-9", "Line 2 gives the same pair 2", "8 to settle; nothing was written"):
        assert words in said(console)


async def test_numbers_as_ids_find_their_outcome(
    reached: Settings, console: Console, folder: Path, tmp_path: Path
) -> None:
    path = written(tmp_path / "numbers.xlsx", [THREE, [1, "n-2", 3, 3.0]])
    assert "3" in CORPUS
    assert await import_dataset(reached, console, path, folder, "refuse")
    assert load(folder).grades["n-2"] == {"3": 3}


async def test_a_sheet_without_a_grade_says_so(reached: Settings, console: Console, folder: Path, sheet: Path) -> None:
    assert not await import_dataset(reached, console, sheet, folder, "refuse")
    assert "No grade is filled in" in said(console)


def test_what_is_no_judging_sheet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="outcome_id, grade"):
        read_sheet(written(tmp_path / "a.xlsx", [["编号", "需求编号"], [1, "n-1"]]))
    (tmp_path / "b.xlsx").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(ServiceError, match="damaged"):
        read_sheet(tmp_path / "b.xlsx")
    with pytest.raises(UnreadableFile, match="not a folder"):
        read_sheet(tmp_path)


def test_a_sheet_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    row = SheetRow("n", "需求", "", "o", "成果", "\x01_x0041_")
    for path in (tmp_path / "pool.csv", tmp_path / "nowhere" / "pool.xlsx"):
        with pytest.raises(ValidationProblem):
            write_sheet(path, [row], "en")
    write_sheet(tmp_path / "pool.xlsx", [row], "en")
    assert [file.name for file in tmp_path.iterdir()] == ["pool.xlsx"]


def test_files_are_replaced_together_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(UnicodeEncodeError):
        replace_files(tmp_path, {"a": "new", "deep/b": "\ud800"})
    assert (tmp_path / "a").read_text() == "old"
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [tmp_path / "a"]
    replace_files(tmp_path, {"a": "new", "deep/b": "b"})
    assert ((tmp_path / "a").read_text(), (tmp_path / "deep" / "b").read_text()) == ("new", "b")


GRADED = st.dictionaries(st.tuples(st.sampled_from("nm"), st.sampled_from("abc")), st.integers(0, 3), max_size=6)


@given(GRADED, GRADED, st.sampled_from(["refuse", "keep", "replace"]))
def test_a_merge_loses_no_pair_and_the_policy_decides_where_grades_differ(
    before: dict[tuple[str, str], int], sheet: dict[tuple[str, str], int], policy: Policy
) -> None:
    existing: dict[str, dict[str, int]] = {}
    for (need, outcome), grade in before.items():
        existing.setdefault(need, {})[outcome] = grade
    rows = [Grade(line, *pair, grade) for line, (pair, grade) in enumerate(sheet.items(), start=2)]
    merged = merge(existing, rows, policy)
    found = {(need, outcome): grade for need, of_need in merged.grades.items() for outcome, grade in of_need.items()}
    assert found == (before | sheet if policy == "replace" else sheet | before)
    differing = {pair for pair in before.keys() & sheet.keys() if before[pair] != sheet[pair]}
    assert len(merged.conflicts) == len(differing) == merged.kept + merged.replaced
    assert merged.added + merged.same + len(differing) == len(sheet)
