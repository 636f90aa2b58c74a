"""Time, limits and logs of the machine itself."""
