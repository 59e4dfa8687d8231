"""The append-only log of what happened, one row per change of state."""
