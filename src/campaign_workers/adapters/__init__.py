"""What serves the ports: one room a technology, none of which knows another."""
