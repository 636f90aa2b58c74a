"""Suites of tests, one a port, that every adapter of the port passes unchanged."""
