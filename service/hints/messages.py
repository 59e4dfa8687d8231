"""Hints in words: what was found, and what to do, in both languages."""

from dataclasses import dataclass

from matching.listing_hints import HintCode
from service.kit.language import Text


@dataclass(frozen=True, slots=True)
class Wording:
    """What was found, and what to do."""

    message: Text
    advice: Text


WORDINGS: dict[HintCode, Wording] = {
    "contact_in_text": Wording(
        Text("公开文字中含有联系方式", "Contact data stands in the public text"),
        Text(
            "请移到联系人字段；双方同意后系统才会公开",
            "Move it to the contact fields: it opens once both sides have agreed",
        ),
    ),
    "organization_named": Wording(
        Text("公开文字中出现单位名称", "A company's name stands in the public text"),
        Text(
            "需求在双方同意前匿名，请改用“我厂”“本企业”等说法",
            "A need stays anonymous until both sides agree: write “our plant” instead",
        ),
    ),
    "description_missing": Wording(
        Text("没有详细说明", "There is no description"),
        Text(
            "请写明现状、要解决的问题或成果做法，以及使用条件",
            "Say what there is today, what is to be solved or how the outcome works, and under which conditions",
        ),
    ),
    "no_demand": Wording(
        Text("只介绍了单位情况，没有说明需要什么", "The text tells who you are, and not what you need"),
        Text(
            "请写出要解决的技术问题和希望达到的结果",
            "Say which technical problem is to be solved, and what is to be reached",
        ),
    ),
    "no_indicator": Wording(
        Text("没有任何可量化的技术指标", "There is no figure to answer to"),
        Text(
            "请至少给出一项带数值和单位的指标，例如“含水率≤13%”",
            "Give at least one indicator with a figure and a unit, such as “moisture ≤ 13 %”",
        ),
    ),
    "description_short": Wording(
        Text("说明过短，对方难以判断", "The description is too short to judge by"),
        Text(
            "请补充现状、做法或难点、使用场景和条件",
            "Add the present state, the method or the difficulty, and where and how it is used",
        ),
    ),
    "goal_without_figure": Wording(
        Text("目标没有数值", "A goal without a figure"),
        Text(
            "请写明现在是多少、要达到多少，例如“由35小时缩短到12小时以内”",
            "Say how much it is now and how much it should be, such as “from 35 hours to 12 or less”",
        ),
    ),
    "vague_word": Wording(
        Text("用词空泛，无法对照", "Words that nothing can be held against"),
        Text("请用数值或可比较的对象代替", "Put a figure, or what it is compared with, in their place"),
    ),
    "no_field": Wording(
        Text("未选择重点方向", "No focus field is chosen"),
        Text(
            "请选择一个，可参考建议的方向，便于筛选和推送",
            "Choose one, of those suggested if any fits: lists and pushes go by it",
        ),
    ),
    "field_doubtful": Wording(
        Text("所选重点方向与内容不太相符", "The text seems to belong to another field than the chosen one"),
        Text("请核对建议的方向；确认无误可不改", "Look at the fields suggested; leave it if yours is right"),
    ),
    "no_maturity": Wording(
        Text("未填写技术成熟度", "No technology readiness level is given"),
        Text(
            "请按 GB/T 22900 填写 1–9 级：需求填可接受的最低级，成果填已达到的级别",
            "Give a level from 1 to 9 (GB/T 22900): the least that a need can take up, the one an outcome has reached",
        ),
    ),
    "no_price": Wording(
        Text("未填写预算或报价，也未注明面议", "Neither a budget or price is given, nor that it is open"),
        Text("请填写金额范围，或勾选面议", "Give a range, or mark it as negotiable"),
    ),
    "no_deadline": Wording(
        Text("未填写期望解决时间", "It is not said when it must be solved"),
        Text("请填写日期，便于对方判断能否承接", "Give a date, so that others can tell whether they can make it"),
    ),
    "title_short": Wording(
        Text("标题过短", "The title is too short"),
        Text(
            "请写明对象和要解决的问题，例如“枸杞鲜果快速干燥”",
            "Name the object and the problem, such as “fast drying of goji”",
        ),
    ),
    "indicator_without_figure": Wording(
        Text("指标没有数值", "An indicator without a figure"),
        Text("请补充数值和单位", "Add a figure and a unit"),
    ),
    "indicator_without_condition": Wording(
        Text("指标没有说明条件", "An indicator without the condition that it holds under"),
        Text("请在指标后用括号注明条件", "Add the condition in brackets"),
    ),
    "indicators_not_listed": Wording(
        Text("正文有数值，但没有逐条列为指标", "The text has figures, but none is listed as an indicator"),
        Text("请确认建议的指标，每条一项", "Confirm the indicators suggested, one a line"),
    ),
    "no_modes": Wording(
        Text("未选择合作方式", "No mode of cooperation is chosen"),
        Text(
            "请选择一种或多种，例如委托研发、转让、许可",
            "Choose one or more, such as commissioned research, transfer, license",
        ),
    ),
    "no_keywords": Wording(
        Text("没有关键词", "There are no keywords"),
        Text("请填写几个，可选用建议的关键词", "Give a few; take those suggested that fit"),
    ),
}

# What to add to a figure, by the kind of quantity.
CONDITIONS: dict[str, Text] = {
    "conversion": Text(
        "请注明温度、压力、原料组成和进料量", "Add temperature, pressure, and composition and rate of the feed"
    ),
    "removal": Text("请注明进口浓度、处理量和时间", "Add the inlet concentration, the throughput and the time"),
    "efficiency": Text("请注明负荷、工况和测试方法", "Add load, operating point and test method"),
    "strength": Text("请注明试验标准、温度和取样方向", "Add test standard, temperature and direction of the sample"),
    "life": Text("请注明工况、载荷和失效判据", "Add operating conditions, load and what counts as the end of life"),
    "heat": Text("请注明持续时间和介质", "Add how long, and in which medium"),
    "accuracy": Text(
        "请注明测试样本数量、来源和比对方法", "Add number and origin of the samples, and the reference method"
    ),
    "capacity": Text("请注明倍率或浓度、温度和循环次数", "Add rate or concentration, temperature and number of cycles"),
    "noise": Text("请注明测量距离和负荷", "Add the distance of measurement and the load"),
}


def wording_of(code: HintCode, topic: str) -> Wording:
    """The words of a hint; `topic` is the vague word, or the kind of quantity whose condition is open."""
    wording = WORDINGS[code]
    if code == "vague_word" and topic:
        message = Text(f"“{topic}”用词空泛，无法对照", f"“{topic}” is nothing that an answer can be held against")
        return Wording(message, wording.advice)
    if code == "indicator_without_condition" and topic in CONDITIONS:
        return Wording(wording.message, CONDITIONS[topic])
    return wording
