"""Outcomes (成果): what a university or institute offers."""
