"""The HTTP client that the adapters of this package share."""
