"""What needs and outcomes have in common: rows, revisions, states, lists."""
