"""Windows hold every token once, in order, and none is too long."""

from hypothesis import given
from hypothesis import strategies as st

from matching.embedding.windows import windows

PASSAGES = st.lists(st.lists(st.integers(0, 9), max_size=30), max_size=12)


@given(PASSAGES, st.integers(1, 20))
def test_nothing_is_lost_and_nothing_too_long(passages: list[list[int]], room: int) -> None:
    cut = windows(passages, room)
    assert [token for window in cut for token in window.tokens] == [token for passage in passages for token in passage]
    assert all(0 < len(window.tokens) <= room for window in cut)
    by_passage: dict[int, list[int]] = {number: [] for number in range(len(passages))}
    for window in cut:
        for span in window.spans:
            by_passage[span.passage] += window.tokens[span.start : span.end]
    assert list(by_passage.values()) == passages


@given(PASSAGES, st.integers(1, 20))
def test_a_passage_that_fits_stays_whole(passages: list[list[int]], room: int) -> None:
    spans = [span.passage for window in windows(passages, room) for span in window.spans]
    for number, passage in enumerate(passages):
        if 0 < len(passage) <= room:
            assert spans.count(number) == 1
