"""The kit that adapters are tested with: contract suites, strategies, state machines."""
