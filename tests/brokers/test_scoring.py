"""Which broker fits a need: the arithmetic, and what holds for all of them."""

from dataclasses import replace
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from service.brokers.scoring import WEIGHTS, BrokerFacts, NeedFacts, fit, ranked

NEED = NeedFacts("goji", frozenset({"640500", "640000"}), "zh")
BROKER = BrokerFacts(
    UUID(int=1), frozenset({"goji"}), frozenset({"640000"}), frozenset({"zh"}), capacity=4, taken=1, available=True
)
FIELDS, REGIONS, LANGUAGES = ("goji", "wine", "dairy"), ("640000", "640500", "350000"), ("zh", "en", "ar")


def some(values: tuple[str, ...]) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(values))


needs = st.builds(NeedFacts, st.none() | st.sampled_from(FIELDS), some(REGIONS), st.sampled_from(LANGUAGES))
brokers = st.builds(
    BrokerFacts,
    st.uuids(),
    some(FIELDS),
    some(REGIONS),
    some(LANGUAGES),
    st.integers(0, 20),
    st.integers(0, 30),
    st.booleans(),
)


def test_the_sum_can_be_recomputed() -> None:
    assert sum(WEIGHTS.values()) == 1.0
    assert fit(NEED, BROKER).score == 0.4 * 1 + 0.2 * 1 + 0.1 * 1 + 0.3 * 3 / 4
    general = replace(BROKER, fields=frozenset(), regions=frozenset())
    assert fit(NEED, general).score == 0.4 * 0.5 + 0.2 * 0.5 + 0.1 * 1 + 0.3 * 3 / 4
    stranger = replace(BROKER, fields=frozenset({"wine"}), regions=frozenset({"350000"}), languages=frozenset({"en"}))
    assert fit(NEED, stranger).score == 0.3 * 3 / 4
    assert fit(NEED, replace(BROKER, taken=4)).score == fit(NEED, replace(BROKER, available=False)).score == 0


def test_of_equals_who_has_less_in_hand_comes_first() -> None:
    busy = replace(BROKER, id=UUID(int=2), capacity=8, taken=2)
    assert [each.broker.id.int for each in ranked(NEED, [busy, BROKER])] == [1, 2]


@given(needs, brokers)
def test_a_score_is_between_nothing_and_one_and_nothing_for_who_can_take_nothing(
    need: NeedFacts, broker: BrokerFacts
) -> None:
    found = fit(need, broker)
    assert 0 <= found.score <= 1
    assert [part.name for part in found.parts] == list(WEIGHTS)
    assert all(0 <= part.value <= 1 and part.reason.zh and part.reason.en for part in found.parts)
    if not broker.available or broker.taken >= broker.capacity:
        assert found.score == 0


@given(needs, brokers, st.integers(1, 10))
def test_more_in_hand_is_never_better(need: NeedFacts, broker: BrokerFacts, more: int) -> None:
    assert fit(need, replace(broker, taken=broker.taken + more)).score <= fit(need, broker).score


@given(needs, brokers)
def test_naming_the_needs_own_is_never_worse(need: NeedFacts, broker: BrokerFacts) -> None:
    if need.field is not None:
        assert fit(need, replace(broker, fields=broker.fields | {need.field})).score >= fit(need, broker).score
    assert fit(need, replace(broker, languages=broker.languages | {need.language})).score >= fit(need, broker).score


@given(needs, st.lists(brokers, max_size=8), st.randoms())
def test_the_order_is_one_whatever_the_order_of_asking(
    need: NeedFacts, many: list[BrokerFacts], chance: object
) -> None:
    many = [replace(broker, id=uuid4()) for broker in many]
    once = [each.broker.id for each in ranked(need, many)]
    again = many[:]
    chance.shuffle(again)  # type: ignore[attr-defined]
    assert [each.broker.id for each in ranked(need, again)] == once
    scores = [each.score for each in ranked(need, many)]
    assert scores == sorted(scores, reverse=True)
