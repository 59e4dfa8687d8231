"""The world of the review queue, in which brokers work."""

from tests.review.conftest import second, world

__all__ = ["second", "world"]
