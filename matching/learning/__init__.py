"""Ranking models from graded data."""
