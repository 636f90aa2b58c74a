"""What the workers need from the world, as protocols."""
