"""Which scope a route takes: the one rule, by method and tag, that every request with a key or token passes."""

from collections.abc import Collection
from typing import Final

from fastapi import Request

from service.access.errors import ScopeMissing
from service.kit.actor import Actor, Scope

PREFIX: Final = "/v1"
# Who may do what is not even looked at without the scope for it.
ADMIN_TAGS: Final = frozenset({"keys", "people"})
# Here looking is for everyone; making and changing is administration.
ADMIN_WRITES: Final = frozenset({"organizations"})
# Questions whose text is too long for an address: they store nothing.
READING_POSTS: Final = frozenset({"/v1/match", "/v1/needs/hints", "/v1/outcomes/hints"})


def scope_of(method: str, path: str, tags: Collection[str]) -> Scope:
    """The scope that a route takes; `path` is the route's pattern.

    >>> scope_of("GET", "/v1/needs/{need_id}", ["needs"]).value
    'read'
    >>> scope_of("POST", "/v1/needs", ["needs"]).value
    'write'
    >>> scope_of("POST", "/v1/organizations/{organization_id}/keys", ["keys"]).value
    'admin'
    """
    if not ADMIN_TAGS.isdisjoint(tags):
        return Scope.ADMIN
    if method in ("GET", "HEAD") or path in READING_POSTS:
        return Scope.READ
    return Scope.ADMIN if not ADMIN_WRITES.isdisjoint(tags) else Scope.WRITE


def pattern_of(request: Request) -> str:
    """The pattern of a request's route with the prefix of the API, which some versions of FastAPI leave to the parent."""
    path: str = request.scope["route"].path
    return PREFIX + path.removeprefix(PREFIX)


def check_scope(request: Request, actor: Actor) -> None:
    """Let a request pass only with the scope that its route takes.

    Raises:
        ScopeMissing: names the scope.
    """
    route = request.scope["route"]
    needed = scope_of(request.method, pattern_of(request), route.tags)
    if needed not in actor.scopes:
        raise ScopeMissing(needed)
