"""Recommendations: ranked pairs, their explanation, and what a broker decides."""
