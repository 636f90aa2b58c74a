"""One suite a port, each in a module of the port's name: inherit it to hold an adapter to it."""
