"""Clients of other teams' services, as `schemas/openapi/` documents them."""
