"""What would help an outcome that was declined for a reason, in words for its provider."""

from collections.abc import Mapping

from service.kit.language import Text
from service.taxonomy.schemas import DeclineCode

HELPS: Mapping[DeclineCode, Text] = {
    DeclineCode.TOO_EARLY: Text(
        "写明技术成熟度及其依据：中试、样机或试用的时间、规模和结果；尚无中试数据的，说明缺什么条件、需要谁配合。",
        "State the maturity and what shows it: when, at what scale and with what result a pilot, prototype or trial ran; "
        "without such data, say which conditions or partners are missing.",
    ),
    DeclineCode.UNCLEAR_ADVANTAGE: Text(
        "与企业现用技术逐项对比：指标、能耗、成本、寿命，注明测试条件和数据来源。",
        "Compare figure by figure with the technology in use: performance, energy, cost, lifetime, with test conditions and "
        "source.",
    ),
    DeclineCode.UNCLEAR_PATH: Text(
        "说明怎样落地：放大步骤、关键设备、所需许可或检测、投入和周期。",
        "Describe the way into production: steps of scale-up, key equipment, approvals or tests that are needed, investment "
        "and time.",
    ),
    DeclineCode.VAGUE: Text(
        "写清三件事：解决什么问题、怎样做到、用哪些可测的指标衡量。",
        "Say three things plainly: which problem is solved, how, and by which measurable figures.",
    ),
    DeclineCode.INDICATORS_UNMET: Text(
        "补全技术指标的数值、单位和测试条件；达不到的，说明差距和可达到的时间。",
        "Complete the technical figures with unit and test conditions; where one is missed, state the gap and when it can be "
        "closed.",
    ),
    DeclineCode.PRICE_MISMATCH: Text(
        "给出报价的构成，并列出可接受的其他付款方式，如分期、提成或入股。",
        "Show what the price consists of, and name other terms that you accept: instalments, royalties or equity.",
    ),
    DeclineCode.MODE_MISMATCH: Text(
        "在成果中增列可接受的合作方式，例如许可、委托研发、技术服务。",
        "List further modes of cooperation that you accept, such as licence, commissioned research or technical service.",
    ),
    DeclineCode.REGION_OR_QUALIFICATION: Text(
        "注明已具备的资质和可服务的地区；缺少资质的，可与当地单位合作提供。",
        "Name the qualifications that you hold and the regions that you serve; where one is missing, offer together with a "
        "local partner.",
    ),
    DeclineCode.ALREADY_SOLVED: Text(
        "与成果质量无关：企业已有方案。可关注同一重点方向的其他需求。",
        "This says nothing of the outcome: the firm has a solution. Look at other needs of the same field.",
    ),
    DeclineCode.DUPLICATE: Text(
        "合并重复的成果条目，保留最新、最完整的一条。",
        "Merge listings of the same outcome, and keep the newest and most complete one.",
    ),
    DeclineCode.OTHER: Text(
        "原因因人而异，请看技术经理人给你的话；没有留言的，可请运营方转达询问。",
        "The reason is a particular one: read what the broker wrote for you, or ask through an operator where nothing was "
        "written.",
    ),
}
