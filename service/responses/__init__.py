"""Questions to organizations, and how soon they answer them."""
