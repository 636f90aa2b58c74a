"""The `Clock`, `Deadline` and `Metrics` ports on the machine itself."""
