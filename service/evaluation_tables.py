"""Figures of an evaluation for the eye, each with the interval that says how sure it is."""

from collections.abc import Iterator, Mapping

from rich.table import Table

from matching.evaluation import Evaluation
from matching.evaluation.ablation import Ablation, VariantKind
from matching.evaluation.comparison import NDCG, RECALL, WinLoss
from matching.evaluation.decisions import DecisionEvaluation
from matching.evaluation.significance import Interval
from service.kit.language import Language, Text

SURE = "95 %"
KINDS: dict[VariantKind, Text] = {
    "whole": Text("全部信号", "all signals"),
    "without": Text("去掉", "without"),
    "alone": Text("仅用", "only"),
}


def of_evaluation(result: Evaluation, language: Language) -> Iterator[Table]:
    """The systems, what sets them apart from the baseline, and the signals where they were asked for."""
    yield _systems(result)
    comparisons = result.comparisons()
    if comparisons:
        title = Text(
            f"与 {result.baseline} 的差（95% 区间，对需求成对自助抽样）",
            f"difference to {result.baseline} (95 % interval, paired bootstrap over needs)",
        )
        yield _differences(title.in_(language), comparisons, (NDCG, RECALL, "mrr"))
    if result.ablation is not None:
        yield _signals(result.ablation, language)


def _systems(result: Evaluation) -> Table:
    headings = ("system", "nDCG@10", SURE, "nDCG@10 judged", "judged@10", "recall@50 (≥2)", "MRR", "ms/query")
    table = _table(f"{result.queries} needs", *headings)
    for name, scores in result.systems.items():
        sure = result.intervals(name)[NDCG]
        figures = (scores.ndcg_judged, scores.judged, scores.recall, scores.mrr)
        table.add_row(
            name,
            f"{scores.ndcg:.3f}",
            f"{sure.low:.3f}–{sure.high:.3f}",
            *(f"{figure:.3f}" for figure in figures),
            f"{scores.ms:.1f}",
        )
    return table


def _signals(ablation: Ablation, language: Language) -> Table:
    silent = Text(
        f"；本数据未说明：{'、'.join(ablation.silent)}", f"; not stated in this data: {', '.join(ablation.silent)}"
    )
    title = Text("各信号的作用", "what each signal is worth").in_(language)
    heading = title + (silent.in_(language) if ablation.silent else "")
    table = _table(heading, "", "nDCG@10", "Δ", SURE, "recall@50", "Δ", SURE)
    for row in ablation.rows:
        name = f"{KINDS[row.kind].in_(language)} {row.signal}".strip()
        cells = [f"{row.ndcg.mean:.3f}", *_difference(row.ndcg_difference)]
        if row.recall is not None and row.recall_difference is not None:
            cells += [f"{row.recall.mean:.3f}", *_difference(row.recall_difference)]
        table.add_row(name, *cells)
    return table


def of_needs(found: WinLoss, language: Language) -> Table:
    """Two systems need by need, the worst loss first."""
    won, tied, lost = found.counts
    title = Text(
        f"{found.metric}：{found.system} 对 {found.baseline}，胜 {won}、平 {tied}、负 {lost}",
        f"{found.metric}: {found.system} against {found.baseline}, {won} won, {tied} tied, {lost} lost",
    )
    table = _table(title.in_(language), "need", found.system, found.baseline, "Δ", "title")
    table.columns[-1].justify = "left"
    for need in found.needs:
        figures = (f"{need.ours:.3f}", f"{need.baseline:.3f}", f"{need.difference:+.3f}")
        table.add_row(need.need, *figures, _escaped(need.title))
    return table


def of_decisions(result: DecisionEvaluation, language: Language) -> Iterator[Table]:
    """The models on the market's own decisions, and the difference where there are two."""
    title = Text(
        f"{len(result.titles)} 项需求：接受 {result.accepted}、否决 {result.declined}、稍后再看 {result.snoozed}；"
        f"{result.telling} 项既有接受又有否决",
        f"{len(result.titles)} needs: {result.accepted} accepted, {result.declined} declined, {result.snoozed} snoozed; "
        f"{result.telling} with both answers",
    )
    metrics = list(dict.fromkeys(name for version in result.versions for name in result.intervals(version)))
    table = _table(title.in_(language), "model", *metrics)
    for version in result.versions:
        sure = result.intervals(version)
        table.add_row(version, *(_sure(sure.get(name)) for name in metrics))
    yield table
    differences = result.differences()
    if differences:
        ours, other = result.versions[:2]
        heading = Text(f"与 {other} 的差（95% 区间）", f"difference to {other} (95 % interval)")
        yield _differences(heading.in_(language), {ours: differences}, metrics)


def _differences(
    title: str, comparisons: Mapping[str, Mapping[str, Interval]], metrics: tuple[str, ...] | list[str]
) -> Table:
    table = _table(title, "system", "metric", "Δ", SURE, "P(Δ<0)", "needs")
    for name, found in comparisons.items():
        for metric in metrics:
            if metric in found:
                sure = found[metric]
                table.add_row(name, metric, *_difference(sure), f"{sure.below:.3f}", str(sure.needs))
    return table


def _difference(sure: Interval) -> tuple[str, str]:
    style = "" if not sure.is_decided else "[green]" if sure.low > 0 else "[red]"
    return f"{style}{sure.mean:+.3f}", f"{sure.low:+.3f} … {sure.high:+.3f}"


def _sure(sure: Interval | None) -> str:
    return "–" if sure is None else f"{sure.mean:.3f} ({sure.low:.3f} – {sure.high:.3f}, {sure.needs})"


def _table(title: str, *headings: str) -> Table:
    table = Table(title=_escaped(title))
    for place, heading in enumerate(headings):
        # A name or an interval that is cut short says nothing; headings and titles may wrap.
        table.add_column(
            heading, justify="right" if place else "left", no_wrap=not place or heading == SURE, overflow="fold"
        )
    return table


def _escaped(text: str) -> str:
    # A title may hold square brackets, which would be read as a style.
    return text.replace("[", r"\[")
