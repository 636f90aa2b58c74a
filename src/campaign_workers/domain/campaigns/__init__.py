"""Campaigns and their markets."""
