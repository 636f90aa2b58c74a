"""Repositories over MongoDB, and the indexes that their queries need."""
