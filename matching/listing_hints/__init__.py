"""Better listings: what one lacks, whether it is there already, and what its author may want to add. Pure functions."""

from matching.listing_hints.draft import SEVERITIES, Draft, Hint, HintCode, Severity
from matching.listing_hints.duplicates import FigureDifference, Overlap, figure_differences, overlap, shingles_of
from matching.listing_hints.field_suggestion import FieldOf, FieldWords, SuggestedField, field_hint, suggest_fields
from matching.listing_hints.hints import hints_of, unlisted_figures
from matching.listing_hints.keywords import Candidates, candidates_of, suggest_keywords

__all__ = [
    "SEVERITIES",
    "Candidates",
    "Draft",
    "FieldOf",
    "FieldWords",
    "FigureDifference",
    "Hint",
    "HintCode",
    "Overlap",
    "Severity",
    "SuggestedField",
    "candidates_of",
    "field_hint",
    "figure_differences",
    "hints_of",
    "overlap",
    "shingles_of",
    "suggest_fields",
    "suggest_keywords",
    "unlisted_figures",
]
