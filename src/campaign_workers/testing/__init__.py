"""Kit for authors of adapters: contract suites, strategies, builders and state machines."""
