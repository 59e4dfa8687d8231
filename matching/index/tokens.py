"""In how many outcomes each token of a model stands: the weights of late interaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from matching.index import Connection
from matching.index import vocabulary as lexicon
from matching.types import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class TokenRarity:
    """Document frequencies of tokens among outcomes."""

    outcomes: int
    counts: Mapping[int, int]

    def array(self, tokens: Ints) -> Floats:
        """ln(1 + (N - n + 0.5) / (n + 0.5)) of every token (Robertson and Zaragoza 2009).

        Unlike a term's, the rarity of a token that no outcome has is not 0: others may come near it.
        """
        found = np.array([self.counts.get(token, 0) for token in tokens.tolist()], dtype=np.float32)
        rarities: Floats = np.log1p((self.outcomes - found + 0.5) / (found + 0.5)).astype(np.float32)
        return rarities


FREQUENCIES = "select token, outcomes from match_token where model_id = $1 and token = any ($2)"


async def rarity_of(connection: Connection, model_id: int, groups: Iterable[Ints]) -> TokenRarity:
    """The rarity of every token in some needs."""
    numbers = sorted({token for group in groups for token in group.tolist()})
    rows = await connection.fetch(FREQUENCIES, model_id, numbers)
    outcomes = await lexicon.collection_size(connection, "outcome")
    return TokenRarity(outcomes, {row["token"]: row["outcomes"] for row in rows})


COUNT = """
insert into match_token (model_id, token, outcomes)
select $1, token, $3 from unnest($2::integer[]) as given (token)
on conflict (model_id, token) do update set outcomes = match_token.outcomes + $3
"""


async def count(connection: Connection, model_id: int, tokens: list[int], step: int) -> None:
    """Each of these tokens stands in one outcome more (1) or less (-1). The lexicon is locked before."""
    await connection.execute(COUNT, model_id, tokens, step)


STORED = (
    "select model_id, token_ids from match_passage where kind = 'outcome' and profile_id = $1 and token_ids is not null"
)


async def stored(connection: Connection, identifier: object) -> dict[int, set[int]]:
    """The distinct tokens of a stored outcome by model."""
    return {row["model_id"]: set(row["token_ids"]) for row in await connection.fetch(STORED, identifier)}


FORGET_RETIRED = """
delete from match_token using embedding_model where embedding_model.id = model_id and state = 'retired'
"""


async def forget_retired(connection: Connection) -> None:
    """Drop the counts of models that serve no more."""
    await connection.execute(FORGET_RETIRED)
