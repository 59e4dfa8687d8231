"""`duijie evaluate` and `duijie judge`: tables and report, and calls that make no sense."""

import re
from io import StringIO
from pathlib import Path

import orjson
import pytest
from rich.console import Console
from typer.testing import CliRunner

from matching.evaluation import DatasetError
from service.cli import app
from service.errors import ValidationProblem
from service.evaluation import Options, run
from service.settings import Settings
from tests.evaluation.conftest import said


async def test_tables_and_report_say_the_same(
    reached: Settings, console: Console, folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "figures.json"
    options = Options(baseline="dense", ablation=True, needs=True, file=file)
    await run(reached, console, folder, "bm25,dense,duijie", options)
    report = orjson.loads(file.read_bytes())
    assert (report["queries"], report["baseline"]) == (1, "dense")
    shown = said(console)
    for name, scores in report["systems"].items():
        assert name in shown
        assert f"{scores['ndcg@10']:.3f}" in shown
    assert "difference to dense" in shown
    words = {"whole": "all signals", "without": "without", "alone": "only"}
    for row in report["ablation"]["rows"]:
        assert f"{words[row['variant']]} {row['signal'] or ''}".strip() in shown
    assert "duijie against dense" in shown
    assert report["ablation"]["rows"][0]["ndcg@10"] == report["systems"]["duijie"]["ndcg@10"]


async def test_a_title_in_brackets_is_shown_as_it_is(reached: Settings, console: Console, folder: Path) -> None:
    query = {"_id": "n-1", "title": "[red]x[/]", "text": "枸杞"}
    (folder / "queries.jsonl").write_bytes(orjson.dumps(query))
    await run(reached, console, folder, "bm25,dense", Options(needs=True))
    assert "[red]x[/]" in said(console)


async def test_what_cannot_be_compared_is_refused_before_anything_is_indexed(
    reached: Settings, console: Console, folder: Path
) -> None:
    with pytest.raises(ValidationProblem, match="1 to correct"):
        await run(reached, console, folder, "bm25", Options(needs=True))
    with pytest.raises(DatasetError, match="no system 'oracle'"):
        await run(reached, console, folder, "oracle", Options())
    with pytest.raises(DatasetError, match="'rrf' is not among"):
        await run(reached, console, folder, "bm25", Options(baseline="rrf"))


async def test_a_report_that_could_not_be_written_is_refused_before_the_work(
    reached: Settings, console: Console, folder: Path
) -> None:
    for file in (folder / "nowhere" / "figures.json", folder):
        with pytest.raises(ValidationProblem) as refused:
            await run(reached, console, folder, "bm25,dense", Options(file=file))
        assert refused.value.problems[0].field == "json"
    assert said(console) == ""


async def test_intervals_are_whole_on_a_narrow_screen(reached: Settings, folder: Path, tmp_path: Path) -> None:
    narrow, file = Console(record=True, width=80, file=StringIO()), tmp_path / "figures.json"
    await run(reached, narrow, folder, "bm25,dense", Options(file=file))
    shown = narrow.export_text()
    for sure in re.findall(r"\d\.\d{3}–\S*", shown):
        assert re.fullmatch(r"\d\.\d{3}–\d\.\d{3}", sure)
    assert "–" in shown


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["evaluate"], "give a BEIR folder, or --decisions"),
        (["evaluate", "folder", "--decisions"], "give a BEIR folder, or --decisions"),
        (["evaluate", "--decisions", "--ablation"], "take a BEIR folder"),
        (["evaluate", "folder", "--against", "x"], "--against takes --decisions"),
        (["judge", "export", "x.xlsx"], "or --published"),
        (["judge", "export", "x.xlsx", "--published", "--dataset", "folder"], "or --published"),
        (["judge", "export", "x.xlsx", "--published", "--depth", "0"], "--depth"),
        (["judge", "import", "nowhere.xlsx", "folder"], "does not exist"),
    ],
)
def test_calls_that_make_no_sense_are_told(arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert result.exit_code == 2
    assert says in result.output
