"""The plan's fields, GB/T 4754 sections and the small code lists, with their labels."""
