"""Access codes: the pool, and their assignment to fans."""
