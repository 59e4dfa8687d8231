"""Organizations, API keys, roles, and who is acting."""
