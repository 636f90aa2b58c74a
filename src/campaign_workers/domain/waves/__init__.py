"""Waves: configuration, texting hours, notifications, progress."""
