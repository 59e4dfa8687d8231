"""The matchable form of a text: passages, lexical terms, language."""

from matching.profiling.compose import ListingText, compose
from matching.profiling.language import detect_language
from matching.profiling.passages import split_text
from matching.profiling.tokens import TOKENIZER, count_terms, fold, terms

__all__ = ["TOKENIZER", "ListingText", "compose", "count_terms", "detect_language", "fold", "split_text", "terms"]
