"""Adapters that keep everything in one folder, and the runtime that AWS is elsewhere."""
