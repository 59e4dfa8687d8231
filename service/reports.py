"""Ranking models and what learning came to, as tables and sentences for the command line."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from matching.fusion import Ranking, RankingModel
from matching.learning.examples import TrainingRows
from matching.learning.propose import Proposal
from matching.learning.shadow import Shadow
from matching.types import LEVELS
from service.kit.db import Row
from service.kit.language import Text

ORIGINS = {"shipped": Text("随程序发布", "shipped"), "decisions": Text("从决定中学习", "decisions")}
STANDINGS = (
    ("log_loss", "log loss", Text("对数损失（越小越好）", "log loss (less is better)")),
    ("auc", "AUC", Text("AUC（同一需求内）", "AUC (within a need)")),
    ("ndcg", "nDCG", Text("nDCG", "nDCG")),
    ("average_precision", "average precision", Text("平均精度", "average precision")),
    ("calibration_error", None, Text("校准误差", "calibration error")),
)
OF_ORDER = ("auc", "ndcg", "average_precision")
VERDICTS = {
    "weights": Text(
        "新模型在未参与训练的需求上更好：对数损失的改善区间整个大于 0，且每项需求内的次序没有变差",
        "The new model is better on needs held back: the interval of its gain in log loss lies above 0, and the order "
        "within needs is no worse",
    ),
    "calibration": Text(
        "次序没有被证明可以改进，但概率可以：只重新校准，任何列表的次序都不变",
        "No better order was proven, better probabilities were: recalibrated only, no list changes its order",
    ),
    "kept": Text(
        "没有证明新模型更好，继续使用现有模型",
        "The new model was not proven better: the active one stays",
    ),
}


def weights_of(model: Ranking | None) -> dict[str, float]:
    """What each signal counts: a weight, or in a model of trees the mean absolute part."""
    if model is None:
        return {}
    if isinstance(model, RankingModel):
        return {name: term.weight for name, term in model.terms.items()}
    return dict(zip(model.signals, model.weights, strict=True))


def weights_table(before: Ranking | None, after: Ranking, rows: TrainingRows | None) -> Table:
    """Weights before and after by signal; with rows, also how often the signal said anything."""
    old, new = weights_of(before), weights_of(after)
    title = after.version if before is None else f"{before.version} → {after.version}"
    table = Table(title=title, title_justify="left")
    table.add_column(str(Text("信号", "signal")))
    for heading in (Text("原权重", "before"), Text("新权重", "after"), Text("有读数的决定", "stated")):
        table.add_column(str(heading), justify="right")
    stated = _stated(rows)
    for name in dict.fromkeys((*old, *new)):
        table.add_row(name, _number(old.get(name)), _number(new.get(name)), stated.get(name, ""))
    table.add_section()
    table.add_row(
        str(Text("截距", "intercept")), _number(before.intercept if before else None), _number(after.intercept), ""
    )
    for place, level in enumerate(LEVELS[:3]):
        least = _number(before.thresholds[place] if before else None)
        table.add_row(f"{level} ≥", least, _number(after.thresholds[place]), "")
    return table


def _stated(rows: TrainingRows | None) -> dict[str, str]:
    if rows is None:
        return {}
    shares = 1 - np.isnan(rows.raw).mean(axis=0)
    return {name: f"{share:.0%}" for name, share in zip(rows.signals, shares, strict=True)}


def levels_table(model: Ranking, rows: TrainingRows) -> Table:
    """How many decided pairs the model puts into each level, and how many of those were accepted."""
    scores = model.scores(rows.signals, rows.raw)
    chances = np.exp(-np.logaddexp(0.0, -scores))
    levels = np.array([model.level(float(chance)) for chance in chances])
    table = Table(title=str(Text("各等级中已决定的配对", "decided pairs by level")), title_justify="left")
    table.add_column("")
    for heading in (Text("配对", "pairs"), Text("平均概率", "stated"), Text("采纳比例", "accepted")):
        table.add_column(str(heading), justify="right")
    for level in LEVELS:
        held = levels == level
        shares = (f"{chances[held].mean():.2f}", f"{rows.labels[held].mean():.2f}") if held.any() else ("", "")
        table.add_row(level, str(int(held.sum())), *shares)
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def comparison_table(report: Mapping[str, Any]) -> Table:
    """The figures on decisions held back: active, recalibrated, new, and the gain with its 95 % interval."""
    title = Text(
        f"{report['needs']} 项需求上的 {report['rows']} 条决定，均未用于训练对其评分的模型",
        f"{report['rows']} decisions on {report['needs']} needs, each scored by models that did not see its need",
    )
    table = Table(title=str(title), title_justify="left")
    table.add_column("")
    for heading in (
        Text("现有", "active"),
        Text("重新校准", "recalibrated"),
        Text("新", "new"),
        Text("相对校准后现有模型的改善（95 %）", "gain over the active, calibrated (95 %)"),
    ):
        table.add_column(str(heading), justify="right")
    # A need with both answers has an nDCG above 0: where it is 0, no need tells of the order.
    ordered = report["active"]["ndcg"] > 0
    for key, gain, label in STANDINGS:
        if key in OF_ORDER and not ordered:
            table.add_row(str(label), "–", "–", "–", "–")
            continue
        values = (f"{report[name][key]:.4f}" for name in ("active", "recalibrated", "candidate"))
        table.add_row(str(label), *values, "" if gain is None else _interval(report["gains"][gain]))
    table.add_section()
    table.add_row(str(Text("重新校准的改善", "gain of recalibration")), "", _interval(report["recalibration"]), "", "")
    return table


def _interval(value: Mapping[str, float]) -> str:
    return f"{value['mean']:+.4f} [{value['low']:+.4f}, {value['high']:+.4f}]"


def verdict_text(proposal: Proposal, *, kept: bool, active: bool) -> str:
    """What was decided and why, and what was done about it."""
    version = proposal.model.version
    if active:
        done = Text(f"已启用 {version}，所有列表将重新排序", f"{version} is active now; every list is ranked anew")
    elif kept:
        done = Text(f"已保存 {version}，未启用", f"{version} is kept, and not active")
    else:
        done = Text("试运行：没有保存", "dry run: nothing was kept")
    end = Text("。", ". ")
    return f"{VERDICTS[proposal.verdict]}{end}{_trees_text(proposal.trees)}{done}{str(end).strip()}"


def _trees_text(trees: str) -> str:
    known = {
        "few": "",
        "better": str(Text("树模型胜过加权模型。", "Trees did better than weights. ")),
        "worse": str(Text("树模型不如加权模型。", "Trees did no better than weights. ")),
    }
    return known.get(trees, str(Text(f"未尝试树模型：{trees}。", f"Trees were not tried: {trees}. ")))


MIN_WIDTHS = {"gain in log loss": 9, "kept at": 10}


def list_of_models(rows: Sequence[Row]) -> Table:
    """Every model, oldest first, the active one marked."""
    table = Table(padding=0, show_edge=False)
    for heading in (
        Text("版本", "version"),
        Text("使用中", "active"),
        Text("来源", "origin"),
        Text("基于", "from"),
        Text("标签", "labels"),
        Text("需求", "needs"),
        Text("对数损失改善", "gain in log loss"),
        Text("保存于", "kept at"),
    ):
        # The version is what the other commands ask for: it is never cut short. A figure and a date stay whole.
        table.add_column(str(heading), no_wrap=not table.columns, overflow="fold", min_width=MIN_WIDTHS.get(heading.en))
    for row in rows:
        gains = _gain_of(row["report"])
        table.add_row(
            row["version"],
            "●" if row["active"] else "",
            str(ORIGINS[row["origin"]]),
            row["parent"] or "",
            str(row["labels"] or ""),
            str(row["needs"] or ""),
            _interval(gains) if gains else "",
            f"{row['created_at']:%Y-%m-%d %H:%M}",
        )
    return table


def _gain_of(report: Mapping[str, Any]) -> Mapping[str, float] | None:
    """The gain of the model that was kept: of a recalibrated one, not of the weights that were turned down."""
    gain: Mapping[str, float] | None = report.get("gains", {}).get("log loss")
    recalibration: Mapping[str, float] | None = report.get("recalibration")
    return recalibration if report.get("verdict") == "calibration" else gain


def facts_of(row: Row) -> Table:
    """One model's row: the same as in the list."""
    return list_of_models([row])


def shadow_table(found: Shadow, version: str) -> Table:
    """What would change in the stored lists."""
    title = Text(
        f"{version} 与已存列表相比（{found.lists} 项已发布需求）",
        f"{version} against the stored lists of {found.lists} published needs",
    )
    table = Table(title=str(title), title_justify="left", show_header=False)
    for label, value in (
        (Text("前十位的次序改变", "order of the first ten changes"), str(found.changed_order)),
        (Text("第一位改变", "first place changes"), str(found.changed_first)),
        (Text("前十位的成员改变", "members of the first ten change"), str(found.changed_members)),
        (Text("前十位平均重合", "mean overlap of the first ten"), f"{found.overlap:.3f}"),
        (Text("平均 Kendall τ", "mean Kendall's tau"), f"{found.tau:.3f}"),
    ):
        table.add_row(str(label), value)
    return table
