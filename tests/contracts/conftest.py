"""Fixtures of this folder."""

from tests.contracts.http_worlds import http_server

__all__ = ["http_server"]
