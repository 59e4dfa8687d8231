"""Brokers (技术经理人): profiles, figures of their work, and new work assigned by fit and load."""
