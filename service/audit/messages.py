"""What is wrong with a chain, in words."""

from service.events.chain import Break, Fault
from service.kit.language import Text

FAULTS: dict[Fault, Text] = {
    Fault.EVENT_CHANGED: Text("事件内容已被篡改", "the event was tampered with: it is not what was sealed"),
    Fault.EVENT_MISSING: Text("事件已被删除，仅余封印", "the event was removed; its seal is left"),
    Fault.SEAL_MISSING: Text("此位置缺失：事件连同封印已被删除", "nothing is here: an event was removed with its seal"),
    Fault.REORDERED: Text("顺序被调换", "the order was changed"),
    Fault.LINK_BROKEN: Text(
        "与前一位置不相衔接：封印或此前的内容被改写",
        "does not follow upon the place before: the seal, or an event with its seal, was rewritten",
    ),
    Fault.EVENT_UNSEALED: Text(
        "有事件不在链中（绕过封印写入）", "an event lies outside the chain: it was written past the seal"
    ),
    Fault.TAIL_MISSING: Text(
        "锚点之前的末段已被截去：链条短于锚点", "the tail was cut off: the chain ends before the anchor"
    ),
    Fault.ANCHOR_DIFFERS: Text(
        "与锚点不符：此位置或之前的历史被整体改写",
        "differs from the anchor: history up to here was rewritten as a whole",
    ),
    Fault.ANCHOR_PRUNED: Text(
        "锚点所在部分已按期限清理，无法核对；请使用较新的锚点",
        "the anchor lies in the part that was pruned after its time, and cannot be checked: take a later anchor",
    ),
    Fault.CHECKPOINT_UNFOUNDED: Text(
        "链条起点没有相应的清理事件：之前的事件可能被擅自删除",
        "no event tells of the pruning that the chain begins after: what was before may have been removed unlawfully",
    ),
}


def message_of(broken: Break) -> Text:
    """One sentence: where the chain breaks and how."""
    what = FAULTS[broken.fault]
    where_zh = f"位置 {broken.position}" if broken.position is not None else "链外"
    where_en = f"position {broken.position}" if broken.position is not None else "outside the chain"
    more_zh = more_en = ""
    if broken.other is not None:
        more_zh, more_en = f"（应在此处的内容位于 {broken.other}）", f" (what belongs here stands at {broken.other})"
    if broken.event_id is not None:
        more_zh, more_en = f"{more_zh}，事件 {broken.event_id}", f"{more_en}, event {broken.event_id}"
    return Text(f"{where_zh}：{what.zh}{more_zh}", f"{where_en}: {what.en}{more_en}")
