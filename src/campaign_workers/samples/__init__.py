"""Made-up people and uploads for demos, tests and benchmarks."""
