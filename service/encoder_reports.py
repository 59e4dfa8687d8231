"""What `duijie train encoder` and `duijie encoders` put on the screen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from matching.embedding.tuned import Card
from matching.evaluation.significance import Interval
from matching.index.models import EmbeddingModel
from service.kit.language import Text
from service.settings import Settings

if TYPE_CHECKING:
    # Training brings torch with it, which a list of encoders has no use for.
    from matching.learning.encoder import Tuned
    from matching.learning.encoder_compare import Comparison

STATES = {
    "building": Text("正在计算向量", "being filled in"),
    "active": Text("服务中", "serving"),
    "retired": Text("已停用", "retired"),
}


def watched_table(tuned: "Tuned", measure: str) -> Table:
    """Loss and figure on the watched needs, epoch by epoch; the kept epoch is marked."""
    table = Table(title=str(Text("训练过程", "training")), title_justify="left")
    for heading in (
        Text("轮次", "epoch"),
        Text("损失", "loss"),
        Text(f"观察需求的 {measure}", f"{measure}, watched needs"),
    ):
        table.add_column(str(heading), justify="right")
    for epoch, value in enumerate(tuned.watched):
        loss = f"{tuned.losses[epoch - 1]:.3f}" if epoch else ""
        mark = " ●" if epoch == tuned.kept else ""
        table.add_row(f"{epoch}{mark}", loss, f"{value:.4f}")
    return table


def comparison_table(comparison: "Comparison") -> Table:
    """Both encoders on the needs held back, with the gain and its 95 % interval; the figure that decides stands last."""
    needs = comparison.deciding.gain.needs
    title = Text(f"{needs} 项未参与训练的需求", f"{needs} needs that training did not see")
    table = Table(title=str(title), title_justify="left")
    table.add_column("")
    for heading in (Text("现用", "in use"), Text("新", "new"), Text("改善（95 %）", "gain (95 %)")):
        table.add_column(str(heading), justify="right")
    for figure in comparison.figures:
        table.add_row(figure.name, f"{figure.present:.4f}", f"{figure.candidate:.4f}", _interval(figure.gain))
    return table


def _interval(gain: Interval) -> str:
    return f"{gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]"


def verdict_text(comparison: "Comparison | None", kept: str | None, *, used: bool, settings: Settings) -> str:
    """What was decided and why, and what was done about it. `kept` is the source under which the new one was kept."""
    if comparison is None:
        return str(
            Text(
                "任何一轮训练都没有改善观察需求上的排序：没有保存新模型",
                "No epoch ranked the watched needs better: no new encoder was kept",
            )
        )
    proven = (
        Text("新模型更好：改善的区间整个大于 0。", "The new encoder is better: the interval of its gain lies above 0.")
        if comparison.is_better
        else Text("没有证明新模型更好。", "The new encoder was not proven better.")
    )
    return f"{proven} {_done(kept, used=used, settings=settings)}"


def _done(kept: str | None, *, used: bool, settings: Settings) -> Text:
    if kept is None:
        return Text("试运行：没有保存", "Dry run: nothing was kept")
    name = kept.partition(":")[2]
    if used:
        return Text(
            f"已选用 {name}：后台进程在旧向量旁计算新向量，完成后一起切换",
            f"{name} was chosen: the worker fills its vectors in beside the old ones, then all switch",
        )
    if settings.model is not None:
        return Text(
            f"已保存 {name}；DUIJIE_MODEL 优先，如要使用请设 DUIJIE_MODEL={kept}",
            f"{name} is kept; DUIJIE_MODEL goes first, so set DUIJIE_MODEL={kept} to use it",
        )
    return Text(
        f"已保存 {name}，未启用；仍要使用：duijie encoders activate {name}",
        f"{name} is kept and not used; to use it all the same: duijie encoders activate {name}",
    )


def list_of_encoders(cards: Sequence[Card], models: Sequence[EmbeddingModel], in_use: str) -> Table:
    """The model of the wheel and every fine-tuned one on this machine; then others that the index has vectors of."""
    states = {model.source: STATES[model.state] for model in models}
    table = Table()
    for heading in (
        Text("名称", "name"),
        Text("选用", "chosen"),
        Text("向量", "vectors"),
        Text("数据", "data"),
        Text("改善", "gain"),
        Text("保存于", "kept at"),
    ):
        table.add_column(str(heading))
    known = {"bundled": None, **{card.source: card for card in cards}}
    for source in dict.fromkeys((*known, *states, in_use)):
        card = known.get(source)
        table.add_row(
            source.removeprefix("tuned:"),
            "●" if source == in_use else "",
            str(states.get(source, "")),
            card.data if card else "",
            _gain_of(card) if card else "",
            card.made_at[:16].replace("T", " ") if card else "",
        )
    return table


def _gain_of(card: Card) -> str:
    comparison = card.figures.get("comparison", {})
    gains = [value["gain"] for value in comparison.values() if isinstance(value, dict)]
    return f"{gains[-1]['mean']:+.4f} [{gains[-1]['low']:+.4f}, {gains[-1]['high']:+.4f}]" if gains else ""
