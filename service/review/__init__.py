"""The review queue: pairs that wait for a broker, leases on them, and what providers learn of declines."""
