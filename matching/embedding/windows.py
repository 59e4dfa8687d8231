"""Cut the tokens of long texts into windows that the model takes whole, remembering which passage each token is of."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Span:
    """Where tokens of one passage lie in a window: positions `start` to `end` of the window's own tokens."""

    passage: int
    start: int
    end: int


@dataclass(slots=True)
class Window:
    """Tokens that go through the model together, without the model's own marks at the ends."""

    tokens: list[int] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)

    def add(self, passage: int, tokens: Sequence[int]) -> None:
        """Append tokens of a passage."""
        start = len(self.tokens)
        self.tokens.extend(tokens)
        self.spans.append(Span(passage, start, len(self.tokens)))


def windows(passages: Sequence[Sequence[int]], room: int) -> list[Window]:
    """Windows of at most `room` tokens that hold every token once, in order.

    A passage stays whole where it can: it is cut only if it is longer than a window.

    >>> [w.tokens for w in windows([[1, 2], [3, 4], [5, 6, 7, 8, 9]], room=4)]
    [[1, 2, 3, 4], [5, 6, 7, 8], [9]]
    """
    made = [Window()]
    for number, tokens in enumerate(passages):
        if len(made[-1].tokens) + len(tokens) > room and made[-1].tokens:
            made.append(Window())
        rest = list(tokens)
        while len(rest) > room:
            made[-1].add(number, rest[:room])
            rest = rest[room:]
            made.append(Window())
        if rest:
            made[-1].add(number, rest)
    return [window for window in made if window.tokens]
