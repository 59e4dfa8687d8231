"""Contact data as it may be shown in lists, logs and events: enough to recognize what one knows, too little to use."""

# As many stars wherever something is hidden: their number says nothing of what they hide.
STARS = "****"
# A mainland mobile number: 3 digits of the network, 4 of the area, 4 of the subscriber. The middle is hidden.
LONG_PHONE = 11
SHORT_PHONE = 7


def mask_phone(phone: str) -> str:
    """A telephone number with its first three and last four digits, or with its last two where it is short.

    At least four digits are hidden; everything but digits is dropped.

    >>> mask_phone("138 1234 5678"), mask_phone("0951-501 2345"), mask_phone("5012345"), mask_phone("12345")
    ('138****5678', '095****2345', '****45', '****')
    """
    digits = "".join(character for character in phone if character.isdecimal())
    if len(digits) >= LONG_PHONE:
        return digits[:3] + STARS + digits[-4:]
    return STARS + digits[-2:] if len(digits) >= SHORT_PHONE else STARS


def mask_name(name: str) -> str:
    """A person's name with its first character; a name of one character is hidden whole.

    >>> mask_name("王小明"), mask_name("Li Na"), mask_name("王")
    ('王**', 'L**', '**')
    """
    stripped = name.strip()
    return f"{stripped[0]}**" if len(stripped) > 1 else "**"


def mask_email(email: str) -> str:
    """An address with the first character of its local part, and its domain.

    >>> mask_email("wang@example.test"), mask_email("w@example.test"), mask_email("nothing")
    ('w***@example.test', '***@example.test', '***')
    """
    local, at, domain = email.strip().rpartition("@")
    if not at:
        return "***"
    return f"{local[0] if len(local) > 1 else ''}***@{domain}"
