"""A tiny data set of graded judgments, and a connection that may create schemas."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from tests.matching.conftest import connect

CORPUS = {
    "g1": ("枸杞热泵干燥装备", "热泵除湿干燥枸杞.干燥时间8小时."),
    "g2": ("枸杞多糖提取工艺", "超声辅助提取枸杞多糖."),
    "w1": ("煤化工废水分盐结晶", "纳滤分盐与蒸发结晶."),
    "v1": ("葡萄酒低温发酵", "本土酵母筛选."),
}
QUERIES = {
    "q1": ("枸杞干燥", "希望缩短枸杞干燥时间"),
    "q2": ("高盐废水", "废水分盐结晶成本高"),
    "q3": ("未评判", "没有评判的需求"),
}
QRELS = ["query-id\tcorpus-id\tscore", "q1\tg1\t3", "q1\tg2\t1", "q2\tw1\t3", "q2\tv1\t0"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small data set."""
    for name, rows in (("corpus", CORPUS), ("queries", QUERIES)):
        lines = [json.dumps({"_id": key, "title": title, "text": text}) for key, (title, text) in rows.items()]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("\n".join(QRELS), encoding="utf-8")
    return tmp_path


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection that may create schemas."""
    made = await connect(owner_url)
    yield made
    await made.close()
