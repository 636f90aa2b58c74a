"""Adapters over AWS."""
