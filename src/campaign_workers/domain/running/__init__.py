"""What starts the workers and what they return."""
