"""Hints (完善建议): what would get a listing better answers. They refuse nothing."""
