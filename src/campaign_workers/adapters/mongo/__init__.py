"""Repository ports on MongoDB, and the indexes that their queries need."""
