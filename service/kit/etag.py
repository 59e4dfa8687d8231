"""Entity tags for changes without lost updates (RFC 9110, sections 8.8.3 and 13.1.1)."""

from service.errors import PreconditionFailed, PreconditionRequired


def etag(version: int) -> str:
    """The strong entity tag of a row's version.

    >>> etag(3)
    '"3"'
    """
    return f'"{version}"'


def check_if_match(if_match: str | None, version: int) -> None:
    """Let a change pass only when the caller has seen the present version.

    Raises:
        PreconditionRequired: no If-Match was sent.
        PreconditionFailed: the row has changed since.
    """
    if if_match is None:
        raise PreconditionRequired(etag(version))
    sent = {tag.strip() for tag in if_match.split(",")}
    if "*" not in sent and etag(version) not in sent:
        raise PreconditionFailed(etag(version))
