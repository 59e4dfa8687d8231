"""What a technology market does: listings, matches, decisions, exchange, over HTTP and the command line."""

__version__ = "0.1.0"
