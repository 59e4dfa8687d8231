"""A scratch index: the service's own tables in a schema of their own, filled from a data set, dropped at the end."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4, uuid5

from matching.embedding.protocol import Encoder, Role
from matching.evaluation.dataset import Document
from matching.index import Connection, vocabulary
from matching.index.models import EmbeddingModel, register_model
from matching.pipeline import index_profile
from matching.profiling import ListingText, compose
from matching.types import Kind, Profile

SQL = Path(__file__).resolve().parents[2] / "migrations" / "sql"
# The index's own files, in order; the others make the service's tables.
DDL = ("0002_matching_index.sql", "0004_match_indicators.sql", "0005_match_tokens.sql")
NAMESPACE = UUID("6f1d9f0e-6a3e-5d0b-9a64-0d3f5f6f5a11")
Progress = Callable[[str, int, int], None]
ROLES: dict[Kind, Role] = {"need": "query", "outcome": "document"}


@asynccontextmanager
async def scratch_schema(owner: Connection) -> AsyncIterator[str]:
    """A schema with the index tables, first on the connection's search path; gone afterwards, whatever happens."""
    name = f"scratch_{uuid4().hex}"
    await owner.execute(f"create schema {name}")
    try:
        await owner.execute(f"set search_path = {name}, public")
        for name_of_file in DDL:
            await owner.execute((SQL / name_of_file).read_text(encoding="utf-8"))
        yield name
    finally:
        await owner.execute("reset search_path")
        await owner.execute(f"drop schema {name} cascade")


def identifier_of(kind: Kind, document: str) -> UUID:
    """The profile id of a document: the same at every run, so that ties fall the same way."""
    return uuid5(NAMESPACE, f"{kind}:{document}")


def profile_of(kind: Kind, document: Document) -> Profile:
    """A row of a data set as a profile."""
    title = document.title.strip() or document.text.strip()[:60]
    sections = (("description", document.text),) if document.text.strip() else ()
    return compose(ListingText(identifier_of(kind, document.id), kind, title, sections, keywords=document.keywords))


async def fill(
    owner: Connection, encoder: Encoder, documents: Sequence[Document], progress: Progress
) -> EmbeddingModel:
    """Index documents as outcomes."""
    profiles = [profile_of("outcome", document) for document in documents]
    lengths = [vocabulary.profile_counts(profile).total() for profile in profiles]
    await vocabulary.ensure_lexicon(owner, sum(lengths) / len(lengths))
    model = await register_model(owner, "evaluation", encoder.identity)
    for number, profile in enumerate(profiles, start=1):
        (encoded,) = encoder.encode([profile.texts], ROLES["outcome"])
        async with owner.transaction():
            await index_profile(owner, profile, {model.id: encoded})
        progress("index", number, len(profiles))
    await owner.execute("analyze")
    return model
