"""Words that tell a vague sentence, a demand, a company's history, and quantities that mean little without a condition."""

import re
from dataclasses import dataclass

_FLAGS = re.IGNORECASE

VAGUE = re.compile(
    r"大幅度?(?!面)(?:提高|提升|降低|减少|改善|增加|缩短)?|显著(?:提高|提升|降低|减少|改善|增强|优于)?|明显(?:提高|提升|降低|减少|改善|优于)"
    r"|(?:国内|国际|行业|世界|业内|同行业)(?:领先|先进|一流)(?:水平)?|(?:处于|达到|保持)?(?:领先|先进)水平|填补(?:国内|国际)?空白"
    r"|尽可能|尽量|越[高低快多少小大]越好|一定程度上?|若干|性价比[高好]|性能(?:优异|优良|良好|较好)|效果(?:良好|较好|显著|明显)"
    r"|较[高低好大小快](?!于)|适当(?:提高|降低|增加|减少)|进一步(?:提高|提升|降低|完善|优化)|有效(?:提高|提升|降低|改善|解决)"
    r"|\b(?:significant(?:ly)?|substantial(?:ly)?|considerabl[ey]|greatly|dramatically|world[- ]class|state[- ]of[- ]the[- ]art"
    r"|cutting[- ]edge|industry[- ]leading|leading level|advanced level|high[- ]performance|cost[- ]effective"
    r"|as (?:much|high|low|soon|fast|little) as possible|to some (?:extent|degree)|much (?:better|higher|lower|faster))\b"
    r"|بشكل كبير|بشكل ملحوظ|إلى حد كبير|قدر الإمكان|مستوى متقدم|مستوى عالمي",
    _FLAGS,
)
# Verbs of a goal that wants a figure: how much, how fast, to what level.
CHANGE = re.compile(
    r"提高|提升|降低|减少|缩短|延长|增强|改善|减轻|加快|增加|控制在|达到"
    r"|\b(?:increas|improv|reduc|lower|shorten|extend|cut|decreas|rais|enhanc)(?:e|es|ed|ing|ment|s)?\b"
    r"|\bachiev(?:e|es|ing)\b|زيادة|خفض|تقليل|تحسين|رفع",
    _FLAGS,
)
# Words by which an author turns from what is to what should be.
DEMAND = re.compile(
    r"[求想需盼]|希望|寻找|征集|解决|拟|期望|能不能|能否|能用|欢迎|目标|指标|攻克|开发|研制|研发|改造|[不]?(?:超过|低于|高于|少于|大于|小于)|以[内上下]|最好|不要|必须"
    r"|[≥≤<>＜＞]"
    r"|\b(?:need|seek|look(?:ing)? for|want|require|wish|must|should|would like|demand|wanted|goal|aim|target|develop)"
    r"(?:s|ed|ing|ment|ments)?\b"
    r"|نحتاج|نبحث|نرغب|نريد|نطلب|مطلوب|يجب|المطلوب|حاجة|هدف|تطوير",
    _FLAGS,
)
HISTORY = re.compile(
    r"成立于|创[立建]于|始建于|注册资[本金]|占地(?:面积)?|厂房|固定资产|现有(?:员工|职工)|荣获|被(?:评为|认定为|授予)|高新技术企业|专精特新|通过了?.{0,20}认证"
    r"|年产值|销售收入|营业收入|主营(?:业务)?|是一家|发展历程"
    r"|\b(?:founded|established) in\b|\bregistered capital\b|\bemployees\b|\bannual (?:turnover|revenue|sales)\b|\bawarded\b"
    r"|تأسست|رأس المال|حصلت على",
    _FLAGS,
)
# An indicator in words is fine where it is a yes or no (剪断后仍可读数); one of degree wants a figure.
DEGREE = re.compile(
    r"[高低快慢多少大小强弱优好轻薄厚短长]|提升|改善|增加"
    r"|\b(?:high|low|fast|good|better|strong|long|short|light|small|large|increase|reduce|improve)(?:er|d|s|est)?\b",
    _FLAGS,
)


@dataclass(frozen=True, slots=True)
class Conditional:
    """A kind of quantity whose figure depends on how it is measured."""

    topic: str
    pattern: re.Pattern[str]


# The first that matches names the kind.
CONDITIONALS = tuple(
    Conditional(topic, re.compile(pattern, _FLAGS))
    for topic, pattern in (
        ("conversion", r"转化率|选择性|收率|产率|\b(?:conversion|selectivity|yield)\b"),
        ("removal", r"(?:去除|脱除|截留|降解|净化)率|\b(?:removal|rejection)\b"),
        ("efficiency", r"效率|能效(?!等级)|\bCOP\b|\bPUE\b|\befficiency\b"),
        ("strength", r"强度(?!等级)|硬度|韧性|模量|附着力|\b(?:strength|hardness|toughness|modulus|adhesion)\b"),
        ("life", r"(?<!少子)(?:使用)?寿命|循环次数|耐久性|\b(?:service life|cycle life|lifetime|durability)\b"),
        ("heat", r"耐(?:高|低)?温|耐热|\b(?:heat|temperature) resistance\b"),
        (
            "accuracy",
            r"(?:准确|检出|识别|误报|漏报|误判|漏检)率|灵敏度|特异度|\b(?:accuracy|sensitivity|specificity|false alarm)",
        ),
        ("capacity", r"(?:比|吸附|放电)容量|容量保持率|续航|\b(?:specific capacity|capacity retention|endurance)\b"),
        ("noise", r"噪[声音]|\bnoise\b"),
    )
)
# A bracket, a clause of circumstance, a standard, or a reference point.
CONDITION = re.compile(
    r"[（(][^（）()]{2,}[）)]|[在于当][^，,；;。]{1,30}?(?:下|时|中|内|后|处)|条件|工况|环境|负荷|标准|为基准|为参照|[@＠]|按.{1,20}[计测]"
    r"|GB ?/?T?|ISO|ASTM|IEC|\b(?:at|under|after|per|versus|vs|compared|measured|according)\b|عند|تحت|بعد|وفق",
    _FLAGS,
)
