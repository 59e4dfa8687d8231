"""Import and export of listings and organizations."""
