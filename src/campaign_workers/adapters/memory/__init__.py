"""In-memory adapters: product, not test code, with the limits and failures of the real things."""
