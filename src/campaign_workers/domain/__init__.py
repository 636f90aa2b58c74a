"""What is true of a campaign without any I/O."""
