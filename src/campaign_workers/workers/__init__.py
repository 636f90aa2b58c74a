"""The fifteen workers, one module each: domain and ports, nothing else."""
