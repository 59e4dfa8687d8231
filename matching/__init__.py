"""How a pair of need and outcome is found, ranked and explained. Knows nothing of HTTP, users or workflows."""
