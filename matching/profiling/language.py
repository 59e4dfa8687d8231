"""In which of the three languages a text is written."""

from matching.types import Language

# A Chinese text of a technical kind is full of Latin letters and figures; a fifth of Han characters makes it Chinese.
HAN_SHARE = 0.2
ARABIC_SHARE = 0.2


def detect_language(text: str) -> Language:
    """zh, en or ar, by the scripts of its letters.

    >>> detect_language("PEM 电解槽 MEA 寿命"), detect_language("drying of goji"), detect_language("تجفيف الغوجي")
    ('zh', 'en', 'ar')
    """
    letters = [character for character in text if character.isalpha()]
    if not letters:
        return "zh"
    han = sum("\u3400" <= c <= "\u9fff" or "\uf900" <= c <= "\ufaff" for c in letters)
    arabic = sum("\u0600" <= c <= "\u06ff" or "\u0750" <= c <= "\u077f" or "\ufb50" <= c <= "\ufeff" for c in letters)
    if han >= HAN_SHARE * len(letters):
        return "zh"
    return "ar" if arabic >= ARABIC_SHARE * len(letters) else "en"
