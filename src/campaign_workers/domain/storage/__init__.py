"""Keys of both buckets, and files of the lake."""
