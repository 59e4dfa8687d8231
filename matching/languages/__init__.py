"""What English and Arabic texts say, in the Chinese terms that most listings are written in."""

from matching.languages.gloss import coverage, gloss
from matching.languages.terms import Term, listed_terms, read_terms

__all__ = ["Term", "coverage", "gloss", "listed_terms", "read_terms"]
