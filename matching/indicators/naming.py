"""Which quantity a figure belongs to: the words before it in its clause, or those after it, without what only leads there."""

import re

from matching.indicators.folding import Folded

_HAN = re.compile(r"[\u3400-\u9fff]")
_ARABIC = re.compile(r"[\u0621-\u064a]")

# Words that lead to a quantity or from it to its figure, and name nothing.
# Some of these begin or end other words as well: 使用寿命, 能耗, 产能, 可逆容量, 响应.
_LEADING_ZH = re.compile(
    r"^(?:我们|我方|我司|我厂|企业(?=希)|想|且|并且|并(?![发联网流行列购])|而且|而|同时|其中|其(?!他)|使得|使(?!用|役)|将|把|让|令|要求|需要|需求"
    r"|需(?!水|氧|肥|求)|须|要(?!素)|应(?![力变用急答])|确保|保证|保障"
    r"|实现|满足|最终|预期|希望|争取|力争|以及|及|和|与|或者|或|是|为|有(?![机效害功源毒色氧])|可以"
    r"|可(?![用逆见靠降溶燃再调视吸行挥塑])|能够"
    r"|能(?![耗量效源力级见])|会|则|即|达到|达(?!标|成)|具有|具备|拥有|采用|按照|按|通过(?!率|能力|量|性)"
    r"|经过|目标(?![识检物产定跟距化])|技术指标"
    r"|主要指标|考核指标|性能指标|指标|其他|包括|包含|约|处理后|生产出|开发出|开发(?!周)|研制(?!周)"
    r"|研发(?![费投周])|建成|形成|相应|最好|目前|现有|现在"
    r"|当前|在(?!线|位|轨)|至少|整体上|由|从|原来|降至|降到|提高到|提升到|特别是|对于|但|存在|适用于|因|如"
    r"|即使|支持|可满足|提供|[\s\"'“”:：\-–·•●■◆*★▪>、.,)\]】/])+"
)
_TRAILING_ZH = re.compile(
    r"(?:均|都|应当|应该|必须|必需|(?<![反效响供适感])应|须|需要|(?<!所)需|要求|要|可以|可达|可|能够"
    r"|(?<![产功性节储耗效动电热智势光核潜职])能"
    r"|为|是|在|达到|达|控制在|控制|保持在|保持|维持在|维持|稳定在|稳定|仅为|仅|只有|只|也|最好|一般|通常"
    r"|基本|不|又|将|会|有|就|已|已经|目前|大于|小于"
    r"|高于|低于|等于|超过|超|突破|大约|约|从|由|低至|高至|低到|短至|到|至|了|的|被|让|还|再|相当于|不再"
    r"|大致|实测|测得|实现|做到|满足|优于|处于|位于|分别|各|每年|每天"
    r"|进行|以|得到|获得|具有|具备|拥有|提供|设计|按|支持|适应|介于|之间|不得|不应|不能|最终|额外|另外"
    r"|可承受|最少|最低|指标|原来|现在|逐渐"
    r"|[\s\"'“”:：=\-–(（<>≤≥~,、/])+$"
)
_EMPTY = frozenset("年月日级个时次台点倍余多")
_ENGLISH_STOP = frozenset(
    """a an the and or but with that which who this these those it its we our you your they their is are was were be been being has have
    had must should shall will would can could may might to by at on for from into as than not no nor if when where while so such
    also only both each every any all more most least less about approximately around nearly roughly over above below under up down
    within between per via using used get gets reach reaches reached reaching achieve achieves achieved achieving keep keeps
    kept stay stays remain remains require requires required requiring need needs needed want wants wanted target targets stand stands
    exceed exceeds exceeding offer offers offering show shows showed provide provides measured gives give delivers takes took take
    costs warns withstand withstands operate operates tolerates tolerate held hold holds draws reports report stays falls
    rises rose fell reduce reduces reduced increase increases increased improve improves improved cut cuts lower lowers raise raises
    raised drops dropped decrease decreases decreased saves save saving maintain maintains maintained ensure ensures without other
    currently typically usually ideally overall please including includes include of in there here then now after before until during
    equal greater higher longer larger smaller fewer shorter maximum minimum max min wear""".split()  # noqa: SIM905
)
# These stand inside a name, between two words of it.
_ENGLISH_JOINS = frozenset({"of", "in", "per", "to", "for", "at", "on", "في"})
_ARABIC_STOP = frozenset(
    """من في على علي الى الي عن مع او و ثم لا لم لن ما هذا هذه ذلك تلك التي الذي كل بعد قبل عند بين حتي قد كان كانت يكون تكون هو هي ان
    بلغ بلغت يبلغ تبلغ يصل تصل الا تزيد يزيد تقل يقل يتجاوز تتجاوز بنسبة نحو حوالي اكثر اقل اعلي ادني اكبر اصغر خلال بمقدار
    بمعدل بما يمكن يجب ينبغي المطلوب مطلوب نريد نحتاج الشروط وبلغ وبلغت وصل وصلت انخفض انخفضت ارتفع ارتفعت زاد زادت خفض يخفض
    تخفض زيادة انخفاض تحقيق مقارنة كما حيث وهو وهي اذا لدي قدرها قدره يساوي تساوي ليصل وان والا الحد الاقصي الادني دون
    تتراوح يتراوح ينخفض تنخفض وانخفض وانخفضت وزاد وارتفع وخفض رفع تحسين تقليل توفير وتقليل وزيادة يتحمل تتحمل وتنخفض""".split()  # noqa: SIM905
)
MOST_HAN = 18
MOST_WORDS = 6
_STOPS = re.compile(r"[,;。;!?!?\n]|(?<=[^\d\s])[.](?=\s|$)")
_WORD = re.compile(r"[^\s,;:()\[\]{}<>≤≥=~。、]+")


def named_before(folded: Folded, start: int, end: int) -> tuple[int, int] | None:
    """The place of a name that ends right before a figure, in the words from `start` to `end`; None where there is none."""
    text = folded.text[start:end]
    cut = 0
    for found in _STOPS.finditer(text):
        cut = found.end()
    # "韧性:" names what follows the colon, while "指标:A≥1" names A.
    body = text[cut:].rstrip()
    if bracket := re.search(r"\([^()]*\)$", body):
        # "蠕变(30min)≤0.02%": the circumstance stands between the name and its figure.
        body = body[: bracket.start()].rstrip() or body
    trimmed = body.rstrip(":(= ")
    colon = max(trimmed.rfind(":"), trimmed.rfind("("), trimmed.rfind(")"))
    first = start + cut + (colon + 1 if colon >= 0 else 0)
    last = start + cut + len(trimmed)
    if first >= last:
        return None
    return _trimmed(folded, first, last)


def named_after(folded: Folded, start: int, end: int) -> tuple[int, int] | None:
    """The place of a name that follows a figure: 95%以上的转化率, at least 95 % conversion."""
    text = folded.text[start:end]
    found = re.search(r"[,;。:()\n、]|\.(?=\s|$)", text)
    stop = start + (found.start() if found else len(text))
    segment = folded.text[start:stop]
    if _HAN.search(segment):
        lead = re.match(r"[\s的]*", segment)
        begin = start + (lead.end() if lead else 0)
        piece = folded.text[begin : min(stop, begin + 14)]
        piece = re.split(r"(?:的|且|并|和|与|时|达|为|是|在|下|后)", piece)[0] if len(piece) > 3 else piece
        return (begin, begin + len(piece)) if piece.strip() else None
    return _words_after(folded, start, stop)


# 节水40% and 增产5% name what they change by themselves.
_SELF_NAMED = re.compile(
    r"节[能水电材煤气油]|减[排重药肥施损碳量]|降[耗本碳]|增[产收效]|提[效速]|新增|降幅|增幅|涨幅|轻量化"
)
_AGAINST = re.compile(
    r"(?:相比于?|比|较|相较于?)(?:传统|现有|常规|目前|国内|国外|进口|普通|人工|原有?|同类)的?"
    r"(?:(?:生产)?(?:工艺|方法|技术|产品|设备|方式|方案|装置|材料|水平))?"
)
_COMPARED = re.compile(r"(?:比|较|相比|相较于?|与)[^,;。]{0,16}$")


def around_verb(
    folded: Folded, clause: int, first: int, last: int, stop: int, *, adjacent: bool, following: int, end: int
) -> tuple[int, int] | None:
    """The name of what a verb from `first` to `last` changes, in the clause that begins at `clause` and ends at `stop`.

    It stands behind the verb (降低成本30%), before it (成本降低30%), in it (节水30%) or after the figure (减少30%的用工).
    """
    if not adjacent and (between := named_before(folded, last, stop)):
        return between
    verb = _SELF_NAMED.match(folded.text, first, last)
    compared = _COMPARED.search(folded.text[clause:first])
    before = named_before(folded, clause, clause + compared.start() if compared else first)
    if compared and before is None and (against := _AGAINST.match(folded.text, clause + compared.start(), first)):
        # "相比传统工艺能耗降低25%": the name stands behind what it is compared with.
        before, compared = named_before(folded, against.end(), first), None
    if verb:
        return (before[0] if before and not compared else verb.start()), verb.end()
    if before:
        return before
    if compared:
        # 比玉米青贮便宜15%: what is cheaper was named in the clause before.
        return None
    if folded.text[end : end + 1] in (",", "、", ""):
        return None
    return named_after(folded, end, following)


def _trimmed(folded: Folded, first: int, last: int) -> tuple[int, int] | None:
    text = folded.text[first:last]
    if _HAN.search(text):
        return _trimmed_zh(folded, first, last)
    if _ARABIC.search(text):
        return _words_before(folded, first, last, _ARABIC_STOP, MOST_WORDS + 1)
    return _words_before(folded, first, last, _ENGLISH_STOP, MOST_WORDS)


def _trimmed_zh(folded: Folded, first: int, last: int) -> tuple[int, int] | None:
    while True:
        text = folded.text[first:last]
        trail, lead = _TRAILING_ZH.search(text), _LEADING_ZH.match(text)
        begin, stop = first + (lead.end() if lead else 0), first + (trail.start() if trail else len(text))
        if begin >= stop:
            return None
        if (begin, stop) == (first, last):
            break
        first, last = begin, stop
    text = folded.text[first:last]
    if text in _EMPTY or not any(character.isalpha() for character in text):
        return None
    if (of := text.rfind("的")) >= 0 and len(text) - of > 2:
        first += of + 1
    text = folded.text[first:last]
    if len(text) > MOST_HAN:
        first = last - MOST_HAN
    # An entry's number, or a year: "1、硬度", "(2)厚度", "2019年销售收入".
    if number := re.match(r"(?:19|20)\d\d年度?|[\d.()①-⑳、]+\s*", folded.text[first:last]):
        first += number.end() if number.end() < last - first else 0
    return first, last


def _words_before(folded: Folded, first: int, last: int, stops: frozenset[str], most: int) -> tuple[int, int] | None:
    words = list(_WORD.finditer(folded.lower, first, last))
    while words and _leads_on(words[-1][0].strip("\"'“”-–"), stops):
        words.pop()
    kept: list[re.Match[str]] = []
    for word in reversed(words):
        plain = word[0].strip("\"'“”")
        if len(kept) == most:
            break
        if (plain in stops and plain not in _ENGLISH_JOINS) or _PRONOUN_AR.fullmatch(plain):
            break
        kept.append(word)
    kept.reverse()
    while kept and (
        kept[0][0] in stops or kept[0][0] in ("-", "–", "•", "·", "*") or re.fullmatch(r"\d+[.)]?", kept[0][0])
    ):
        kept.pop(0)
    return (kept[0].start(), kept[-1].end()) if kept else None


# "خفضها": to lower it; what it is was named before.
_PRONOUN_AR = re.compile(r"[وفب]?(?:خفض|تخفيض|رفع|زيادت|تقليل|تقليص|تحسين|تكون|المطلوب|مطلوب)(?:ها|ه|هما)?")
_VERB_FORM = re.compile(
    r"(?:reduc|decreas|lower|increas|rais|improv|shorten|extend|drop|cut|sav|boost|enhanc|prolong|bring"
    r"|brought)(?:e?d|es?|ing)?"
)


def _leads_on(word: str, stops: frozenset[str]) -> bool:
    """Whether a word before a figure only leads to it."""
    return (
        word in stops or word in ("", "•", "·", "*") or bool(_PRONOUN_AR.fullmatch(word) or _VERB_FORM.fullmatch(word))
    )


def _words_after(folded: Folded, start: int, stop: int) -> tuple[int, int] | None:
    kept: list[re.Match[str]] = []
    for word in _WORD.finditer(folded.lower, start, stop):
        plain = word[0].strip("\"'“”")
        stops = _ENGLISH_STOP | _ARABIC_STOP
        if not kept and plain in {"of", "the", "a", "in", "من", "في"}:
            continue
        if plain in stops or len(kept) == MOST_WORDS - 2 or plain[0].isdigit():
            break
        kept.append(word)
    return (kept[0].start(), kept[-1].end()) if kept else None
