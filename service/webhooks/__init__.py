"""Calls to endpoints of organizations, in the format of Standard Webhooks 1.0.0."""
