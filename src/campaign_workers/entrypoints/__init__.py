"""Ways in: a Lambda handler a worker, and the command line."""
