"""Needs (需求): what an enterprise asks for."""
