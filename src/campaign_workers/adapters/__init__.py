"""Adapters: each room serves ports with one technology and imports no other room."""
